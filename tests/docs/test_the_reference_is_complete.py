"""The reference names all that there is, no more and no less, and no link leads nowhere."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubedrill.cli.exit_codes import ExitCode
from kubedrill.cli.main import FAMILIES
from kubedrill.controller.metrics import FAMILIES as METRICS
from kubedrill.core.measure.milestone_table import MILESTONES, table
from kubedrill.core.measure.results import MilestoneName, ObjectiveVerdict
from kubedrill.core.undo.patches import FieldEnd
from kubedrill.plugins.faults import discover
from kubedrill.watchdog.metrics import FAMILIES as WATCHDOG_METRICS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / name for name in ("README.md", "SECURITY.md", "CHANGELOG.md")] + sorted((ROOT / "docs").rglob("*.md"))


def first_column(page: str, pattern: str) -> list[Any]:
    return re.findall(rf"^\| {pattern}", (ROOT / "docs" / page).read_text(), re.MULTILINE)


def test_every_milestone_is_explained_in_the_order_in_which_a_good_drill_meets_them():
    order = ["Injected", "FaultEffective"]
    named = first_column("reference/milestones.md", r"([A-Z][A-Za-z]+)(?:\[level\])? \|")
    assert named[:2] == order
    assert set(named) == {m.value for m in MilestoneName}


def test_the_names_that_a_right_diagnosis_has_are_those_of_the_fault_kinds():
    rows = first_column("reference/milestones.md", r"`([a-zA-Z]+)` \| [^|]+ \| ([A-Z][^|]+) \|$")
    assert dict(rows) == {kind: ", ".join(fault.called) for kind, fault in discover().items() if fault.called}


def test_the_milestones_stand_as_the_table_of_the_code_has_them():
    assert table() in (ROOT / "docs/reference/milestones.md").read_text(), table()


def test_every_milestone_is_said_with_a_verb_that_players_have():
    players = next(verbs for family, verbs in FAMILIES.items() if family.startswith("Players"))
    assert {kind.verb for kind in MILESTONES.values() if kind.verb} <= set(players)


def test_every_exit_code_is_explained():
    assert first_column("reference/exit-codes.md", r"(\d) \| ([A-Z_]+) \|") == [
        (str(c.value), c.name) for c in ExitCode
    ]


def test_every_verb_of_players_is_explained():
    players = next(verbs for family, verbs in FAMILIES.items() if family.startswith("Players"))
    assert set(first_column("reference/player-verbs.md", r"`kubectl drill ([a-z-]+)")) == set(players)


def test_every_metric_is_explained_with_its_labels():
    rows = first_column("reference/metrics.md", r"`(kubedrill_\w+)` \| ([^|]*)\|")
    assert {name: tuple(re.findall(r"`(\w+)`", re.sub(r"\(.*?\)", "", labels))) for name, labels in rows} == {
        name: labels for name, (_, labels) in {**METRICS, **WATCHDOG_METRICS}.items()
    }


def test_every_alert_of_the_operator_is_explained():
    (group,) = yaml.safe_load((ROOT / "manifests/rules/kubedrill.rules.yml").read_text())["groups"]
    assert set(first_column("reference/metrics.md", r"`(KubeDrill\w+)`")) == {rule["alert"] for rule in group["rules"]}


def test_every_outcome_of_putting_back_is_explained():
    assert first_column("explanation/undo.md", r"([A-Z]\w+) \|") == [end.value for end in FieldEnd]


def test_every_verdict_of_an_objective_is_explained():
    explained = set(first_column("explanation/measurement.md", r"([A-Z]\w+) \|"))
    assert explained == {v.value for v in ObjectiveVerdict} - {"Pending"}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_test_that_is_told_of_exists(page):
    told = re.findall(r"`(tests/[\w/.]+?)/?`", page.read_text())
    assert [path for path in told if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_link_within_the_project_leads_nowhere(page):
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_command_of_make_that_is_told_of_exists(page):
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    told = set(re.findall(r"(?:^|`|=me )make ([a-z][a-z-]*)", page.read_text(), re.MULTILINE))
    assert told <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_verb_that_is_told_of_exists(page):
    verbs = {verb for family in FAMILIES.values() for verb in family}
    told = set(re.findall(r"`?kubectl drill ([a-z][a-z-]+)", page.read_text()))
    assert told <= verbs

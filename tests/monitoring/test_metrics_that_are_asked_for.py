"""Dashboard and rules ask for metrics and labels that the operator exports."""

import re

import pytest
import yaml
from tests.monitoring.dashboard import MANIFESTS, queries

from kubedrill.controller.metrics import DRILL, FAMILIES, TURNS_FAILING, UNDO_STUCK

RULES = yaml.safe_load((MANIFESTS / "rules" / "kubedrill.rules.yml").read_text())["groups"][0]["rules"]
EXPRESSIONS = [q.expr for q in queries()] + [rule["expr"] for rule in RULES]
OF_THE_PROCESSES = {
    "kubedrill_build_info": {"version"},
    "kubedrill_turns_failing": set(TURNS_FAILING),
    "kubedrill_undo_stuck": set(UNDO_STUCK),
    "kubedrill_watchdog_build_info": {"version"},
    "kubedrill_watchdog_undo_stuck": {"record"},
}
LABELS = {name: {*DRILL, *labels} for name, (_, labels) in FAMILIES.items()} | OF_THE_PROCESSES


@pytest.mark.parametrize("expr", EXPRESSIONS)
def test_every_metric_that_is_asked_for_is_exported(expr):
    asked = set(re.findall(r"\bkubedrill_\w+", expr))
    assert asked <= set(LABELS)


@pytest.mark.parametrize("expr", [e for e in EXPRESSIONS if "kubedrill_" in e])
def test_every_label_that_is_asked_for_is_on_that_metric(expr):
    exported = set.intersection(*(LABELS[name] for name in re.findall(r"\bkubedrill_\w+", expr)))
    matched = {label for part in re.findall(r"\{([^}]*)\}", expr) for label in re.findall(r'(\w+)="', part)}
    grouped = {label.strip() for part in re.findall(r"by \(([^)]*)\)", expr) for label in part.split(",")}
    some = set.union(*(LABELS[name] for name in re.findall(r"\bkubedrill_\w+", expr)))
    assert matched <= some
    assert grouped <= exported

"""Enough plans, each with a name of its own, made of words that the harness knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.faultmatrix import catalogue, soak, space
from tests.faultmatrix.actions import ACTIONS
from tests.faultmatrix.builders import a_plan
from tests.faultmatrix.catalogue import REFERENCE, all_plans, files, plans_of
from tests.faultmatrix.keeper import is_to_a_process
from tests.faultmatrix.people import DOINGS
from tests.faultmatrix.plan import Plan, Rule, plan_of
from tests.faultmatrix.refusals import KINDS
from tests.faultmatrix.requests import ONCE_AT_LEAST, OWN, WRITES
from tests.faultmatrix.run import ROLES
from tests.faultmatrix.shapes import FAULTS
from tests.faultmatrix.stories import STORIES
from tests.faultmatrix.streams import MANNERS

from kubedrill.core.measure.results import Verdict

PLANNED = all_plans()
PLACED = {cell: plan for plan in PLANNED if (cell := space.cell_of(plan))}
COUNTS = yaml.safe_load(REFERENCE.read_text(encoding="utf-8"))
BY_DEFAULT = [p for p in PLANNED if not p.slow and not p.nightly]
FAULT_KINDS = (
    "memory-limit",
    "stateful-set",
    "bad-image",
    "resource-quota",
    "pod-kill",
    "queue-load",
    "alert",
    "manual",
)
"""The kinds of the operator, a workload's limit both on Deployments and on StatefulSets. The others combine them."""


def own_writes(fault: str) -> Iterator[str]:
    """The own writes of a clean run, as plans name them."""
    for kind, count in COUNTS[fault].items():
        yield from (f"{kind}-{nth}" for nth in range(1, count + 1))


@pytest.mark.parametrize("file", files(), ids=lambda file: file.stem)
def test_every_file_can_be_read(file: Path):
    assert list(plans_of(file))


def test_every_write_has_every_failure_at_every_moment_or_it_is_said_why_not():
    said = space.left_out()

    assert [cell for cell in space.cells() if cell not in PLACED and not any(one.holds(cell) for one in said)] == []


@pytest.mark.parametrize("said", space.left_out(), ids=lambda said: said.reason)
def test_a_reason_leaves_something_out_and_nothing_that_is_planned(said: space.LeftOut):
    held = {cell for cell in space.cells() if said.holds(cell)}

    assert held
    assert held & PLACED.keys() == set()


@pytest.mark.parametrize("failure", space.FAILURES)
def test_every_failure_of_every_kind_of_write_is_met_by_day(failure: str):
    by_day = {
        cell.write.rpartition("-")[0] for cell, plan in PLACED.items() if cell.failure == failure and not plan.nightly
    }

    assert by_day == {cell.write.rpartition("-")[0] for cell in space.cells()}


@pytest.mark.parametrize(
    ("rule", "moment"),
    [
        (Rule("record", ("kill",), nth=2, when="replied"), ("record-2", "kill", "replied")),
        (Rule("record", ("reset",), when="committed"), ("record-1", "reset", "committed")),
        (Rule("status", ("reply 429 2",)), ("status-1", "reply 429", "once")),
        (Rule("status", ("reply 503",), times=3), ("status-1", "reply 503", "a-few-times")),
        (Rule("status", ("reply 503",), times=0, seconds=5), ("status-1", "reply 503", "for-a-while")),
        (Rule("target", ("refuse policy-422",), until_healed=True), ("target-1", "refuse policy-422", "until-healed")),
        (Rule("target", ("refuse policy-422",), times=0), ("target-1", "refuse policy-422", "for-good")),
    ],
)
def test_where_a_plan_stands(rule: Rule, moment: tuple[str, ...]):
    assert space.cell_of(a_plan(Rule("record", ("stop-drill",)), rule)) == space.Cell("memory-limit", *moment)


@pytest.mark.parametrize(
    "plan",
    [
        a_plan(),
        a_plan(Rule("record", ("kill",)), Rule("record", ("kill",))),
        a_plan(Rule("record", ("edit 96Mi", "kill"))),
        a_plan(Rule("record", ("late 9",))),
        a_plan(Rule("record", ("kill",)), down=None),
        a_plan(Rule("record", ("kill",)), watchdog=True),
        a_plan(Rule("target", ("reply 500",), named="deployments/api")),
        a_plan(Rule("get-target", ("reply 500",))),
    ],
)
def test_what_stands_for_something_else_stands_nowhere(plan: Plan):
    assert space.cell_of(plan) is None


def test_two_plans_never_have_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "twice.yaml").write_text("- {name: same}\n- {name: same, story: delete}\n", encoding="utf-8")
    monkeypatch.setattr(catalogue, "PLANS", tmp_path)

    with pytest.raises(ValueError, match="two plans are called same"):
        all_plans()


def test_a_name_is_one_word():
    assert [p.name for p in PLANNED if len(p.name.split()) != 1] == []


def test_a_plan_with_a_word_that_plans_do_not_have_is_refused():
    with pytest.raises(TypeError, match="storry"):
        plan_of({"name": "mistyped", "storry": "stop"})


def test_at_least_six_hundred_run_by_default():
    assert len(BY_DEFAULT) >= 600


def test_at_least_two_hundred_of_them_kill_twice():
    twice = [p for p in BY_DEFAULT if p.name.startswith("kill-twice/")]

    assert len(twice) >= 200
    assert all([r.do for r in p.rules] == [("kill",), ("kill",)] for p in twice)


@pytest.mark.parametrize("fault", FAULT_KINDS)
def test_ci_kills_at_every_own_write_of_every_fault_kind(fault: str):
    in_ci = {p.name for p in PLANNED if p.in_ci}

    assert {f"kill/{fault}/{write}/committed" for write in own_writes(fault)} <= in_ci


def test_what_runs_in_ci_is_neither_slow_nor_of_the_night():
    assert [p.name for p in PLANNED if p.in_ci and (p.slow or p.nightly)] == []


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_a_reference_of_own_writes_and_a_clean_run(fault: str):
    assert COUNTS[fault].keys() <= OWN
    assert f"clean/{fault}" in {p.name for p in PLANNED if not p.rules}


def test_every_fault_and_story_exists():
    assert {p.fault for p in PLANNED} | set(soak.FAULTS) <= set(FAULTS)
    assert {p.story for p in PLANNED} | set(soak.STORIES) <= STORIES.keys()


def test_every_story_is_told_by_some_plan_or_by_the_known_failures():
    assert STORIES.keys() - {p.story for p in PLANNED} <= {"stop-at-once"}


def known(action: str, what: str) -> bool:
    """Whether somebody in the harness knows an action: the proxy, a watch, a process, or people."""
    word = action.partition(" ")[0]
    if what.startswith("watch-"):
        return word in MANNERS or word == "reply"
    return word in ACTIONS or is_to_a_process(action) or word in DOINGS


def test_every_action_is_known():
    unknown = {(p.name, action) for p in PLANNED for r in p.rules for action in r.do if not known(action, r.what)}

    assert unknown == set()


def test_every_refusal_is_known():
    assert {kind for p in PLANNED for kind in p.refusals} == KINDS.keys()


def test_every_rule_waits_for_requests_of_a_kind_that_there_is_and_of_an_actor_that_the_plan_has():
    kinds, reads = WRITES | {"write", "any", *ONCE_AT_LEAST}, ("get-", "list-", "watch-")
    rules = [(p, r) for p in PLANNED for r in p.rules]

    assert [p.name for p, r in rules if r.what not in kinds and not r.what.startswith(reads)] == []
    assert [p.name for p, r in rules if r.actor not in ROLES or (r.actor == "watchdog" and not p.watchdog)] == []
    assert [p.name for p, r in rules if r.after is not None and not 0 <= r.after < p.rules.index(r)] == []


def test_who_loses_the_operator_for_good_has_a_watchdog():
    assert [p.name for p in PLANNED if p.down is None and not p.watchdog] == []


def test_every_verdict_that_is_expected_is_one():
    assert {v for p in PLANNED for v in p.expect.verdict} <= {v.value for v in Verdict}


@pytest.mark.parametrize(
    ("chosen", "among"),
    [
        (None, False),
        ({}, True),
        ({"fault": ["memory-limit"]}, True),
        ({"fault": ["alert"]}, False),
        ({"fault": ["memory-limit"], "write": ["record-2"]}, False),
    ],
)
def test_a_combination_is_in_ci_when_each_name_that_is_given_has_one_of_its_values(chosen, among: bool):
    assert catalogue._among({"fault": "memory-limit", "write": "record-1"}, chosen) is among


def test_a_family_is_spelled_out_with_numbers_as_numbers(tmp_path: Path):
    family = tmp_path / "family.yaml"
    family.write_text(
        "- name: k/{write}\n  for: {fault: [alert], write: each}\n"
        '  plan: {fault: "{fault}", rules: [{what: "{what}", nth: "{nth}", do: kill}]}\n',
        encoding="utf-8",
    )
    plans: list[Plan] = list(plans_of(family))

    assert [p.name for p in plans] == [f"k/{write}" for write in own_writes("alert")]
    assert [(p.rules[0].what, p.rules[0].nth) for p in plans[:2]] == [("finalizer", 1), ("finalizer", 2)]

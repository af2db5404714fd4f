"""`desired: Plan` checks everything and names a plan, and nothing of it ever starts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.machine.world import FIT, START, drill_plan, seen

from kubedrill.api.drill import Desired
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.reducer import reduce
from kubedrill.core.machine.settled import NOT_STORED
from kubedrill.core.machine.state import CheckResult, Observation, State, state_from_wire, state_to_wire
from kubedrill.core.machine.status import project

UNSTEADY = (CheckResult("queue", ok=False, reason="NotSteady", message="queue: 32, must be below 20"),)
BUSY = (CheckResult("busy", ok=False, reason="TargetBusy", message="another drill is on", hard=True),)
DOES = "Deployment/limit limits/memory: 128Mi → 64Mi; restored to 128Mi"


def looked(**changes: Any) -> Observation:
    """A drill that is only to be planned, as it was made (generation 1)."""
    found = seen(**({"desired": Desired.PLAN, "finalizer": False, "generation": 1} | changes))
    return replace(found, plans={name: replace(plan, does=(DOES,)) for name, plan in found.plans.items()})


def settled_otherwise(**changes: Any) -> Observation:
    """The same, but what it would be judged by is another plan by now."""
    return looked(drill_plan=replace(drill_plan(), title="another"), **changes)


def test_it_is_checked_and_planned_and_then_held():
    decision = reduce(State(), looked())
    assert decision.state.phase is Phase.HELD
    assert decision.state.plan
    assert decision.commands == ()


@pytest.mark.parametrize("hours", [1, 1000])
def test_however_long_it_stands_nothing_starts(hours: int):
    state = reduce(State(), looked()).state
    later = reduce(state, looked(now=START + timedelta(hours=hours), finalizer=True))
    assert (later.state.phase, later.commands, later.state.start_ex) == (Phase.HELD, (), None)


@pytest.mark.parametrize("checks", [UNSTEADY, BUSY], ids=["waited for", "hard"])
def test_what_fails_is_told_for_as_long_as_it_does_and_ends_nothing(checks: tuple[CheckResult, ...]):
    state = reduce(State(), looked(checks=checks)).state
    later = reduce(state, looked(checks=checks, now=START + timedelta(hours=1)))
    assert later.state.phase is Phase.PREFLIGHT
    assert state.plan == later.state.plan != ""
    assert checks[0].message in project(later, looked(checks=checks), {})["message"]


def test_what_is_settled_otherwise_at_every_look_is_not_stored_each_time():
    state = reduce(State(), looked(checks=UNSTEADY)).state
    assert reduce(state, settled_otherwise(checks=UNSTEADY)).state.plan == state.plan


def test_what_passes_all_checks_is_stored_as_it_is_then():
    state = reduce(State(), looked(checks=UNSTEADY)).state
    held = reduce(state, settled_otherwise(now=START + timedelta(seconds=5))).state
    assert held.phase is Phase.HELD
    assert held.plan != state.plan
    assert reduce(held, looked(now=START + timedelta(seconds=15))).state.plan == held.plan


def test_an_edit_is_planned_anew():
    held = reduce(State(), looked()).state
    edited = reduce(held, settled_otherwise(generation=2, now=START + timedelta(minutes=1))).state
    assert (edited.phase, edited.planned_for) == (Phase.HELD, 2)
    assert edited.plan != held.plan


def test_one_that_was_held_is_planned_when_that_is_wanted():
    held = reduce(State(), looked(desired=Desired.HOLD)).state
    assert held.plan == ""
    planned = reduce(held, looked(generation=2, now=START + timedelta(minutes=1))).state
    assert planned.phase is Phase.HELD
    assert planned.plan


def test_no_plan_is_named_that_could_not_be_stored():
    refused = (*FIT, CheckResult(NOT_STORED, ok=None, reason="PlanNotStored", message="exceeded quota"))
    state = reduce(State(), looked(checks=refused)).state
    assert (state.phase, state.plan, state.planned_for) == (Phase.PREFLIGHT, "", 0)


def test_to_run_it_everything_is_checked_afresh():
    held = reduce(State(), looked()).state
    assert reduce(held, looked(desired=Desired.RUN, checks=BUSY)).state.phase is Phase.ABORTED
    started = reduce(held, settled_otherwise(desired=Desired.RUN, finalizer=True)).state
    assert started.phase is Phase.ARMED
    assert started.plan != held.plan


def test_a_stop_and_a_deletion_end_it_with_nothing_touched():
    held = reduce(State(), looked()).state
    for ends in ({"desired": Desired.STOP}, {"deleting": True}):
        ended = reduce(held, looked(**ends)).state
        assert (ended.phase, ended.start_ex) == (Phase.STOPPED, None)


def test_the_status_says_what_would_happen_and_keeps_it_while_it_is_held():
    decision = reduce(State(), looked())
    status = project(decision, looked(), {})
    assert status["rehearsal"]["checks"] == [{"name": "all", "passed": True, "reason": None, "message": ""}]
    assert status["rehearsal"]["faults"] == [{"name": "limit", "does": [DOES]}]
    assert status["rehearsal"]["channels"] == []
    later = reduce(decision.state, looked(now=START + timedelta(seconds=10)))
    assert project(later, looked(), status)["rehearsal"] == status["rehearsal"]


def test_once_it_runs_nothing_is_said_of_what_would_happen():
    decision = reduce(State(), seen())
    assert project(decision, seen(), {"rehearsal": {"checks": []}})["rehearsal"] is None


def test_of_which_spec_the_plan_is_outlives_a_restart():
    held = reduce(State(), looked(generation=7)).state
    assert state_from_wire(state_to_wire(held)) == held


def test_a_check_that_holds_and_has_a_warning_is_told_with_it_while_nothing_has_started():
    warned = CheckResult(
        "alerts-told", ok=True, reason="NobodyTold", message="Errors would be held back by silence 6bb7"
    )
    told = project(reduce(State(), looked(checks=(warned,))), looked(checks=(warned,)), {})
    (steady,) = (c for c in told["conditions"] if c["type"] == "SteadyState")

    assert (steady["status"], steady["reason"]) == ("True", "NobodyTold")
    assert steady["message"] == "everything that is checked holds; but Errors would be held back by silence 6bb7"


def test_what_its_channels_say_is_told_and_keeps_it_from_nothing():
    silent = CheckResult("alertmanager", None, "AlertmanagerUnreachable", "it is not let in")
    decision = reduce(State(), looked(channels=(silent,)))
    assert decision.state.phase is Phase.HELD
    assert project(decision, looked(channels=(silent,)), {})["rehearsal"]["channels"] == [
        {"name": "alertmanager", "passed": None, "reason": "AlertmanagerUnreachable", "message": "it is not let in"}
    ]

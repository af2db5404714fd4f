"""The ordinary course of a drill, phase by phase."""

from __future__ import annotations

from datetime import timedelta

from tests.machine.world import START, World, seen

from kubedrill.api.drill import Desired
from kubedrill.api.drill_status import FaultStep
from kubedrill.core.machine.commands import AddFinalizer, InjectFaults
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.reducer import reduce
from kubedrill.core.machine.state import CheckResult, State
from kubedrill.core.measure.results import Verdict
from kubedrill.core.undo.operations import Refusal


def test_the_finalizer_stands_before_anything_is_touched():
    decision = reduce(State(), seen(finalizer=False))
    assert decision.state.phase is Phase.PREFLIGHT
    assert decision.commands == (AddFinalizer(),)


def test_a_fault_is_stored_as_started_in_the_same_decision_that_commands_its_injection():
    decision = reduce(State(), seen())
    assert decision.state.phase is Phase.ARMED
    assert [(f.step, f.attempt) for f in decision.state.faults] == [(FaultStep.STARTED, 1)]
    assert decision.commands == (InjectFaults(("limit",)),)


def test_a_drill_on_hold_checks_everything_and_then_waits():
    decision = reduce(State(), seen(desired=Desired.HOLD))
    assert decision.state.phase is Phase.HELD
    assert not decision.commands


def test_a_held_drill_checks_again_when_it_is_started():
    held = reduce(State(), seen(desired=Desired.HOLD)).state
    refused = (CheckResult("busy", ok=False, reason="TargetBusy", message="another drill is on", hard=True),)
    assert reduce(held, seen(checks=refused)).state.phase is Phase.ABORTED
    assert reduce(held, seen()).state.phase is Phase.ARMED


def test_a_hard_refusal_ends_the_drill_at_once_with_nothing_touched():
    refusal = Refusal("ScenarioNotFound", "there is no DrillScenario x")
    decision = reduce(State(), seen(refusal=refusal, drill_plan=None, finalizer=False))
    assert decision.state.phase is Phase.ABORTED
    assert decision.state.ending is not None
    assert decision.state.ending.reason == "ScenarioNotFound"
    assert not decision.commands
    assert decision.state.start_ex is None


def test_an_unsteady_baseline_is_waited_for_and_then_refused():
    shaky = (CheckResult("queue", ok=False, reason="NotSteady", message="queue: 32, must be below 20"),)
    waiting = reduce(State(), seen(checks=shaky)).state
    assert waiting.phase is Phase.PREFLIGHT
    late = reduce(waiting, seen(checks=shaky, now=START + timedelta(seconds=61)))
    assert late.state.phase is Phase.ABORTED
    assert late.state.ending is not None
    assert late.state.ending.verdict is Verdict.ERROR


def test_play_begins_when_every_fault_was_seen_to_bite():
    world = World(faults=("limit", "queue"))
    world.run(3)
    assert world.stored.phase is Phase.ARMED
    world.bite("limit")
    assert world.turn().state.phase is Phase.ARMED
    world.bite("queue")
    assert world.turn().state.phase is Phase.IN_PLAY


def test_a_fault_that_does_not_bite_is_an_error_and_put_back():
    world = World()
    world.run(3)
    world.now += timedelta(minutes=4)
    decision = world.run(8)
    assert decision.state.phase is Phase.ABORTED
    assert decision.state.ending is not None
    assert decision.state.ending.reason == "FaultNotEffective"
    assert not world.on
    assert not world.records


def test_an_alert_that_never_fires_ends_play_and_fails_the_drill():
    world = World()
    world.run(3)
    world.bite()
    world.run(1)
    world.now += timedelta(minutes=11)
    decision = world.run(8)
    assert decision.state.phase is Phase.COMPLETED
    assert decision.state.ending is not None
    assert decision.state.ending.reason == "AlertNeverFired"
    assert not world.on


def test_a_fault_that_cannot_be_injected_in_time_ends_the_drill_and_says_what_it_waited_for():
    world = World()
    world.run(1)
    for _ in range(200):  # the queue does not answer: no record, no fact, a new attempt each second
        world.now += timedelta(seconds=1)
        decision = world.turn(waiting={"injection": "Redis does not answer"})
    assert decision.state.ending is not None
    assert decision.state.ending.reason == "InjectionFailed"
    assert "Redis does not answer" in decision.state.ending.message

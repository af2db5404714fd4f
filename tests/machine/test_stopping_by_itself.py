"""What must stay well whatever is broken ends a drill when it does not, or when nobody can tell any more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.machine.world import START, World, fact, seen, world_in

from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.machine.commands import Revert
from kubedrill.core.machine.guards import UNCHECKED
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.reducer import reduce
from kubedrill.core.machine.state import State
from kubedrill.core.measure.results import Verdict


def met(world: World) -> None:
    found = fact(FactKind.STOP_CONDITION_MET, world.now, "stop/errors", condition="errors")
    world.facts[found.id] = found


BOTH = pytest.mark.parametrize("phase", [Phase.ARMED, Phase.IN_PLAY])


@BOTH
def test_a_condition_that_is_met_puts_everything_back_and_stops_the_drill(phase):
    world = world_in(phase)
    met(world)
    decision = world.turn()
    assert decision.state.phase is Phase.RECOVERING
    assert Revert("undo-limit") in decision.commands
    assert world.run(8).state.phase is Phase.STOPPED
    assert not world.on
    ending = world.stored.ending
    assert ending is not None
    assert (ending.reason, ending.verdict) == ("StopConditionMet", Verdict.STOPPED)


def test_a_condition_that_was_met_for_a_moment_stops_the_drill_all_the_same():
    world = world_in(Phase.IN_PLAY)
    met(world)
    world.now += timedelta(minutes=1)
    assert world.turn().state.phase is Phase.RECOVERING


@BOTH
def test_a_condition_that_nobody_can_ask_for_stops_the_drill_after_a_minute(phase):
    world = world_in(phase)
    known = world.now
    world.now = known + UNCHECKED - timedelta(milliseconds=1)
    assert world.turn(unchecked={"errors": known}).state.phase is phase
    world.now = known + UNCHECKED
    decision = world.turn(unchecked={"errors": known})
    assert decision.state.phase is Phase.RECOVERING
    assert decision.state.ending is not None
    assert decision.state.ending.reason == "StopConditionUnknown"
    assert decision.state.ending.verdict is Verdict.STOPPED
    assert "errors" in decision.state.ending.message


def test_before_anything_is_touched_the_checks_tell_and_nothing_is_stopped():
    assert reduce(State(), seen(unchecked={"errors": START - timedelta(hours=1)})).state.phase is not Phase.STOPPED


def test_a_stop_by_the_facilitator_is_told_as_such_although_a_condition_is_met():
    world = world_in(Phase.IN_PLAY)
    met(world)
    decision = world.turn(deleting=True)
    assert decision.state.ending is not None
    assert decision.state.ending.reason == "Deleted"

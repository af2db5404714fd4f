"""Whatever ends a drill, and whenever: everything is put back, once, and said."""

from __future__ import annotations

import pytest
from tests.machine.world import World, fact

from kubedrill.api.drill import Desired
from kubedrill.api.drill_status import FaultStep
from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.machine.commands import CloseRecord, RemoveFinalizer, Revert
from kubedrill.core.machine.phases import TABLE, TERMINAL, Phase
from kubedrill.core.machine.state import State
from kubedrill.core.measure.results import Verdict


@pytest.mark.parametrize("turns", range(6), ids=lambda n: f"after {n} turns")
@pytest.mark.parametrize("how", [{"desired": Desired.STOP}, {"deleting": True}], ids=["stopped", "deleted"])
def test_a_stop_at_any_moment_leads_to_everything_reverted(turns, how):
    world = World(faults=("limit", "queue"))
    world.run(turns)
    decision = world.run(10, **how)
    assert decision.state.phase is Phase.STOPPED
    assert not world.on
    assert not world.records


def test_a_deleted_drill_may_go_only_when_everything_is_put_back():
    world = World()
    world.run(3)
    assert world.on == {"limit"}
    decision = world.turn(deleting=True)
    assert Revert("undo-limit") in decision.commands
    assert not world.gone
    world.obey(decision.commands)
    world.run(8, deleting=True)
    assert world.gone


def test_an_ended_drill_keeps_no_finalizer_so_that_it_can_be_deleted_without_us():
    world = World()
    world.run(3)
    world.run(10, desired=Desired.STOP)
    assert not world.finalizer


def test_a_drill_that_is_on_keeps_its_finalizer():
    world = World()
    world.run(3)
    world.bite()
    world.run(3)
    assert world.finalizer


def test_an_ended_drill_keeps_its_finalizer_for_a_record_that_turns_up_late():
    world = World(stored=State(Phase.STOPPED), records={"limit": "Intended"}, finalizer=True)
    assert RemoveFinalizer() not in world.turn(deleting=True).commands


def test_a_record_is_deleted_only_after_its_outcome_stands_in_the_status():
    world = World()
    world.run(3)
    world.obey(world.turn(desired=Desired.STOP).commands)
    assert world.records == {"limit": "Reverted"}
    decision = world.turn(desired=Desired.STOP)
    assert "undo-limit" in decision.state.closed
    assert CloseRecord("undo-limit") in decision.commands


def test_a_record_that_the_status_does_not_know_of_is_put_back():
    world = World()
    world.records["limit"] = "Injected"
    world.on.add("limit")
    decision = world.run(8)
    assert decision.state.ending is not None
    assert decision.state.ending.reason == "StatusLost"
    assert decision.state.ending.verdict is Verdict.ERROR
    assert not world.on
    assert not world.records


def test_an_injection_that_fails_ends_the_drill_and_puts_the_others_back():
    world = World(faults=("limit", "queue"))
    world.run(1)
    world.obey([])
    world.intend("limit")
    world.inject("limit")
    world.facts["failed"] = fact(
        FactKind.FAULT_FAILED,
        world.now,
        "failed",
        fault="queue",
        attempt=world.stored.fault("queue").attempt,
        message="forbidden",
    )
    decision = world.run(8)
    assert decision.state.phase is Phase.ABORTED
    assert decision.state.ending is not None
    assert "forbidden" in decision.state.ending.message
    assert not world.on
    assert not world.records


def test_an_attempt_without_a_record_counts_as_reverted_and_a_new_one_is_stored_first():
    world = World()
    world.run(1)
    world.stored = world.turn().state
    first = world.stored.fault("limit")
    world.records.clear()
    world.facts.clear()
    world.on.clear()
    again = world.turn().state.fault("limit")
    assert again.step is FaultStep.STARTED
    assert again.attempt == first.attempt + 1


def test_a_finished_drill_still_puts_back_a_record_that_turns_up():
    world = World()
    world.run(3)
    world.run(10, desired=Desired.STOP)
    world.records["limit"] = "Intended"
    world.run(3, desired=Desired.STOP)
    assert not world.records


def test_the_only_way_to_an_end_from_where_something_was_touched_leads_through_recovering():
    touched = {Phase.ARMED, Phase.IN_PLAY}
    assert {edge.to for phase in touched for edge in TABLE[phase]} <= {*touched, Phase.RECOVERING}
    assert [edge.to for edge in TABLE[Phase.RECOVERING]] == [Phase.HOT_WASH]
    assert all(not TABLE[phase] for phase in TERMINAL)

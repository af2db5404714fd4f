"""An ended drill is deleted `ttlAfterFinished` after its end, and only if nothing is lost or left broken with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import share_of
from tests.machine.test_whatever_is_seen import observations, states
from tests.machine.world import START, World, touched

from kubedrill.api.drill import Desired
from kubedrill.api.drill_status import FaultStep
from kubedrill.core.machine.commands import DeleteDrill, WriteReport
from kubedrill.core.machine.expiry import AGAIN, expires_at
from kubedrill.core.machine.phases import TERMINAL, Phase
from kubedrill.core.machine.reducer import Decision, reduce
from kubedrill.core.machine.state import Observation, RecordSeen, State
from kubedrill.core.measure.results import FieldOutcome
from kubedrill.core.undo.health import Health
from kubedrill.core.undo.patches import FieldEnd

TTL = timedelta(hours=1)
OPEN_RECORD = RecordSeen("undo-limit", "Injected", ("limit",), "Deployment/limit", touches={"limit": touched("limit")})


def ended() -> World:
    """A drill that was played, stopped, restored and reported."""
    world = World()
    world.run(3)
    assert world.run(12, desired=Desired.STOP).state.phase is Phase.STOPPED
    assert (world.finalizer, world.records, world.reported) == (False, {}, 1)
    return world


def end_of(world: World) -> Observation:
    """What is seen of it at the very moment at which it may be deleted."""
    assert world.stored.since is not None
    return world.look(now=world.stored.since + TTL, ttl=TTL)


def deletes(decision: Decision) -> bool:
    return DeleteDrill() in decision.commands


def test_it_is_deleted_when_its_time_is_over_and_nothing_else_is_done_with_it():
    world = ended()
    decision = reduce(world.stored, end_of(world))
    assert decision.commands == (DeleteDrill(),)
    assert decision.state == world.stored


def test_until_then_it_is_looked_at_no_more():
    world = ended()
    seen = end_of(world)
    early = reduce(world.stored, replace(seen, now=seen.now - timedelta(milliseconds=1)))
    assert (early.commands, early.wake_at) == ((), None)
    assert expires_at(world.stored, TTL) == seen.now


def test_its_time_counts_from_the_end_and_no_pace_divides_it():
    world = ended()
    assert world.stored.since is not None
    assert world.stored.end_ex is not None
    assert world.stored.since >= world.stored.end_ex
    assert expires_at(world.stored, TTL) == world.stored.since + TTL


def test_no_time_at_all_is_the_next_turn():
    world = ended()
    assert deletes(world.turn(ttl=timedelta(0)))


def test_without_it_a_drill_stays_for_ever():
    world = ended()
    decision = reduce(world.stored, replace(end_of(world), now=START + timedelta(days=3650), ttl=None))
    assert (decision.commands, decision.wake_at) == ((), None)


def test_a_deletion_that_is_refused_is_tried_again_but_not_at_once():
    world = ended()
    seen = end_of(world)
    assert reduce(world.stored, seen).wake_at == seen.now + AGAIN


def test_one_that_is_being_deleted_is_not_deleted_again():
    world = ended()
    decision = reduce(world.stored, replace(end_of(world), deleting=True))
    assert not deletes(decision)
    assert decision.wake_at is None


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"reported": 0}, id="the report is not there, or can't be read now"),
        pytest.param({"records": (OPEN_RECORD,)}, id="an undo record is open"),
        pytest.param({"records": (replace(OPEN_RECORD, state="Reverted"),)}, id="an undo record is not closed"),
        pytest.param({"records": (RecordSeen("undo-limit", "Unreadable", ()),)}, id="an undo record can't be read"),
        pytest.param({"finalizer": True}, id="its finalizer is on"),
    ],
)
def test_it_stays_while(changes: dict[str, object]):
    world = ended()
    decision = reduce(world.stored, replace(end_of(world), **changes))  # type: ignore[arg-type]
    assert not deletes(decision)
    assert decision.wake_at is not None
    assert decision.wake_at > START


def test_it_stays_while_its_workloads_are_waited_for():
    world = ended()
    assert world.stored.since is not None
    unwell = Health("Deployment/limit", wanted=3, ready=1)
    soon = world.look(now=world.stored.since + timedelta(minutes=1), ttl=timedelta(0), health=(unwell,))
    assert not deletes(reduce(world.stored, soon))
    assert deletes(reduce(world.stored, replace(soon, health=(replace(unwell, ready=3),))))


def test_evidence_that_came_later_gets_into_the_report_first():
    world = ended()
    decision = reduce(world.stored, replace(end_of(world), imported="audit-1"))
    assert WriteReport(2) in decision.commands
    assert not deletes(decision)
    world.stored = replace(world.stored, reported=2, imported="audit-1")
    assert deletes(reduce(world.stored, replace(end_of(world), imported="audit-1", report_import="audit-1")))


def test_evidence_that_no_report_can_tell_any_more_keeps_it():
    world = ended()
    assert not deletes(reduce(world.stored, replace(end_of(world), imported="audit-1", drill_plan=None)))


@pytest.mark.parametrize("end", [FieldEnd.UNVERIFIED, FieldEnd.NOT_RESTORED, FieldEnd.CARRIED_OVER])
def test_one_whose_field_is_not_back_is_kept_whoever_let_it_end(end: FieldEnd):
    world = ended()
    world.stored = replace(
        world.stored, outcomes=(FieldOutcome("Deployment/limit", "/spec/a", "1", "2", "2", end.value),)
    )
    assert expires_at(world.stored, TTL) is None


@pytest.mark.parametrize("step", sorted(set(FaultStep) - {FaultStep.REVERTED, FaultStep.PLANNED}))
def test_one_whose_fault_is_not_verified_to_be_out_is_kept(step: FaultStep):
    world = ended()
    world.stored = world.stored.with_faults(replace(f, step=step) for f in world.stored.faults)
    assert expires_at(world.stored, TTL) is None


def test_one_that_ended_before_it_had_anything_to_report_is_kept():
    world = World()
    assert world.run(3, desired=Desired.STOP).state.phase is Phase.STOPPED
    assert not deletes(world.turn(now=START + timedelta(days=1), ttl=timedelta(0)))


@settings(deadline=None, max_examples=share_of(200))
@given(states, observations(), st.sampled_from([None, timedelta(0), timedelta(minutes=10), TTL]))
def test_whatever_is_seen_nothing_is_deleted_too_early_or_with_anything_left(
    state: State, observation: Observation, ttl: timedelta | None
):
    seen = replace(observation, ttl=ttl)
    decision = reduce(state, seen)
    if not deletes(decision):
        return
    assert ttl is not None
    assert decision.commands == (DeleteDrill(),)
    assert decision.state.phase in TERMINAL
    assert decision.state.since is not None
    assert seen.now >= decision.state.since + ttl
    assert (seen.records, seen.finalizer, seen.deleting, dict(decision.unverified)) == ((), False, False, {})
    assert {f.step for f in decision.state.faults} <= {FaultStep.REVERTED, FaultStep.PLANNED}
    assert decision.state.restored
    assert seen.reported


@settings(deadline=None, max_examples=share_of(100))
@given(states, observations(), st.sampled_from([timedelta(0), TTL]))
def test_it_changes_nothing_else_of_what_is_decided(state: State, observation: Observation, ttl: timedelta):
    with_it, without = reduce(state, replace(observation, ttl=ttl)), reduce(state, observation)
    assert with_it.state == without.state
    assert [c for c in with_it.commands if c != DeleteDrill()] == list(without.commands)
    assert without.wake_at is None or with_it.wake_at == without.wake_at

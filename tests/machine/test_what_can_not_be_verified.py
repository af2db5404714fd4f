"""A record that can't be read, was exchanged or has vanished: unknown, never restored, until somebody decides."""

from __future__ import annotations

import pytest
from tests.machine.world import World, fact, touched

from kubedrill.api.drill import Desired
from kubedrill.api.drill_status import FaultStep
from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.machine.commands import CloseRecord, InjectFaults, RemoveFinalizer, Revert
from kubedrill.core.machine.phases import TERMINAL, Phase
from kubedrill.core.machine.state import RecordSeen
from kubedrill.core.measure.results import Verdict

STOP = {"desired": Desired.STOP}


def on(*faults: str) -> World:
    """A drill whose faults are in."""
    world = World(faults=faults or ("limit",))
    world.run(3)
    assert world.on == set(world.faults)
    return world


def vanished() -> World:
    """Somebody has removed the record of a fault that is in."""
    world = on("limit", "queue")
    del world.records["limit"]
    return world


def damaged() -> World:
    """Somebody has made the record of a fault that is in unreadable."""
    world = on("limit", "queue")
    world.unread.add("limit")
    return world


DOUBTS = pytest.mark.parametrize("world", [vanished, damaged], ids=["vanished", "damaged"])
WHENEVER = pytest.mark.parametrize("how", [{}, STOP, {"deleting": True}], ids=["in play", "stopped", "deleted"])


@DOUBTS
@WHENEVER
def test_the_drill_is_an_error_that_does_not_end_and_everything_else_is_put_back(world, how):
    world = world()
    decision = world.run(10, **how)
    assert decision.state.phase is Phase.RECOVERING
    assert decision.state.ending is not None
    assert decision.state.ending is not None
    assert decision.state.ending.verdict is Verdict.ERROR
    assert world.on == {"limit"}
    assert world.finalizer
    assert decision.state.restored is None
    assert list(decision.unverified) == ["undo-limit"]


@DOUBTS
def test_its_fields_are_unverified_with_the_values_for_people(world):
    decision = world().run(10, **STOP)
    (field,) = [o for o in decision.state.outcomes if o.target == "Deployment/limit"]
    assert (field.outcome, field.path, field.before, field.after) == ("Unverified", "/spec/minReadySeconds", "1", "2")


def test_what_is_lost_is_told_with_what_to_put_back_by_hand():
    decision = vanished().run(10, **STOP)
    fault = decision.state.fault("limit")
    assert fault.step is FaultStep.UNVERIFIED
    assert "Restore by hand: Deployment/limit /spec/minReadySeconds: 1 (the drill made it 2)" in fault.message
    assert "break-glass.md" in decision.unverified["undo-limit"]


@pytest.mark.parametrize("how", [STOP, {"deleting": True}], ids=["stopped", "deleted"])
def test_a_record_that_is_readable_again_is_put_back(how):
    world = damaged()
    world.run(10, **how)
    world.unread.clear()
    decision = world.run(10, **how)
    assert not world.on
    assert decision.state.phase in TERMINAL
    assert {o.outcome for o in decision.state.outcomes} <= {"Restored"}
    assert not world.finalizer


def test_a_record_that_comes_back_from_a_backup_is_put_back():
    world = vanished()
    world.run(10, **STOP)
    world.records["limit"] = "Injected"
    decision = world.run(10, **STOP)
    assert not world.on
    assert decision.state.fault("limit").step is FaultStep.REVERTED


def test_what_somebody_put_back_by_hand_is_seen_and_the_drill_ends():
    world = vanished()
    world.run(10, **STOP)
    world.on.clear()
    decision = world.run(10, **STOP)
    assert decision.state.phase is Phase.ABORTED
    assert decision.state.restored is not None
    assert "Unverified" not in {o.outcome for o in decision.state.outcomes}


def test_with_a_target_that_can_not_be_read_it_stays_unknown():
    world = vanished()
    world.on.clear()
    world.blind = True
    assert world.run(10, **STOP).state.phase is Phase.RECOVERING


def test_who_may_can_let_it_end_as_what_it_is():
    world = vanished()
    world.run(5, **STOP)
    decision = world.run(10, accepted="emma", **STOP)
    assert decision.state.phase is Phase.ABORTED
    assert decision.state.restored is None
    assert [o.outcome for o in decision.state.outcomes if o.target == "Deployment/limit"] == ["Unverified"]
    assert any("emma" in note for note in decision.state.notes)
    assert not world.finalizer


def test_accepting_does_not_take_a_record_that_is_there_for_gone():
    world = damaged()
    decision = world.run(10, accepted="emma", **STOP)
    assert decision.state.phase is Phase.RECOVERING
    assert world.finalizer


@WHENEVER
def test_a_record_that_says_something_else_than_when_it_was_stored_is_neither_carried_out_nor_closed(how):
    world = on()
    for state in ("Injected", "Reverting", "Reverted"):
        forged = RecordSeen(
            "undo-limit", state, ("limit",), fingerprint="1-forged", touches={"limit": touched("other")}
        )
        decision = world.turn(records=(forged,), **how)
        assert not [
            c for c in decision.commands if isinstance(c, InjectFaults | Revert | CloseRecord | RemoveFinalizer)
        ]
        assert "something else" in decision.unverified["undo-limit"]
        assert "undo-limit" not in decision.state.closed
    world.turn(**STOP)
    world.run(10, **STOP)
    assert not world.on, "the record as it was is restored"


def started() -> World:
    """The operator dies after it has stored that it starts."""
    world = World()
    while not world.stored.faults or world.stored.fault("limit").step is not FaultStep.STARTED:
        world.obey(c for c in world.turn().commands if not isinstance(c, InjectFaults))
    return world


def test_started_without_a_record_is_started_anew_when_a_live_read_shows_nothing():
    world = started()
    assert InjectFaults(("limit",)) in world.turn().commands
    assert world.stored.fault("limit").attempt == 2


def test_started_without_a_record_but_with_the_fault_in_is_never_injected_again():
    world = started()
    world.on.add("limit")
    decision = world.run(8)
    assert world.injections == {}
    assert decision.state.fault("limit").step is FaultStep.UNVERIFIED
    assert decision.state.ending is not None
    assert decision.state.ending.verdict is Verdict.ERROR
    assert world.finalizer


@pytest.mark.parametrize("how", [{}, STOP], ids=["armed", "stopped"])
def test_started_without_a_record_waits_while_the_target_can_not_be_read(how):
    world = started()
    world.blind = True
    assert not [c for c in world.turn(**how).commands if isinstance(c, InjectFaults)]
    assert world.stored.fault("limit").step is FaultStep.STARTED
    world.blind = False
    assert world.run(8, **how).state.phase is not Phase.RECOVERING


@pytest.mark.parametrize(
    ("there", "step"),
    [(False, FaultStep.REVERTED), (True, FaultStep.UNVERIFIED)],
    ids=["nothing of it is there", "its fault is in: the record was removed under its hands"],
)
def test_of_an_attempt_that_failed_and_has_no_record_a_live_read_tells(there: bool, step: FaultStep):
    world = started()
    world.on |= {"limit"} if there else set()
    attempt = world.stored.fault("limit").attempt
    world.facts["failed"] = fact(
        FactKind.FAULT_FAILED, world.now, "failed", fault="limit", attempt=attempt, message="busy"
    )
    decision = world.run(8)
    assert decision.state.fault("limit").step is step
    assert (decision.state.phase is Phase.ABORTED) is not there

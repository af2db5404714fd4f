"""That a fault went in and was put back is told by its undo record, whoever wrote it and whatever died since."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from kubedrill.controller.recorded_facts import recorded_facts
from kubedrill.core.evidence.facts import FactKind, Interval
from kubedrill.core.machine.state import RecordSeen
from kubedrill.core.measure.results import FieldOutcome
from kubedrill.core.undo.record import DrillIdentity, FieldGroup, FieldUndo, Outcome, RecordState, UndoRecord
from kubedrill.protocol.seen import record_seen
from kubedrill.store.undo_records import RecordRef, StoredRecord

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ERROR = timedelta(milliseconds=50)
PATH = "/spec/minReadySeconds"
INTENDED = UndoRecord(
    DrillIdentity("u", "d", "drills"),
    "undo-1",
    "Deployment/web",
    (FieldGroup("limit", (FieldUndo(PATH, 0, 15),)),),
    "manager-1",
    NOON,
    NOON,
)
INJECTED = INTENDED.moved_to(RecordState.INJECTED, injected=Interval(NOON, NOON + ERROR))


def reverted(outcome: str) -> UndoRecord:
    field = FieldOutcome("Deployment/web", PATH, "0", "15", "0", outcome)
    end = Outcome("Watchdog", NOON + timedelta(minutes=2), (field,))
    return replace(INJECTED, state=RecordState.REVERTED, restored_at=NOON + timedelta(minutes=1), outcome=end)


def test_an_intent_is_no_injection():
    assert list(recorded_facts([INTENDED], ERROR)) == []


def test_an_injection_keeps_the_instants_at_which_it_was_written():
    (fact,) = recorded_facts([INJECTED], ERROR)
    assert (fact.kind, fact.at, fact.detail["fault"]) == (FactKind.FAULT_INJECTED, INJECTED.injected, "limit")


def test_what_was_put_back_tells_when_by_whom_and_whether_anything_was_written():
    _, fact = recorded_facts([reverted("Restored")], ERROR)
    assert (fact.kind, fact.at) == (FactKind.FAULT_REVERTED, Interval.at(NOON + timedelta(minutes=1), ERROR))
    assert (fact.detail["by"], fact.detail["wrote"]) == ("Watchdog", True)


def test_what_a_player_had_put_back_was_written_by_nobody_else():
    _, fact = recorded_facts([reverted("Untouched")], ERROR)
    assert fact.detail["wrote"] is False


def beside(generation: int, value: int) -> RecordSeen:
    """A record beside its target, whose fault holds a rollout."""
    fields = (FieldUndo("/spec/template/x", 1, 2), FieldUndo(PATH, 0, 330))
    record = replace(INJECTED, groups=(FieldGroup("limit", fields),), target_uid="u1", generation=4)
    target = {"metadata": {"uid": "u1", "generation": generation}, "spec": {"template": {"x": value}}}
    return record_seen(StoredRecord(record, RecordRef("drills", "undo-1"), "s1", "7"), target)


def test_a_target_that_was_last_seen_without_the_fault_shows_that_it_was_taken_out():
    seen = beside(generation=6, value=1)
    assert (seen.held, seen.taken_out) == (True, True)


def test_a_target_with_the_fault_does_not():
    assert not beside(generation=6, value=2).taken_out


def test_a_watch_that_has_not_told_of_the_injection_yet_shows_no_repair():
    assert not beside(generation=4, value=1).taken_out

"""What the drill itself wrote, as the watches must know it so that it is not taken for somebody's change."""

from __future__ import annotations

from datetime import UTC, datetime

from kubedrill.controller.recorded_facts import own_writes
from kubedrill.core.undo.operations import ABSENT
from kubedrill.core.undo.record import DrillIdentity, FieldGroup, FieldUndo, UndoRecord
from kubedrill.plugins.sources.base import OwnWrites
from kubedrill.store.undo_records import RecordRef, StoredRecord

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PATH = "/spec/minReadySeconds"


def stored(before: object, after: object) -> StoredRecord:
    """A record of one field."""
    group = FieldGroup("limit", (FieldUndo(PATH, before, after),))
    record = UndoRecord(DrillIdentity("u", "d", "drills"), "undo-1", "Deployment/web", (group,), "manager-1", NOW, NOW)
    return StoredRecord(record, RecordRef("drills", "undo-1"), "uid", "1")


def test_a_field_that_was_not_there_is_told_as_the_watch_sees_it():
    own = own_writes([stored(ABSENT, 15)], OwnWrites())
    assert own.values == {("Deployment/web", PATH, None), ("Deployment/web", PATH, 15)}


def test_what_an_earlier_record_told_stays_true_when_it_is_closed():
    own = own_writes([], own_writes([stored(0, 15)], OwnWrites()))
    assert own.managers == {"manager-1"}

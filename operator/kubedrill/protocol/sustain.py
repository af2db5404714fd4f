"""Operations outside the API server: brought to where they should be by now, again and again."""

from __future__ import annotations

from datetime import timedelta

from kubedrill.core.undo.operations import Ask, Refusal
from kubedrill.core.undo.record import Again, Done, FieldGroup, OutsideGroup, Progress, UndoRecord
from kubedrill.plugins.operations.base import Reverters
from kubedrill.store.undo_records import StoredRecord


async def sustain(stored: StoredRecord, reverters: Reverters) -> timedelta | None:
    """Go on with an injection that takes time (jobs at a rate, an alert to refresh). When to call again."""
    steps = [await brought_on(stored.record, group, reverters) for group in stored.record.groups]
    return min((step.after for step in steps if isinstance(step, Again)), default=None)


async def brought_on(record: UndoRecord, group: FieldGroup | OutsideGroup, reverters: Reverters) -> Progress | Refusal:
    """An operation that changes no fields, brought to where it should be by now."""
    if isinstance(group, FieldGroup) or isinstance(group.operation, Ask):
        return Done()
    return await reverters[type(group.operation)].inject(record, group)

"""The undo records as the machine sees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from kubedrill.core.machine.state import RecordSeen, State
from kubedrill.core.machine.unverified import UNREADABLE
from kubedrill.core.undo.genuine import fingerprint
from kubedrill.core.undo.record import RecordState, UndoRecord
from kubedrill.core.undo.release import holding, taken_out
from kubedrill.core.undo.touches import recorded_touches
from kubedrill.store.undo_records import Listing, StoredRecord, UnreadableRecord

Targets = Mapping[str, Mapping[str, Any] | None]


def record_seen(stored: StoredRecord, target: Mapping[str, Any] | None = None) -> RecordSeen:
    """An undo record as the machine sees it, beside its target as it was seen last (None: not seen)."""
    record, outcome = stored.record, stored.record.outcome
    return RecordSeen(
        record.name,
        record.state.value,
        record.faults,
        record.subject,
        fields=outcome.fields if outcome and record.state is RecordState.REVERTED else (),
        by=outcome.by if outcome else "",
        notes=outcome.notes if outcome else (),
        restored=record.restored_at is not None or record.state is RecordState.REVERTED,
        held=bool(holding(record)),
        taken_out=target is not None and _is_newer(target, record) and taken_out(record, target),
        fingerprint=fingerprint(record),
        touches=recorded_touches(record),
    )


def _is_newer(target: Mapping[str, Any], record: UndoRecord) -> bool:
    """Whether a target was seen after its injection: a watch may tell of that a moment later than its answer."""
    return int(target["metadata"].get("generation", 0)) > record.generation


def records_seen(
    listing: Listing, drill_uid: str, state: State, targets: Targets = MappingProxyType({})
) -> tuple[RecordSeen, ...]:
    """All records of a drill, those that can't be read too: known by their label, or by what the drill has noted.

    `targets` are their targets as they were seen last, by the record's name.
    """
    noted = {f.record for f in state.faults if f.record} - set(state.closed)
    unread = (one for one in listing.unreadable if one.drill_uid == drill_uid or one.ref.name in noted)
    read = (record_seen(one, targets.get(one.ref.name)) for one in listing.of(drill_uid).readable)
    return (*read, *unread_seen(unread))


def unread_seen(unreadable: Iterable[UnreadableRecord]) -> tuple[RecordSeen, ...]:
    """Records that can't be read."""
    return tuple(RecordSeen(one.ref.name, UNREADABLE, (), why=one.why) for one in unreadable)

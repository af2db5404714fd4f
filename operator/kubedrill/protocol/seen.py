"""The undo records as the machine sees them."""

from __future__ import annotations

from collections.abc import Iterable

from kubedrill.core.genuine import fingerprint
from kubedrill.core.state import RecordSeen, State
from kubedrill.core.touches import recorded_touches
from kubedrill.core.undo_record import RecordState
from kubedrill.core.unverified import UNREADABLE
from kubedrill.protocol.records import Listing, StoredRecord, UnreadableRecord


def record_seen(stored: StoredRecord) -> RecordSeen:
    """An undo record as the machine sees it."""
    record, outcome = stored.record, stored.record.outcome
    return RecordSeen(
        record.name, record.state.value, record.faults, record.subject,
        fields=outcome.fields if outcome and record.state is RecordState.REVERTED else (),
        by=outcome.by if outcome else "", notes=outcome.notes if outcome else (),
        fingerprint=fingerprint(record), touches=recorded_touches(record),
    )


def records_seen(listing: Listing, drill_uid: str, state: State) -> tuple[RecordSeen, ...]:
    """All records of a drill, those that can't be read too: known by their label, or by what the drill has noted."""
    noted = {f.record for f in state.faults if f.record} - set(state.closed)
    unread = (one for one in listing.unreadable if one.drill_uid == drill_uid or one.ref.name in noted)
    return (*map(record_seen, listing.of(drill_uid).readable), *unread_seen(unread))


def unread_seen(unreadable: Iterable[UnreadableRecord]) -> tuple[RecordSeen, ...]:
    """Records that can't be read."""
    return tuple(RecordSeen(one.ref.name, UNREADABLE, (), why=one.why) for one in unreadable)

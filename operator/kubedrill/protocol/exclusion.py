"""One active drill a target namespace: locked by the records themselves, not only checked beforehand.

A record locks its target. That no other drill is on elsewhere in the namespace is asked of the list of records,
once all of one's own are stored and before the first patch; a drill goes on only if nobody else's is there.

Why two never go on together: let A and B both have stored their first record and then listed. Of the two lists,
one was taken after both had stored: had each been taken before the other drill stored, then A stored < A listed
< B stored < B listed < A stored. A list is a quorum read, so that one shows the other's record, unless it was
closed or Reverted by then; and a record becomes Reverted only after its target was put back or fenced against
its late patch. So whoever is shown nobody is the only one who is in or may still get in.

Why one of them does: a record that is in wins. Of drills that have only stored their intent, the one whose intent
is the oldest (the UID decides between equals) waits until the others, which are told that they are refused, have
taken theirs back. Records tell both sides the same, so they agree; if they ever did not, neither would go on.

A record that can't be read is in the way of every drill on the namespace that its label names, and of all drills
where it has none: nobody knows what it locks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from kubedrill.core.undo.record import DrillIdentity, RecordState, UndoRecord
from kubedrill.protocol.outcomes import Injection
from kubedrill.store.undo_records import UnreadableRecord


@dataclass(frozen=True, slots=True)
class NamespaceConflict:
    """Another drill on the namespace: Refused, or Pending while it takes its intent back."""

    state: Injection
    message: str


def in_the_way(
    drill: DrillIdentity, stored: Collection[UndoRecord], unreadable: Collection[UnreadableRecord] = ()
) -> NamespaceConflict | None:
    """What the records of the control namespace say to a drill whose own are among them."""
    mine = [r for r in stored if r.drill.uid == drill.uid]
    spaces = {r.target_namespace for r in mine} - {""}
    unread = sorted(one.ref.name for one in unreadable if may_lock(one, spaces))
    if unread:
        return NamespaceConflict(
            Injection.REFUSED,
            f"whether another drill is on {', '.join(sorted(spaces))} is unknown: undo"
            f" record {', '.join(unread)} can't be read (see docs/how-to/break-glass.md)",
        )
    known = {(r.subject_namespace, r.namespace_uid) for r in mine if r.subject_namespace in spaces}
    # Without a subject of one's own in it, its UID is not known, and a record of its name holds it.
    known |= {(name, "") for name in spaces - {name for name, _ in known}}
    others = [
        r
        for r in stored
        if r.drill.uid != drill.uid
        and r.state is not RecordState.REVERTED
        and any(r.is_on(name, uid) for name, uid in known)
    ]
    if not others:
        return None
    names = ", ".join(sorted({f"{r.drill.namespace}/{r.drill.name}" for r in others}))
    said = f"{', '.join(sorted(spaces))} is the target of drill {names}"
    if any(_may_be_in(r) for r in others) or _age(mine) > min(_age([r]) for r in others):
        return NamespaceConflict(Injection.REFUSED, f"{said}, which is not restored yet")
    return NamespaceConflict(Injection.PENDING, f"{said}, which came later and is to take its intent back")


def may_lock(unreadable: UnreadableRecord, spaces: Iterable[str]) -> bool:
    """Whether a record that can't be read may be one of a drill on these namespaces."""
    return not unreadable.target_namespace or unreadable.target_namespace in spaces


def _may_be_in(record: UndoRecord) -> bool:
    """Whether its fault was seen to be in. One that is reverted before it was is only taking its intent back."""
    return record.state is RecordState.INJECTED or record.injected is not None


def _age(records: Iterable[UndoRecord]) -> tuple[datetime, str]:
    """When a drill first stored an intent; smaller is older."""
    return min((r.intended_at, r.drill.uid) for r in records)

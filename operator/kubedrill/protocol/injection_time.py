"""When an injection landed of which nobody knows the answer: bounded by what the target itself tells."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from kubedrill.core.evidence.facts import Interval
from kubedrill.core.undo.ownership import entry_of
from kubedrill.core.undo.patches import Applied, landed
from kubedrill.core.undo.record import UndoRecord
from kubedrill.protocol.clock import Clock


def since(record: UndoRecord, seen: dict[str, Any], clock: Clock) -> Interval:
    """By our entry's time if it still stands, else any time since it was intended."""
    start, end = record.intended_at - clock.error, clock.now() + clock.error
    entry = entry_of(seen["metadata"].get("managedFields") or (), record.manager)
    if entry is None or "time" not in entry:
        return Interval(start, end)
    second = datetime.fromisoformat(entry["time"])
    # managedFields.time is the API server's own, cut to whole seconds
    known = Interval(start, end).intersection(Interval(second, second + timedelta(seconds=1)))
    return known or Interval(start, end)


def found_in(
    record: UndoRecord, seen: dict[str, Any] | None, restoring: tuple[str, ...], clock: Clock
) -> Interval | None:
    """The record's injection: as it was written, or as whoever reverts finds it in the target.

    It is found where all of it stands, or any of it is about to be put back (somebody has changed the rest). Once
    it is in, no other of the drill's patches can land: each carries a resourceVersion that is past by now.
    """
    if record.injected is None and seen is not None and (restoring or landed(record, seen) is Applied.YES):
        return since(record, seen, clock)
    return record.injected

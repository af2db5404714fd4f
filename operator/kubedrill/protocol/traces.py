"""Whether something of a fault is there, by a live read: for a fault whose undo record is not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from kubedrill.core.machine.state import FaultState
from kubedrill.core.undo.operations import Target
from kubedrill.core.undo.record import UndoRecord
from kubedrill.core.undo.touches import Touch
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.protocol.objects import Inconclusive, read_target
from kubedrill.store.undo_records import StoredRecord


async def traces_of(kube: Kube, faults: Iterable[FaultState], others: Iterable[StoredRecord]) -> dict[str, bool | None]:
    """For each fault that touches API objects whether one of its values stands in them; None: that can't be read.

    `others` are the records of other drills. Where one holds the lock on a target, what is seen there is that drill's,
    if no record of the fault itself was ever seen: what was there before, its record tells.
    """
    theirs = {one.record.target: one.record for one in others}
    faults = [fault for fault in faults if fault.touches]
    found = await asyncio.gather(*(_is_in(kube, f.touches, {} if f.record else theirs) for f in faults))
    return {fault.name: there for fault, there in zip(faults, found, strict=True)}


async def _is_in(kube: Kube, touches: Iterable[Touch], theirs: Mapping[Target | None, UndoRecord]) -> bool | None:
    seen = [t.was_in_before(theirs[t.target]) if t.target in theirs else await _shows(kube, t) for t in touches]
    return True if True in seen else None if None in seen else False


async def _shows(kube: Kube, touch: Touch) -> bool | None:
    try:
        place = await read_target(kube, touch.target)
    except (Unreachable, Inconclusive):
        return None
    return place.seen is not None and touch.is_in(place.seen)

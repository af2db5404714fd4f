"""What is left of a Drill that is being deleted: its open records, and faults that have lost theirs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubedrill.api.drill import ACCEPTS_UNVERIFIED
from kubedrill.core.machine.state import state_from_wire
from kubedrill.core.machine.unverified import lost, missing, traced
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.protocol.drills import drill_path
from kubedrill.protocol.seen import records_seen
from kubedrill.protocol.traces import traces_of
from kubedrill.store.undo_records import Listing

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Remains:
    """How many records are not Reverted or can't be read; and by record the faults that may be in without theirs."""

    open_records: int
    unverified: Mapping[str, str]


async def remains_of(kube: Kube, drill: Mapping[str, Any], listing: Listing) -> Remains | None:
    """What is left of a Drill, by its own status and a live read; None when that can't be told now."""
    meta = drill["metadata"]
    try:
        answer = await kube.get(drill_path(meta["namespace"], meta["name"]))
    except Unreachable:
        return None
    if not answer.ok or answer.body["metadata"].get("uid") != meta["uid"]:
        return None
    try:
        state = state_from_wire((answer.body.get("status") or {}).get("machine"))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        LOG.warning("the status of drill %s can't be read, so it is not let go: %r", meta["name"], error)
        return None
    found = records_seen(listing, meta["uid"], state)
    still_open = sum(record.state != "Reverted" for record in found)
    if (answer.body["metadata"].get("annotations") or {}).get(ACCEPTS_UNVERIFIED):
        return Remains(still_open, {})
    faults = tuple(missing(state, found))
    others = (one for one in listing.readable if one.record.drill.uid != meta["uid"])
    traces = await traces_of(kube, faults, others)
    return Remains(still_open, {f.record or f.name: lost(f).message for f in faults if traced(f, traces) is not False})

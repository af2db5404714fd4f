"""Undo records whose Drill is gone (forced deletion, a stripped finalizer, a deleted CRD): put back by themselves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection

from kubedrill.kube.client import Kube, Unreachable
from kubedrill.protocol.clock import Clock
from kubedrill.protocol.outcomes import Reversal
from kubedrill.protocol.records import RecordTrouble, StoredRecord, close
from kubedrill.protocol.revert import revert
from kubedrill.protocol.reverters import Reverters
from kubedrill.protocol.sightings import Sightings

LOG = logging.getLogger(__name__)


async def put_back_orphans(
    kube: Kube, stored: Collection[StoredRecord], by: str, clock: Clock, reverters: Reverters, sightings: Sightings
) -> int:
    """Reverts those of the records that have no Drill, all at once. Returns how many were closed.

    Raises:
        Unreachable: the API server did not answer.
    """
    drills = {one.record.drill.uid: one.record.drill for one in stored}
    sightings.keep(drills)
    seen = {uid: await sightings.look(kube, drill) for uid, drill in drills.items()}
    orphans = [one for one in stored if seen[one.record.drill.uid].gone]
    return sum(await asyncio.gather(*(revert_orphan(kube, one, by, clock, reverters) for one in orphans)))


async def revert_orphan(kube: Kube, stored: StoredRecord, by: str, clock: Clock, reverters: Reverters) -> bool:
    """Puts back what a record tells of whose Drill is gone, and closes it: nobody is left to be told."""
    asked = frozenset(stored.record.faults)  # nobody is left to confirm what was done by hand, either
    outcome = await revert(kube, stored, by, clock, asked, reverters=reverters)
    if outcome.state is not Reversal.REVERTED or outcome.stored is None:
        LOG.warning("orphaned undo record %s: %s %s", stored.ref.name, outcome.reason, outcome.message)
        return False
    try:
        return await close(kube, outcome.stored)
    except (Unreachable, RecordTrouble) as trouble:
        LOG.warning("orphaned undo record %s is put back and not closed yet: %s", stored.ref.name, trouble)
        return False

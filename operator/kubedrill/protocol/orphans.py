"""Undo records whose Drill is gone (forced deletion, a stripped finalizer, a deleted CRD): put back by themselves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection

from kubedrill.kube.client import Kube, Unreachable
from kubedrill.plugins.operations.base import Reverters
from kubedrill.protocol.clock import Clock
from kubedrill.protocol.drill_liveness import DrillLiveness
from kubedrill.protocol.outcomes import Reversal, RevertOutcome
from kubedrill.protocol.revert import revert
from kubedrill.protocol.revert_tracker import RevertTracker
from kubedrill.store.undo_records import RecordError, StoredRecord, close

LOG = logging.getLogger(__name__)


async def put_back_orphans(
    kube: Kube,
    stored: Collection[StoredRecord],
    by: str,
    clock: Clock,
    reverters: Reverters,
    sightings: DrillLiveness,
    undoing: RevertTracker,
) -> int:
    """Reverts those of the records that have no Drill and are due, all at once. Returns how many were closed.

    `undoing` remembers, by the record's name, what was tried and when it is tried again.

    Raises:
        Unreachable: the API server did not answer.
    """
    drills = {one.record.drill.uid: one.record.drill for one in stored}
    sightings.keep(drills)
    undoing.keep(one.record.name for one in stored)
    seen = dict(zip(drills, await asyncio.gather(*(sightings.look(kube, one) for one in drills.values())), strict=True))
    orphans = [one for one in stored if seen[one.record.drill.uid].gone]
    return sum(await asyncio.gather(*(revert_orphan(kube, one, by, clock, reverters, undoing) for one in orphans)))


async def revert_orphan(
    kube: Kube, stored: StoredRecord, by: str, clock: Clock, reverters: Reverters, undoing: RevertTracker
) -> bool:
    """Puts back what a record tells of whose Drill is gone, if that is due, and closes it: nobody is left to be told.

    Never raises for one record what would hold up the others: it is remembered as its trouble.
    """
    name = stored.record.name
    if not undoing.is_due(name, clock.now()):
        return False
    asked = frozenset(stored.record.faults)  # nobody is left to confirm what was done by hand, either
    try:
        outcome = await revert(kube, stored, by, clock, asked, reverters=reverters)
    except Exception as error:
        LOG.exception("orphaned undo record %s: restoring it failed", stored.ref.name)
        outcome = RevertOutcome(Reversal.STALLED, "Failed", repr(error)[:500])
    undoing.tried(name, outcome, clock.now())
    if outcome.state is not Reversal.REVERTED or outcome.stored is None:
        LOG.warning("orphaned undo record %s: %s %s", stored.ref.name, outcome.reason, outcome.message)
        return False
    try:
        return await close(kube.restoring, outcome.stored)
    except (Unreachable, RecordError) as trouble:
        undoing.troubled(name, "NotClosed", str(trouble)[:500], clock.now())
        LOG.warning("orphaned undo record %s is restored and not closed yet: %s", stored.ref.name, trouble)
        return False

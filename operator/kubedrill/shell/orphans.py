"""Undo records whose Drill is gone (forced deletion, a stripped finalizer, a deleted CRD): put back by themselves."""

from __future__ import annotations

from kubedrill.kube.client import Kube
from kubedrill.protocol.records import StoredRecord, list_records
from kubedrill.shell.acting import revert_orphan
from kubedrill.shell.clock import ServerClock
from kubedrill.shell.drills import drill_path


async def put_back_orphans(kube: Kube, namespace: str, clock: ServerClock) -> int:
    """Reverts every record without a Drill. Returns how many were closed."""
    closed = 0
    for stored in await list_records(kube, namespace):
        if await _is_orphan(kube, stored):
            closed += await revert_orphan(kube, stored, clock)
    return closed


async def _is_orphan(kube: Kube, stored: StoredRecord) -> bool:
    """Whether the record's Drill is gone for certain: a live 404, or another UID under its name."""
    drill = stored.record.drill
    answer = await kube.get(drill_path(drill.namespace, drill.name))
    return answer.status == 404 or (answer.ok and answer.body["metadata"]["uid"] != drill.uid)

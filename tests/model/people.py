"""What is there at the start, and who acts beside the operator's turns: the watchdog, the sweep, people."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from tests.machine.world import START
from tests.model.server import TIME, Store

from kubedrill.core.undo.operations import FieldChange, SetFields, Target
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.protocol.drill_liveness import DrillLiveness
from kubedrill.protocol.drills import drill_path
from kubedrill.protocol.orphans import put_back_orphans
from kubedrill.protocol.revert import revert
from kubedrill.protocol.revert_tracker import RevertTracker
from kubedrill.store.undo_records import RecordError, list_records

CONTROL, SHOP = "drills", "shop"
FIELD, HOLD = "/spec/minReadySeconds", "/spec/progressDeadlineSeconds"
"""What a fault is, and what holds the rollout meanwhile."""
BEFORE, HUMAN = 1, 3
AFTER = {"storm": 2, "flood": 4}
"""What each drill makes of the field."""
OWN_PACE, HELD = 10, 20
"""The rollout's pace, its own and while a fault holds it."""
OWNER = {
    "manager": "owner",
    "operation": "Update",
    "apiVersion": "apps/v1",
    "time": TIME,
    "fieldsType": "FieldsV1",
    "fieldsV1": {"f:spec": {"f:minReadySeconds": {}, "f:progressDeadlineSeconds": {}}},
}


class StillClock:
    """The server's time, which stands still: no decision is left to a deadline."""

    error = timedelta(milliseconds=50)

    def now(self):
        return START


def target(name: str) -> Target:
    return Target("apps", "v1", "Deployment", "deployments", SHOP, name)


def workload(value: int) -> dict[str, Any]:
    """A Deployment in as far as it matters."""
    return {
        "metadata": {"namespace": SHOP, "generation": 1, "managedFields": [OWNER]},
        "spec": {"minReadySeconds": value, "progressDeadlineSeconds": OWN_PACE},
    }


def drill_at(name: str) -> str:
    return drill_path(CONTROL, name)


def cluster(drills: Mapping[str, tuple[str, ...]]) -> Store:
    """Drills with the targets of their faults, nothing begun yet."""
    store = Store({}).created(f"/api/v1/namespaces/{SHOP}", {}).created(f"/api/v1/namespaces/{CONTROL}", {})
    for name in sorted({t for targets in drills.values() for t in targets}):
        store = store.created(target(name).path, workload(BEFORE))
    for name, targets in drills.items():
        spec = {"desired": "Run", "targetNamespace": SHOP, "targets": list(targets)}
        store = store.created(drill_at(name), {"metadata": {"namespace": CONTROL}, "spec": spec})
    return store


def change(fault: str, value: int) -> SetFields:
    """What a fault does: it makes this of its target's field, and holds the rollout."""
    return SetFields(target(fault), (FieldChange(FIELD, value), FieldChange(HOLD, HELD)))


async def look(kube: Kube) -> Hashable:
    """The watchdog's look: whatever it finds is put back; what a Drill must still be told stays."""
    with suppress(Unreachable, RecordError):
        for one in (await list_records(kube, CONTROL)).readable:
            await revert(kube, one, "Watchdog", StillClock())
    return None


async def sweep(kube: Kube) -> Hashable:
    """The operator's sweep: records that no Drill speaks for any more are put back and closed."""
    with suppress(Unreachable, RecordError):
        stored = (await list_records(kube, CONTROL)).readable
        await put_back_orphans(kube, stored, "Operator", StillClock(), {}, DrillLiveness(lambda: 0.0), RevertTracker())
    return None

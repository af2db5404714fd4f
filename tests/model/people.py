"""What is there at the start, and who acts: the operator's turns, the watchdog's looks, people."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

from tests.machine.world import FIT, START, drill_plan
from tests.model.server import TIME, Store

from kubedrill.api.drill import FINALIZER
from kubedrill.controller.execute import Executor
from kubedrill.controller.injection_plan import InjectionPlan
from kubedrill.controller.settings import OperatorSettings
from kubedrill.core.evidence.facts import Fact
from kubedrill.core.machine.commands import WriteReport
from kubedrill.core.machine.desired import desired_of
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.reducer import reduce
from kubedrill.core.machine.state import Observation, PlannedFault, State, state_from_wire, state_to_wire
from kubedrill.core.machine.unverified import LOOKED_AT, missing
from kubedrill.core.paths import ApiPath
from kubedrill.core.undo.operations import FieldChange, SetFields, Target
from kubedrill.core.undo.record import RecordState
from kubedrill.core.undo.touches import planned_touches
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.clock import ServerClock
from kubedrill.protocol.drill_liveness import DrillLiveness
from kubedrill.protocol.drills import drill_path, write_status
from kubedrill.protocol.objects import Inconclusive
from kubedrill.protocol.orphans import put_back_orphans, revert_orphan
from kubedrill.protocol.revert import revert
from kubedrill.protocol.revert_tracker import RevertTracker
from kubedrill.protocol.seen import records_seen
from kubedrill.protocol.traces import traces_of
from kubedrill.store.evidence_log import Evidence
from kubedrill.store.undo_records import RecordError, StoredRecord, list_records

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


def drill_at(name: str) -> ApiPath:
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


async def turn(kube: Kube, name: str, uid: str, memory: frozenset[Fact]) -> Hashable:
    """One turn of the operator as `controller.turn` does it: observe, reduce, persist, act; what it remembers after it.

    Unlike the controller's, the task of an ended drill is woken by every change: a record that turns up late is seen.
    """
    try:
        return await _turned(kube, name, uid, memory)
    except (Unreachable, RecordError, Inconclusive):
        return memory


async def _turned(kube: Kube, name: str, uid: str, memory: frozenset[Fact]) -> frozenset[Fact]:
    answer = await kube.get(drill_at(name))
    if answer.status == 404 or answer.body["metadata"]["uid"] != uid:
        for one in (await list_records(kube, CONTROL, uid)).readable:
            await revert_orphan(kube, one, "Operator", StillClock(), {}, RevertTracker())
        return memory
    drill = answer.body
    known = drill.get("status") or {}
    listing = await list_records(kube, CONTROL)
    stored = {one.record.name: one for one in listing.of(uid).readable}
    state = state_from_wire(known.get("machine"))
    watching = {one.record.name: await watched(kube, one, state) for one in stored.values()}
    found = records_seen(listing, uid, state, watching)
    others = [one for one in listing.readable if one.record.drill.uid != uid]
    traces = await traces_of(kube, missing(state, found), others) if state.phase in LOOKED_AT else {}
    seen = replace(observed(drill, state, memory), records=found, traces=traces)
    decision = reduce(state, seen)
    status = {"machine": state_to_wire(decision.state)}
    if status != known:
        written = await write_status(kube, drill, status)
        if not written.ok:
            return memory
        drill["metadata"]["resourceVersion"] = written.body["metadata"]["resourceVersion"]
    acting = replace(decision, commands=tuple(c for c in decision.commands if not isinstance(c, WriteReport)))
    clock = cast("ServerClock", StillClock())
    actor = Executor(kube, clock, OperatorSettings(CONTROL), Evidence(kube, CONTROL, name, uid))
    actor.plan(InjectionPlan({fault: (change(name, fault),) for fault in drill["spec"]["targets"]}))
    facts, _ = await actor.carry_out(drill, acting, seen, stored)
    return memory | frozenset(facts)


async def watched(kube: Kube, stored: StoredRecord, state: State) -> dict[str, Any] | None:
    """A record's target, as the operator's watch tells of it while the drill is on."""
    record = stored.record
    if record.target is None or record.state is not RecordState.INJECTED or state.phase is not Phase.ARMED:
        return None
    answer = await kube.get(record.target.path)
    return answer.body if answer.ok else None


def observed(drill: dict[str, Any], state: State, memory: frozenset[Fact]) -> Observation:
    """What a turn sees of a drill all of whose checks pass, and whose report is written at once.

    An attempt takes a minute, so that a drill that can't be injected ends by its time.
    """
    metadata, spec = drill["metadata"], drill["spec"]
    now = START + max((f.attempt for f in state.faults), default=0) * timedelta(minutes=1)
    return Observation(
        now=now,
        drill_plan=drill_plan(tuple(spec["targets"])),
        desired=desired_of(drill),
        checks=FIT,
        facts=memory,
        deleting="deletionTimestamp" in metadata,
        finalizer=FINALIZER in metadata.get("finalizers", ()),
        plans={fault: planned(metadata["name"], fault) for fault in spec["targets"]},
        reported=1 if state.phase is Phase.HOT_WASH else 0,
    )


def change(drill: str, fault: str) -> SetFields:
    return SetFields(target(fault), (FieldChange(FIELD, AFTER[drill]), FieldChange(HOLD, HELD)))


def planned(drill: str, fault: str) -> PlannedFault:
    """What the preflight has planned, when the field was as it was before."""
    operation = change(drill, fault)
    return PlannedFault(
        f"Deployment/{fault}",
        {},
        touches=planned_touches([operation], {operation.target: {"spec": {"minReadySeconds": BEFORE}}}),
    )


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

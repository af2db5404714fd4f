"""What people, and other machines, do to a drill and its targets in the middle of it. The names stand in the plans."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.faultmatrix import shapes
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.slot import Slot

from kubedrill.api.drill import FINALIZER, Desired
from kubedrill.core.machine.desired import the_word
from kubedrill.core.paths import ApiPath
from kubedrill.core.undo.operations import Target
from kubedrill.core.undo.record import DrillIdentity, FieldGroup, FieldUndo, UndoRecord, record_name, to_json
from kubedrill.kube.client import JSON_PATCH, MERGE_PATCH
from kubedrill.protocol.drills import drill_path
from kubedrill.store.undo_records import RECORD_TYPE

BREAK_GLASS: Final = {"Impersonate-User": "somebody", "Impersonate-Group": "kubedrill:break-glass"}
Doing = Callable[[Slot, str, str, str], Awaitable[None]]


def _first(fault: str) -> tuple[str, str]:
    return (*shapes.targets_of(fault), ("Deployment", "web"))[0]


async def edit(slot: Slot, _drill: str, fault: str, argument: str) -> None:
    """Somebody gives the touched field a value of their own."""
    await slot.set_limit(*_first(fault), argument)


async def put_back(slot: Slot, _drill: str, fault: str, _argument: str) -> None:
    """A player puts the old value back by hand."""
    await slot.set_limit(*_first(fault), shapes.GOOD)


async def replace(slot: Slot, _drill: str, fault: str, _argument: str) -> None:
    """The owner puts the whole workload back as it was made: `kubectl replace`. Nothing of the fault is left."""
    kind, name = _first(fault)
    now = (await slot.must("GET", slot.path_of(kind, name))).body
    now["spec"] = shapes.workload(kind, slot.target, name)["spec"]
    del now["metadata"]["resourceVersion"]  # whatever it is by now
    await slot.must("PUT", slot.path_of(kind, name), now, query=[("fieldManager", "kubectl-replace")])


async def raise_limit(slot: Slot, _drill: str, fault: str, argument: str) -> None:
    """Somebody raises request and limit above the old limit: either alone could not be put back."""
    path = f"{shapes.CONTAINER}/resources"
    patch = [{"op": "replace", "path": f"{path}/{what}/memory", "value": argument} for what in ("requests", "limits")]
    await slot.must("PATCH", slot.path_of(*_first(fault)), patch, JSON_PATCH, query=[("fieldManager", "kubectl-set")])


async def other_field(slot: Slot, _drill: str, fault: str, _argument: str) -> None:
    """Somebody edits another field of the same object."""
    patch = {"spec": {"revisionHistoryLimit": 7}}
    await slot.must("PATCH", slot.path_of(*_first(fault)), patch, MERGE_PATCH, query=[("fieldManager", "kubectl-edit")])


async def stop_drill(slot: Slot, drill: str, _fault: str, _argument: str) -> None:
    """The facilitator stops the drill."""
    await slot.kube.call("PATCH", drill_path(slot.control, drill), the_word(Desired.STOP), content_type=MERGE_PATCH)


async def delete_drill(slot: Slot, drill: str, _fault: str, _argument: str) -> None:
    """The facilitator deletes the drill."""
    await slot.kube.call("DELETE", drill_path(slot.control, drill))


async def strip_finalizer(slot: Slot, drill: str, _fault: str, _argument: str) -> None:
    """Somebody follows a guide on stuck finalizers, and deletes the drill by force."""
    headers = {"Impersonate-User": "somebody", "Impersonate-Group": "kubedrill:break-glass"}
    await slot.kube.call("DELETE", drill_path(slot.control, drill))
    await slot.kube.call(
        "PATCH",
        drill_path(slot.control, drill),
        {"metadata": {"finalizers": None}},
        content_type=MERGE_PATCH,
        headers=headers,
    )


async def delete_target(slot: Slot, _drill: str, fault: str, _argument: str) -> None:
    """The target goes."""
    await slot.kube.call("DELETE", slot.path_of(*_first(fault)), {"propagationPolicy": "Background"})


async def recreate_target(slot: Slot, _drill: str, fault: str, argument: str) -> None:
    """The target goes and comes back under its name: with the value that is said, or its own."""
    kind, name = _first(fault)
    await slot.gone(slot.path_of(kind, name))
    wanted = shapes.workload(kind, slot.target, name)
    value = {"carried": FAULTED}.get(argument, argument or shapes.GOOD)
    resources = wanted["spec"]["template"]["spec"]["containers"][0]["resources"]
    resources["limits"]["memory"] = resources["requests"]["memory"] = value
    await slot.must("POST", slot.path_of(kind, name).rpartition("/")[0], wanted)


async def opt_out(slot: Slot, _drill: str, _fault: str, _argument: str) -> None:
    """The namespace's own admin takes every right away in the middle of a drill."""
    for plural in ("rolebindings", "roles"):
        rights = ApiPath(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{slot.target}/{plural}")
        found = await slot.kube.get(rights)
        for item in found.body.get("items", ()):
            await slot.kube.call("DELETE", ApiPath(f"{rights}/{item['metadata']['name']}"))


async def opt_in(slot: Slot, _drill: str, _fault: str, _argument: str) -> None:
    """And gives them back."""
    await slot.opt_in()


async def remove_quota(slot: Slot, _drill: str, _fault: str, _argument: str) -> None:
    """A player removes the quota that keeps the pods away."""
    await slot.kube.call("DELETE", ApiPath(f"{shapes.quotas_of(slot.target)}/{shapes.QUOTA}"))


async def take_quota(slot: Slot, drill: str, fault: str, argument: str) -> None:
    """Somebody puts a quota of their own, with room, under the name of the fault's."""
    await remove_quota(slot, drill, fault, argument)
    made = shapes.quota("100")
    await slot.must("POST", shapes.quotas_of(slot.target), made, query=[("fieldManager", "kubectl-create")])


async def delete_namespace(slot: Slot, _drill: str, _fault: str, _argument: str) -> None:
    """The target namespace goes, with all that is in it."""
    await slot.kube.call("DELETE", ApiPath(f"/api/v1/namespaces/{slot.target}"))


async def strip_and_keep(slot: Slot, drill: str, _fault: str, _argument: str) -> None:
    """Somebody takes the finalizer off a drill that goes on."""
    headers = {"Impersonate-User": "somebody", "Impersonate-Group": "kubedrill:break-glass"}
    body: Any = {"metadata": {"finalizers": None}}
    await slot.kube.call("PATCH", drill_path(slot.control, drill), body, content_type=MERGE_PATCH, headers=headers)


async def flush_queue(slot: Slot, drill: str, _fault: str, _argument: str) -> None:
    """Redis loses its data: of this slot, for the others have theirs in the same one."""
    body = await slot.drill(drill)
    async with slot.redis() as redis:
        patterns = (f"*{slot.target}*", *([f"*{body['metadata']['uid']}*"] if body else []))
        keys = [key for pattern in patterns async for key in redis.scan_iter(match=pattern)]
        if keys:
            await redis.delete(*keys)


async def rewrite_every(slot: Slot, _drill: str, fault: str, argument: str) -> None:
    """A GitOps controller that undoes every drift, every so many seconds, for as long as the plan runs."""
    kind, name = _first(fault)

    async def heal() -> None:
        while True:
            await asyncio.sleep(float(argument))
            await slot.set_limit(kind, name, shapes.GOOD, manager="kustomize-controller")

    slot_tasks.setdefault(slot.number, set()).add(asyncio.create_task(heal()))


def _records(slot: Slot) -> ApiPath:
    return ApiPath(f"/api/v1/namespaces/{slot.control}/secrets")


async def _record(slot: Slot) -> dict[str, Any] | None:
    """The first undo record, if there is one."""
    found = await slot.kube.get(_records(slot), query=[("fieldSelector", f"type={RECORD_TYPE}")])
    return next(iter(found.body.get("items") or ()), None)


async def remove_record(slot: Slot, _drill: str, _fault: str, _argument: str) -> None:
    """Somebody of the break-glass group deletes an undo record by hand."""
    record = await _record(slot)
    if record is not None:
        await slot.kube.call("DELETE", ApiPath(f"{_records(slot)}/{record['metadata']['name']}"), headers=BREAK_GLASS)


async def damage_record(slot: Slot, _drill: str, _fault: str, _argument: str) -> None:
    """Somebody makes an undo record unreadable, and has a copy of it."""
    record = await _record(slot)
    if record is not None and slot.number not in damaged:
        damaged[slot.number] = record
        await slot.kube.call(
            "PATCH",
            ApiPath(f"{_records(slot)}/{record['metadata']['name']}"),
            {"data": {"record": "e30="}},
            content_type=MERGE_PATCH,
            headers=BREAK_GLASS,
        )


async def repair_record(slot: Slot, _drill: str, _fault: str, _argument: str) -> None:
    """And puts it right again, if it is still there."""
    record = damaged.pop(slot.number, None)
    if record is not None:
        await slot.kube.call(
            "PATCH",
            ApiPath(f"{_records(slot)}/{record['metadata']['name']}"),
            {"data": record["data"]},
            content_type=MERGE_PATCH,
            headers=BREAK_GLASS,
        )


async def restore_by_hand(slot: Slot, drill: str, fault: str, argument: str) -> None:
    """Somebody puts the workload back by hand, and clears away the revisions that the fault has left."""
    await replace(slot, drill, fault, argument)
    path = ApiPath(f"/apis/apps/v1/namespaces/{slot.target}/replicasets")
    for item in (await slot.kube.get(path)).body.get("items") or ():
        if shapes.value_of(item) == FAULTED:
            revision = ApiPath(f"{path}/{item['metadata']['name']}")
            await slot.kube.call("DELETE", revision, {"propagationPolicy": "Background"})


async def forge_lock(slot: Slot, drill: str, fault: str, _argument: str) -> None:
    """Somebody who may make Secrets puts one where the lock of the target is going to be: as if it were the drill's."""
    kind, name = _first(fault)
    seen = (await slot.must("GET", slot.path_of(kind, name))).body["metadata"]
    space = (await slot.must("GET", f"/api/v1/namespaces/{slot.target}")).body["metadata"]["uid"]
    owner = (await slot.must("GET", drill_path(slot.control, drill))).body["metadata"]
    now = datetime.now(UTC)  # noqa: TID251  the forger's own clock
    record = UndoRecord(
        DrillIdentity(owner["uid"], drill, slot.control, slot.target),
        record_name("apps", kind, space, name),
        f"{kind}/{name}",
        (FieldGroup("limit", (FieldUndo("/spec/revisionHistoryLimit", 10, 3),)),),
        "manager-forged",
        now + timedelta(minutes=20),
        now,
        Target("apps", "v1", kind, shapes.PLURALS[kind], slot.target, name),
        space,
        seen["uid"],
        seen["resourceVersion"],
        seen["generation"],
    )
    data = {"record": base64.b64encode(to_json(record)).decode()}
    # a policy lets nobody else make one under this name: he has the operator's account, or the policy is not there
    as_operator = {"Impersonate-User": f"system:serviceaccount:{slot.control}:kubedrill"}
    thing = {"metadata": {"name": record.name}, "type": "Opaque", "data": data}
    answer = await slot.kube.call("POST", _records(slot), thing, headers=as_operator)
    assert answer.ok, answer.message


async def start_drill(slot: Slot, drill: str, _fault: str, _argument: str) -> None:
    """The facilitator starts a drill that is held."""
    await slot.must("PATCH", drill_path(slot.control, drill), {"spec": {"desired": "Run"}}, MERGE_PATCH)


async def remove_forged_lock(slot: Slot, _drill: str, fault: str, _argument: str) -> None:
    """And somebody of the break-glass group takes it away."""
    kind, name = _first(fault)
    space = (await slot.must("GET", f"/api/v1/namespaces/{slot.target}")).body["metadata"]["uid"]
    lock = ApiPath(f"{_records(slot)}/{record_name('apps', kind, space, name)}")
    await slot.kube.call("DELETE", lock, headers=BREAK_GLASS)


damaged: dict[int, dict[str, Any]] = {}
slot_tasks: dict[int, set[asyncio.Task[None]]] = {}
DOINGS: Final[dict[str, Doing]] = {
    "edit": edit,
    "put-back": put_back,
    "replace": replace,
    "raise": raise_limit,
    "other-field": other_field,
    "stop-drill": stop_drill,
    "delete-drill": delete_drill,
    "strip-finalizer": strip_finalizer,
    "delete-target": delete_target,
    "recreate-target": recreate_target,
    "opt-out": opt_out,
    "opt-in": opt_in,
    "remove-quota": remove_quota,
    "take-quota": take_quota,
    "delete-namespace": delete_namespace,
    "strip-and-keep": strip_and_keep,
    "flush-queue": flush_queue,
    "rewrite-every": rewrite_every,
    "remove-record": remove_record,
    "damage-record": damage_record,
    "repair-record": repair_record,
    "restore-by-hand": restore_by_hand,
    "forge-lock": forge_lock,
    "remove-forged-lock": remove_forged_lock,
    "start-drill": start_drill,
}
__all__ = ["DOINGS", "FINALIZER", "slot_tasks"]

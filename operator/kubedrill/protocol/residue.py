"""What a workload's controller keeps of a fault after the fields are back, and clearing it away.

The ReplicaSet or ControllerRevision that carries the faulted template would bring the fault back with the
owner's next `rollout undo`; it is removed once it has no pods. An ordered StatefulSet waits for ever for a
broken pod (a known limitation of its controller): its unready pods of the faulted revision are deleted. So are
those, ready or not, that are behind the set's own partition again: no controller ever replaces them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubedrill.core.paths import ApiPath
from kubedrill.core.undo.operations import TEMPLATE, Target
from kubedrill.core.undo.pointers import found_again, read
from kubedrill.core.undo.record import FieldGroup, FieldUndo, UndoRecord
from kubedrill.kube.client import Kube
from kubedrill.kube.paths import CONTROLLER_REVISIONS, PODS, REPLICA_SETS, Namespaced
from kubedrill.kube.refusals import is_admission, is_refusal, words
from kubedrill.protocol.objects import Inconclusive

_REVISIONS = {"Deployment": REPLICA_SETS, "StatefulSet": CONTROLLER_REVISIONS}
_HASH = "controller-revision-hash"


@dataclass(frozen=True, slots=True)
class Left:
    """A revision that carries the fault and is still there. `refused`: why it may not be removed; else it has pods."""

    name: str
    refused: str = ""

    def __str__(self) -> str:
        if not self.refused:
            return f"{self.name} still has pods of the fault"
        return f"{self.name} carries the fault and can't be removed ({self.refused}): rollout undo may bring it back"


async def clear_away(kube: Kube, record: UndoRecord, seen: dict[str, Any], *, patient: bool) -> tuple[Left, ...]:
    """Free what is stuck and remove the faulted revisions that have no pods; tells of those that stay, and why.

    Without patience a ReplicaSet goes as soon as none of its pods is ready: a workload that does not get well
    by itself would keep it for ever, and pods that are not ready serve nobody.

    Raises:
        Unsure: the API server has no answer for the moment.
        Unreachable: no answer.
    """
    try:
        return await _cleared_away(kube, record, seen, patient=patient)
    except Inconclusive as refused:
        if not is_refusal(refused.answer):
            raise
        return (Left(f"a revision of {record.subject}", words(refused.answer)),)


async def _cleared_away(kube: Kube, record: UndoRecord, seen: dict[str, Any], *, patient: bool) -> tuple[Left, ...]:
    target = record.target
    in_template = tuple(f for f in record.fields if f.path.startswith(TEMPLATE) and f.before != f.after)
    if target is None or target.kind not in _REVISIONS or _carries(seen, in_template):
        return ()
    revisions = [
        item
        for item in await _items(kube, target, _REVISIONS[target.kind])
        if _is_faulted(item, record, in_template) and _name(item) not in _current(seen)
    ]
    if not revisions:
        return ()
    if target.kind == "Deployment":
        pods = {_name(r): _replicas(r, patient=patient) for r in revisions}
    else:
        pods = await _pods_of(kube, record, target, revisions, seen)
    left = []
    for revision in revisions:
        path = _REVISIONS[target.kind].one(target.namespace, _name(revision))
        try:
            # as it was read: it may have got pods since
            if pods.get(_name(revision)) or not await _deleted(kube, path, revision, "uid", "resourceVersion"):
                left.append(Left(_name(revision)))
        except Inconclusive as refused:
            if not is_refusal(refused.answer):
                raise
            left.append(Left(_name(revision), words(refused.answer)))
    return tuple(left)


def _is_faulted(revision: Mapping[str, Any], record: UndoRecord, fields: Iterable[FieldUndo]) -> bool:
    """Made by the workload after the injection was intended, with all our values in its template."""
    made = datetime.fromisoformat(revision["metadata"]["creationTimestamp"])
    if made < record.intended_at.replace(microsecond=0):
        return False
    if not _owned(revision, record):
        return False
    holder = revision if "spec" in revision else revision.get("data") or {}
    return _carries(holder, fields)


def _carries(holder: Mapping[str, Any], fields: Iterable[FieldUndo]) -> bool:
    """Whether a template has every value of the fault (of none: always)."""
    places = ((field, found_again(holder, field.path, field.guards)) for field in fields)
    return all(place is not None and read(holder, place[0]) == field.after for field, place in places)


def _replicas(replica_set: Mapping[str, Any], *, patient: bool) -> int:
    """How many pods keep a ReplicaSet."""
    status = replica_set.get("status") or {}
    if patient:
        return int(replica_set["spec"].get("replicas", 0)) + int(status.get("replicas", 0))
    return int(status.get("readyReplicas", 0))


async def _pods_of(
    kube: Kube, record: UndoRecord, target: Target, revisions: list[dict[str, Any]], seen: dict[str, Any]
) -> dict[str, int]:
    """How many pods each revision has; those of a stuck StatefulSet are deleted on the way."""
    counts: dict[str, int] = {}
    stuck = any(g.unstick for g in record.groups if isinstance(g, FieldGroup))
    for revision in revisions:
        query = [("labelSelector", f"{_HASH}={_name(revision)}")]
        for pod in await _items(kube, target, PODS, query):
            if not _owned(pod, record):
                continue
            counts[_name(revision)] = counts.get(_name(revision), 0) + 1
            left_alone = (stuck and not _ready(pod)) or _is_behind_partition(pod, seen)
            if left_alone and "deletionTimestamp" not in pod["metadata"]:
                await _deleted(kube, PODS.one(target.namespace, _name(pod)), pod, "uid")
    return counts


def _is_behind_partition(pod: Mapping[str, Any], seen: Mapping[str, Any]) -> bool:
    """Whether a StatefulSet's partition keeps its controller from ever replacing the pod."""
    spec = seen["spec"]
    partition = ((spec.get("updateStrategy") or {}).get("rollingUpdate") or {}).get("partition", 0)
    first = (spec.get("ordinals") or {}).get("start", 0)
    ordinal = str(pod["metadata"]["name"]).rpartition("-")[2]
    return ordinal.isdigit() and int(ordinal) < first + partition


def _owned(item: Mapping[str, Any], record: UndoRecord) -> bool:
    """Whether the target is among the owners."""
    owners = item["metadata"].get("ownerReferences") or ()
    return any(owner.get("uid") == record.target_uid for owner in owners)


def _ready(pod: Mapping[str, Any]) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)


def _current(seen: Mapping[str, Any]) -> set[str]:
    """The revision that a StatefulSet is going to: never removed, whatever it carries."""
    status = seen.get("status") or {}
    if int(status.get("observedGeneration", 0)) < int(seen["metadata"].get("generation", 0)):
        return set()
    return {str(status.get("updateRevision", ""))}


def _name(item: Mapping[str, Any]) -> str:
    return str(item["metadata"]["name"])


async def _items(
    kube: Kube, target: Target, kind: Namespaced, query: Iterable[tuple[str, str]] = ()
) -> list[dict[str, Any]]:
    answer = await kube.get(kind.of(target.namespace), query=list(query))
    if not answer.ok:
        raise Inconclusive(f"list {kind.plural} in {target.namespace}", answer)
    return list(answer.body.get("items") or ())


async def _deleted(kube: Kube, path: ApiPath, item: Mapping[str, Any], *same: str) -> bool:
    """Delete exactly the object that was read, or find it gone. False when it is no longer the same."""
    body = {"preconditions": {key: item["metadata"][key] for key in same}}
    answer = await kube.call("DELETE", path, body)
    if answer.ok or (answer.status == 404 and not is_admission(answer)):
        return True
    if answer.status == 409 and not is_admission(answer):
        return False
    raise Inconclusive(f"delete {path}", answer)

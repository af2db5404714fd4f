"""Pods of a workload, removed once each; its controller makes new ones, so there is nothing to put back.

Which pods it is stands in the record, by their UIDs, before the first is removed. A removal names the UID, so that sent
twice is removed once, and no pod that came later under the same name is ever hit. Only a pod that its controller
replaces is chosen: whoever made a bare pod would have to make it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from kubedrill.core.undo.operations import Refusal, Remove, Target, Victim
from kubedrill.core.undo.record import (
    BEGINS_WITHIN,
    DRAINING,
    REFUSED,
    UNREACHABLE,
    Again,
    Done,
    OutsideGroup,
    Progress,
    UndoRecord,
)
from kubedrill.kube.client import Answer, Kube, Unreachable
from kubedrill.kube.paths import PODS, REPLICA_SETS
from kubedrill.kube.refusals import is_admission, is_not_found, is_refusal, reason_of, words
from kubedrill.plugins.operations.base import Need, OperationKind, SeenIn

AFTER_OUTAGE: Final = timedelta(seconds=2)
_BETWEEN: Final = {"Deployment": REPLICA_SETS}
"""What stands between a workload and its pods; a StatefulSet owns them itself."""


class _Unlisted(Exception):
    """The API server did not say what pods there are."""

    def __init__(self, what: str, answer: Answer) -> None:
        super().__init__(f"{what}: {words(answer)}")
        self.answer = answer


class RemovedPods:
    """The reverter of `Remove`. `clock` is the reference clock."""

    def __init__(self, kube: Kube, clock: Callable[[], datetime]) -> None:
        self._kube, self._clock = kube, clock

    async def prepare(self, operation: Remove) -> Refusal | Remove:
        """Which pods it will be: those that are ready first."""
        workload = operation.workload
        try:
            pods = await _pods_of(self._kube, workload)
        except (_Unlisted, Unreachable) as trouble:
            return Refusal(UNREACHABLE, f"the pods of {workload} can't be listed: {trouble}"[:500])
        if len(pods) < operation.count:
            said = f"{workload} has {len(pods)} pods and {operation.count} are to be removed: ask for fewer"
            return Refusal("TooFewPods", said)
        pods.sort(key=lambda pod: (not _is_ready(pod), pod["metadata"]["name"]))
        chosen = (pod["metadata"] for pod in pods[: operation.count])
        return replace(operation, victims=tuple(Victim(str(m["name"]), str(m["uid"])) for m in chosen))

    async def inject(self, record: UndoRecord, group: OutsideGroup) -> Progress | Refusal:
        """Remove each of them, once."""
        operation = _operation(group)
        if record.injected is not None:
            return Done(_told(operation))
        for victim in operation.victims:
            if self._clock() - record.claimed >= BEGINS_WITHIN:
                return Again(AFTER_OUTAGE, UNREACHABLE, "it took too long to remove the pods: it is tried anew")
            try:
                answer = await self._removed(operation, victim)
                if answer.ok or await self._is_gone(operation, victim, answer):
                    continue
            except (_Unlisted, Unreachable) as trouble:
                return Again(AFTER_OUTAGE, UNREACHABLE, str(trouble)[:500])
            if is_refusal(answer):
                return Refusal(reason_of(answer), f"pod {victim.name} can't be removed: {words(answer)}")
            said = f"pod {victim.name}: {words(answer)}"
            return Again(AFTER_OUTAGE, UNREACHABLE, said, answered=answer.status < 500)
        return Done(_told(operation))

    async def count(self, group: OutsideGroup) -> int | None:  # noqa: ARG002  the interface
        """None: the pods that are gone tell it themselves."""
        return None

    async def seen_in(self, record: UndoRecord, group: OutsideGroup) -> SeenIn | None:  # noqa: ARG002  the interface
        """None: there is nothing that the undo would take away."""
        return None

    async def revert(self, record: UndoRecord, group: OutsideGroup) -> Progress:
        """Nothing is written; Done when none of the pods can be removed any more."""
        operation = _operation(group)
        try:
            left = await self._left(operation)
        except _Unlisted as trouble:
            reason = REFUSED if is_refusal(trouble.answer) else UNREACHABLE
            return Again(AFTER_OUTAGE, reason, str(trouble)[:500])
        except Unreachable as trouble:
            return Again(AFTER_OUTAGE, UNREACHABLE, str(trouble)[:500])
        still = record.arrives_until - self._clock()
        if left and record.loose and still > timedelta(0):
            said = f"{', '.join(left)} may still be removed by a late request; that none is is certain in"
            return Again(min(still, AFTER_OUTAGE), DRAINING, f"{said} {still.total_seconds():.0f} s"[:500])
        gone = len(operation.victims) - len(left)
        note = f"{gone} of {len(operation.victims)} pods were removed, and {operation.workload} makes new ones"
        return Done(note, untouched=not gone)

    async def _left(self, operation: Remove) -> tuple[str, ...]:
        """The names of those that are there and not on their way out."""
        kube = self._kube.restoring
        there = {p["metadata"]["uid"]: p for p in await _listed(kube, PODS, operation.workload.namespace)}
        still = (v for v in operation.victims if v.uid in there)
        return tuple(v.name for v in still if "deletionTimestamp" not in there[v.uid]["metadata"])

    async def _is_gone(self, operation: Remove, victim: Victim, answer: Answer) -> bool:
        """Whether the pod of that UID is not there any more, or on its way out.

        A conflict alone does not say so: the name may be another pod's by now, or two writes have met. So it is looked.
        """
        if is_not_found(answer, PODS.plural, victim.name):
            return True
        if answer.status != 409 or is_admission(answer):
            return False
        found = await _listed(self._kube, PODS, operation.workload.namespace, victim.name)
        return not any(p["metadata"]["uid"] == victim.uid and "deletionTimestamp" not in p["metadata"] for p in found)

    async def _removed(self, operation: Remove, victim: Victim) -> Answer:
        body: dict[str, Any] = {"preconditions": {"uid": victim.uid}}
        body |= {} if operation.grace is None else {"gracePeriodSeconds": operation.grace}
        return await self._kube.call("DELETE", PODS.one(operation.workload.namespace, victim.name), body)


def _operation(group: OutsideGroup) -> Remove:
    if not isinstance(group.operation, Remove):
        raise TypeError(f"fault {group.fault}: {type(group.operation).__name__} is not for removing pods")
    return group.operation


async def _pods_of(kube: Kube, workload: Target) -> list[dict[str, Any]]:
    """The pods that the workload's controller replaces, known by their owners; none that is on its way out."""
    answer = await kube.get(workload.path)
    if not answer.ok:
        raise _Unlisted(f"read {workload}", answer)
    owners = {str(answer.body["metadata"]["uid"])}
    if between := _BETWEEN.get(workload.kind):
        sets = await _listed(kube, between, workload.namespace)
        owners = {str(one["metadata"]["uid"]) for one in sets if _controller(one) in owners}
    pods = await _listed(kube, PODS, workload.namespace)
    return [p for p in pods if _controller(p) in owners and "deletionTimestamp" not in p["metadata"]]


async def _listed(kube: Kube, kind: Any, namespace: str, name: str = "") -> list[dict[str, Any]]:
    answer = await kube.get(kind.of(namespace), query=[("fieldSelector", f"metadata.name={name}")] if name else [])
    if not answer.ok:
        raise _Unlisted(f"list {kind.plural} in {namespace}", answer)
    return list(answer.body.get("items") or ())


def _controller(item: Mapping[str, Any]) -> str:
    """The UID of the controller that an object is of; empty when it is nobody's."""
    owners = item["metadata"].get("ownerReferences") or ()
    return next((str(owner.get("uid", "")) for owner in owners if owner.get("controller")), "")


def _is_ready(pod: Mapping[str, Any]) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)


def _told(operation: Remove) -> str:
    return f"removed: {', '.join(victim.name for victim in operation.victims)}"


def _planned(operation: Remove, _objects: Mapping[Target, Any]) -> Iterable[str]:
    yield f"{operation.count} pods of {operation.workload} are removed, once; undo: nothing, it makes new ones itself"


def _recorded(operation: Remove) -> str:
    return f"{_told(operation)}; {operation.workload} makes new ones itself"


def _needs(operation: Remove) -> tuple[Need, ...]:
    between = _BETWEEN.get(operation.workload.kind)
    sets = (Need("apps", between.plural, ("list",), ()),) if between else ()
    return (Need("", PODS.plural, ("list", "delete"), ("list",)), *sets)


OPERATION: Final = OperationKind(
    operation=Remove, planned=_planned, recorded=_recorded, reverter=RemovedPods, needs=_needs
)

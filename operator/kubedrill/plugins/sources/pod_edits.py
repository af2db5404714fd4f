"""Pods' watch events: what somebody changed in a pod itself, such as its memory by an in-place resize, or its image.

The workload's template says nothing of it, and the pod's next incarnation has nothing of it: it is a change like any
other, and never one of the cause. The time is when its event was received, less the longest a watch lags, narrowed by
the whole second in `managedFields`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from kubedrill.core.evidence.attribution import Standing, who_is
from kubedrill.core.evidence.facts import Fact, FactKind, Source
from kubedrill.core.evidence.timestamps import Received, instant
from kubedrill.core.plan.drill_plan import FIELD_MANAGER
from kubedrill.kube.paths import PODS
from kubedrill.kube.watch import WatchEvent
from kubedrill.plugins.fields import Difference, change_of_pod, differences
from kubedrill.plugins.sources.base import How, SourceKind, Watched, each
from kubedrill.plugins.sources.pod_fields import OWNER, Pod, workload_of

RESIZE: Final = "resize"
"""The subresource by which a pod's resources are changed in place."""
CONTAINERS: Final = ("initContainers", "containers")
CHANGEABLE: Final = ("name", "image", "resources")
"""What can be changed of a container in a pod that is there; the name tells which one."""
MOST_CHANGES: Final = 20


def facts_of(before: Pod, after: Pod, receipt: Received) -> tuple[Fact, ...]:
    """The facts about what changed between two states of one pod (same UID); all of one write share their `change`."""
    if before["metadata"]["uid"] != after["metadata"]["uid"]:
        return ()
    entry = _writer(before["metadata"].get("managedFields") or (), after["metadata"].get("managedFields") or ())
    found = differences(_changeable(before), _changeable(after), "/spec", "spec")
    return tuple(_change(after, one, entry, receipt) for one in found)[:MOST_CHANGES]


def _changeable(pod: Pod) -> Mapping[str, Any]:
    spec = pod.get("spec") or {}
    containers = {key: [_of_container(one) for one in spec.get(key) or ()] for key in CONTAINERS}
    return {"resources": spec.get("resources") or {}, **containers}


def _of_container(container: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: container[key] for key in CHANGEABLE if key in container}


def _writer(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The entry of whoever wrote between two states; empty when none tells.

    Whoever resizes twice within a second leaves the same entry.
    """
    told = [entry for entry in after if entry.get("subresource") != "status"]
    fresh = [entry for entry in told if entry not in before]
    resized = [entry for entry in told if entry.get("subresource") == RESIZE]
    candidates = fresh or resized * (len(resized) == 1)
    return max(candidates, key=lambda entry: str(entry.get("time", "")), default={})


def _change(pod: Pod, difference: Difference, entry: Mapping[str, Any], receipt: Received) -> Fact:
    meta, target = pod["metadata"], workload_of(pod)
    name, uid, manager, stamp = str(meta["name"]), str(meta["uid"]), str(entry.get("manager", "")), entry.get("time")
    version = meta.get("generation") or stamp or ""
    whose = f" of {target}" if target else ""
    told = f"by {manager}" if manager else "with no field manager"
    return Fact(
        FactKind.TARGET_CHANGED,
        receipt.narrowed(instant(stamp) if stamp else None),
        Source.POD_WATCH,
        f"change/{uid}/{version}{difference.pointer}",
        evidence=f"pod {name}{whose}, in place: {difference.field}: {difference.before} → {difference.after}, {told}",
        detail={
            "target": target,
            "pod": name,
            "path": difference.pointer,
            "field": difference.field,
            "before": difference.before,
            "after": difference.after,
            "manager": manager,
            "automation": who_is(FIELD_MANAGER, manager, ()).standing is Standing.AUTOMATION,
            "change": change_of_pod(meta, stamp or ""),
        },
    )


def _read(event: WatchEvent) -> Iterator[Fact]:
    if event.before is not None and event.type == "MODIFIED":
        yield from facts_of(event.before, event.object, event.receipt)


FIELDS: Final = (
    *OWNER,
    "metadata.generation",
    *(f"metadata.managedFields.{field}" for field in ("manager", "subresource", "time")),
    "spec.resources",
    *(f"spec.{key}.{field}" for key in CONTAINERS for field in CHANGEABLE),
)
SOURCE: Final = SourceKind(
    name="pod_edits",
    how=How.WATCH,
    facts=frozenset({FactKind.TARGET_CHANGED}),
    bounds="the receipt, less the longest that a watch lags; narrowed by the second in managedFields",
    watches=(Watched(PODS, "Pod", FIELDS),),
    reader=lambda _: each(_read),
)

"""Watch events of Deployments and StatefulSets: who changed what, and what their pods look like.

The time of a change is when its event was received, less the longest a live watch lags, narrowed by the
whole second in `managedFields` where there is one (`kubectl scale` and the autoscaler leave none).
The drill's own writes are never reported: they are known by the undo record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubedrill.core.evidence.attribution import Standing, who_is
from kubedrill.core.evidence.facts import Fact, FactKind, Source
from kubedrill.core.evidence.timestamps import Received, instant
from kubedrill.core.plan.drill_plan import FIELD_MANAGER
from kubedrill.plugins.sources.fields import Difference, differences, writer
from kubedrill.plugins.sources.pod_counts import Counted

Workload = Mapping[str, Any]

MOST_CHANGES = 40
AUTOSCALER = "kube-controller-manager"
REPLICAS = "/spec/replicas"


@dataclass(frozen=True, slots=True)
class OwnWrites:
    """What the drill itself wrote, from its undo records.

    `managers` are the records' field manager names; `values` the (target, pointer, value) that it set or put
    back. The values are needed because ownership is handed back at once: after a re-list the manager's name
    may be gone.
    """

    managers: frozenset[str] = frozenset()
    values: frozenset[tuple[str, str, Any]] = frozenset()


def target_of(workload: Workload) -> str:
    """`Deployment/worker`. Items of a list have no kind of their own: the watcher puts it back."""
    return f"{workload['kind']}/{workload['metadata']['name']}"


def changes(before: Workload, after: Workload, receipt: Received, own: OwnWrites) -> tuple[Fact, ...]:
    """The facts about what changed between two states of one workload (same UID).

    All fields of one write have the same `detail["change"]`: the target and the generation that it made.
    """
    if before["metadata"]["uid"] != after["metadata"]["uid"]:
        return ()
    found = []
    for difference in differences(before.get("spec"), after.get("spec"), "/spec", "spec"):
        entry = writer(
            before["metadata"].get("managedFields") or (),
            after["metadata"].get("managedFields") or (),
            difference.pointer,
            after,
        )
        if not _is_own(target_of(after), difference, entry, own):
            found.append(_change(after, difference, entry, receipt))
    return tuple(found[:MOST_CHANGES])


def _is_own(target: str, difference: Difference, entry: Mapping[str, Any] | None, own: OwnWrites) -> bool:
    if entry is not None and entry.get("manager") in own.managers:
        return True
    return entry is None and (target, difference.pointer, difference.after) in own.values


def _change(after: Workload, difference: Difference, entry: Mapping[str, Any] | None, receipt: Received) -> Fact:
    metadata, target = after["metadata"], target_of(after)
    manager = str((entry or {}).get("manager", ""))
    stamp = (entry or {}).get("time")
    automation = who_is(FIELD_MANAGER, manager, ()).standing is Standing.AUTOMATION
    kind = FactKind.SCALED if difference.pointer == REPLICAS else FactKind.TARGET_CHANGED
    told = f"by {manager}" if manager else "with no field manager"
    generation = metadata.get("generation", 0)
    return Fact(
        kind,
        receipt.narrowed(instant(stamp) if stamp else None),
        Source.TARGET_WATCH,
        f"change/{metadata['uid']}/{generation}{difference.pointer}",
        evidence=f"{target} {difference.field}: {difference.before} → {difference.after}, {told}",
        detail={
            "target": target,
            "path": difference.pointer,
            "field": difference.field,
            "before": difference.before,
            "after": difference.after,
            "manager": manager,
            "automation": automation,
            "change": f"{target}@{generation}",
        },
    )


def state(workload: Workload, pods: Counted, receipt: Received) -> Fact:
    """What the workload's pods look like now. `killed` counts the pods that were OOM-killed last."""
    target = target_of(workload)
    desired = int((workload.get("spec") or {}).get("replicas", 1))
    return Fact(
        FactKind.WORKLOAD_STATE,
        receipt.interval(),
        Source.POD_WATCH,
        f"state/{workload['metadata']['uid']}/{receipt.at.isoformat()}",
        evidence=f"{target}: {pods.ready} of {desired} ready, {pods.killed} OOM-killed",
        detail={
            "target": target,
            "ready": pods.ready,
            "desired": desired,
            "unready": pods.pods - pods.ready,
            "killed": pods.killed,
        },
    )


def remembered(workload: Workload) -> dict[str, Any]:
    """What must be kept of a workload to tell, after a gap, what was changed in it meanwhile."""
    metadata = workload["metadata"]
    kept = {k: metadata[k] for k in ("name", "uid", "generation", "resourceVersion", "managedFields") if k in metadata}
    return {"kind": workload["kind"], "metadata": kept, "spec": workload.get("spec") or {}}

"""Watch events of Deployments and StatefulSets: who changed what.

The time of a change is when its event was received, less the longest a live watch lags, narrowed by the
whole second in `managedFields` where there is one (`kubectl scale` and the autoscaler leave none).
The drill's own writes are never reported: they are known by the undo record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kubedrill.core.evidence.attribution import Standing, who_is
from kubedrill.core.evidence.facts import Fact, FactKind, Source
from kubedrill.core.evidence.timestamps import Received, instant
from kubedrill.core.plan.drill_plan import FIELD_MANAGER
from kubedrill.kube.paths import DEPLOYMENTS, STATEFUL_SETS
from kubedrill.kube.watch import WatchEvent
from kubedrill.plugins.fields import REPLICAS, Difference, change_of_workload, differences, writer
from kubedrill.plugins.sources.base import How, OwnWrites, SourceKind, Watched, each

Workload = Mapping[str, Any]

MOST_CHANGES = 40


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
            "change": change_of_workload(after["kind"], metadata),
        },
    )


def _read(event: WatchEvent, own: OwnWrites) -> tuple[Fact, ...]:
    if event.before is None or event.type != "MODIFIED":
        return ()
    return changes(event.before, event.object, event.receipt, own)


FIELDS: Final = (
    "metadata.name",
    "metadata.uid",
    "metadata.generation",
    "metadata.resourceVersion",
    "metadata.managedFields",
    "spec",
)
SOURCE: Final = SourceKind(
    name="workload",
    how=How.WATCH,
    facts=frozenset({FactKind.TARGET_CHANGED, FactKind.SCALED}),
    bounds="the receipt, less the longest that a watch lags; narrowed by the second in managedFields",
    watches=(
        Watched(DEPLOYMENTS, "Deployment", FIELDS, remembered=True),
        Watched(STATEFUL_SETS, "StatefulSet", FIELDS, remembered=True),
    ),
    reader=lambda own: each(lambda event: _read(event, own())),
)

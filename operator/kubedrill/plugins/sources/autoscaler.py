"""A HorizontalPodAutoscaler's watch events: what it scaled itself.

The workload's own `managedFields` don't tell reliably: once a person and the autoscaler have both scaled, the
API server keeps no entry for either. The autoscaler's status does: to how many, and in which second.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kubedrill.core.evidence.facts import Fact, FactKind, Source
from kubedrill.core.evidence.timestamps import Received, instant
from kubedrill.kube.paths import AUTOSCALERS
from kubedrill.plugins.fields import AUTOSCALER, REPLICAS
from kubedrill.plugins.sources.base import How, SourceKind, Watched, each

Autoscaler = Mapping[str, Any]


def facts_of(before: Autoscaler | None, after: Autoscaler, receipt: Received) -> tuple[Fact, ...]:
    """The rescale between two states; without an earlier one, a rescale since it was looked at last."""
    status = after.get("status") or {}
    stamp = status.get("lastScaleTime")
    if not stamp or (before is not None and (before.get("status") or {}).get("lastScaleTime") == stamp):
        return ()
    if before is None and instant(stamp) < receipt.since:
        return ()
    metadata, reference = after["metadata"], after["spec"]["scaleTargetRef"]
    target, replicas = f"{reference['kind']}/{reference['name']}", status.get("desiredReplicas")
    write = f"autoscaler/{metadata['uid']}/{stamp}"
    return (
        Fact(
            FactKind.SCALED,
            receipt.of_second(instant(stamp)),
            Source.TARGET_WATCH,
            write,
            evidence=f"autoscaler {metadata['name']} scaled {target} to {replicas} at {stamp}",
            detail={
                "target": target,
                "path": REPLICAS,
                "field": "spec.replicas",
                "before": None,
                "after": replicas,
                "manager": AUTOSCALER,
                "automation": True,
                "autoscaler": metadata["name"],
                "change": write,
            },
        ),
    )


SOURCE: Final = SourceKind(
    name="autoscaler",
    how=How.WATCH,
    facts=frozenset({FactKind.SCALED}),
    bounds="status.lastScaleTime, a whole second cut off, bounded by the receipt",
    watches=(
        Watched(
            AUTOSCALERS,
            "HorizontalPodAutoscaler",
            (
                "metadata.name",
                "metadata.uid",
                "spec.scaleTargetRef.kind",
                "spec.scaleTargetRef.name",
                "status.lastScaleTime",
                "status.desiredReplicas",
            ),
        ),
    ),
    reader=lambda _: each(
        lambda event: () if event.type == "DELETED" else facts_of(event.before, event.object, event.receipt)
    ),
)

"""Deployments' watch events: pods that could not be made, as the workload's own status says.

A quota, a LimitRange, a webhook or a policy refuses them; the words are the refuser's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubedrill.core.evidence.facts import Fact, FactKind, Source
from kubedrill.core.evidence.timestamps import Received
from kubedrill.kube.paths import DEPLOYMENTS
from kubedrill.kube.watch import WatchEvent
from kubedrill.plugins.sources.base import How, SourceKind, Watched, each

_EXCEEDED: Final = re.compile(r"exceeded quota: ([^\s,]+)")


def facts_of(event: str, workload: Mapping[str, Any], receipt: Received) -> tuple[Fact, ...]:
    """A fact for each time that a workload began to be refused pods; of a quota once for each quota."""
    return () if event == "DELETED" else tuple(_refusals(workload, receipt))


def _refusals(workload: Mapping[str, Any], receipt: Received) -> Iterator[Fact]:
    for condition in (workload.get("status") or {}).get("conditions") or ():
        if condition.get("type") != "ReplicaFailure" or condition.get("status") != "True":
            continue
        found = _EXCEEDED.search(str(condition.get("message", "")))
        quota = found[1] if found else ""
        target = f"{workload['kind']}/{workload['metadata']['name']}"
        yield Fact(
            FactKind.PODS_REFUSED,
            receipt.interval(),
            Source.TARGET_WATCH,
            f"refused/{workload['metadata']['uid']}/{quota}/{condition.get('lastTransitionTime', '')}",
            evidence=f"{target} can't get its pods: {str(condition.get('message', ''))[:200]}",
            detail={"target": target, "quota": quota},
        )


def _read(event: WatchEvent) -> tuple[Fact, ...]:
    return facts_of(event.type, event.object, event.receipt)


SOURCE: Final = SourceKind(
    name="pod_refusals",
    how=How.WATCH,
    facts=frozenset({FactKind.PODS_REFUSED}),
    bounds="the receipt, less the longest that a watch lags",
    watches=(
        Watched(
            DEPLOYMENTS,
            "Deployment",
            (
                "metadata.name",
                "metadata.uid",
                "status.conditions.type",
                "status.conditions.status",
                "status.conditions.message",
                "status.conditions.lastTransitionTime",
            ),
        ),
    ),
    reader=lambda _: each(_read),
)

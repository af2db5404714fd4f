"""Workloads, observations and facts for the tests of faults: a test says what matters to it, no more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from kubedrill.api.base import ApiModel
from kubedrill.api.faults import WorkloadTarget
from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.plan.drill_plan import Endpoint
from kubedrill.core.undo.operations import Refusal, SetFields, Target
from kubedrill.plugins.faults.base import Observed, Plan, WorkingSet
from kubedrill.plugins.faults.memory_limit import MemoryLimit

P = TypeVar("P", bound=ApiModel)
Kind = TypeVar("Kind")

T0 = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
MIB = 1024**2
ARM_WITHIN = timedelta(seconds=30)
HELD = 180
"""The `minReadySeconds` that outlast ARM_WITHIN, whoever has to put back."""
PODS = ("web-5d4f6b7c89-bbbbb", "web-5d4f6b7c89-ccccc", "web-5d4f6b7c89-ddddd")
UID = "11111111-2222-3333-4444-555555555555"
WEB = Target("apps", "v1", "Deployment", "deployments", "shop", "web")
DB = Target("apps", "v1", "StatefulSet", "statefulsets", "shop", "db")


def container(name: str = "main", limit: str | None = "128Mi", request: str | None = None) -> dict[str, Any]:
    resources: dict[str, Any] = {}
    if limit is not None:
        resources["limits"] = {"memory": limit}
    if request is not None:
        resources["requests"] = {"memory": request, "cpu": "10m"}
    return {"name": name, "image": "app:1", "resources": resources}


def deployment(
    replicas: int = 5,
    max_unavailable: int | str = "25%",
    max_surge: int | str = "25%",
    *,
    how: str = "RollingUpdate",
    ready: int = 0,
    containers: list[dict[str, Any]] | None = None,
    spec: Mapping[str, Any] | None = None,
    status: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    strategy: dict[str, Any] = {"type": how}
    if how == "RollingUpdate":
        strategy["rollingUpdate"] = {"maxUnavailable": max_unavailable, "maxSurge": max_surge}
    settled = {
        "observedGeneration": 4,
        "replicas": replicas,
        "updatedReplicas": replicas,
        "availableReplicas": replicas,
    }
    return {
        "metadata": {"name": "web", "namespace": "shop", "generation": 4},
        "spec": {
            "replicas": replicas,
            "minReadySeconds": ready,
            "strategy": strategy,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"spec": {"containers": containers or [container()]}},
            **(spec or {}),
        },
        "status": {**settled, **(status or {})},
    }


def stateful_set(
    replicas: int = 3,
    *,
    partition: int = 0,
    how: str = "RollingUpdate",
    pods: str = "OrderedReady",
    status: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    strategy: dict[str, Any] = {"type": how}
    if how == "RollingUpdate":
        strategy["rollingUpdate"] = {"partition": partition}
    settled = {
        "observedGeneration": 2,
        "replicas": replicas,
        "currentReplicas": replicas,
        "updatedReplicas": replicas,
        "availableReplicas": replicas,
        "currentRevision": "db-1",
        "updateRevision": "db-1",
    }
    return {
        "metadata": {"name": "db", "namespace": "shop", "generation": 2},
        "spec": {
            "replicas": replicas,
            "podManagementPolicy": pods,
            "updateStrategy": strategy,
            "selector": {"matchLabels": {"app": "db"}},
            "template": {"spec": {"containers": [container()]}},
        },
        "status": {**settled, **(status or {})},
    }


def seen(
    objects: Mapping[Target, Mapping[str, Any]] | None = None,
    *,
    used: Mapping[str, int] | None = None,
    fault: str = "squeeze",
) -> Observed:
    """What was read; `used` in MiB by container."""
    return Observed(
        fault=fault,
        drill_uid=UID,
        namespace="shop",
        alertmanager=Endpoint("monitoring", "alertmanager", 9093),
        arm_within=ARM_WITHIN,
        objects=objects or {},
        working_sets={name: WorkingSet(mib * MIB, "the metrics API") for name, mib in (used or {}).items()},
    )


def squeeze(kind: str = "Deployment", name: str = "web", **said: Any) -> MemoryLimit:
    return MemoryLimit(target=WorkloadTarget.model_validate({"kind": kind, "name": name}), **said)


def accepted(decided: Plan[P] | Refusal) -> Plan[P]:
    """A plan; a refusal fails with its message."""
    assert isinstance(decided, Plan), decided
    return decided


def only(plan: Plan[Any] | Refusal, kind: type[Kind]) -> Kind:
    """The one operation of a plan, which is of this kind."""
    (operation,) = accepted(plan).operations
    assert isinstance(operation, kind)
    return operation


def together_of(decided: dict[str, Plan[Any]] | Refusal) -> dict[str, Plan[Any]]:
    """Plans that go together; a refusal fails with its message."""
    assert not isinstance(decided, Refusal), decided
    return decided


def changes(plan: Any) -> dict[str, Any]:
    """What a plan sets, by the last parts of each path; a refusal fails with its message."""
    assert isinstance(plan, Plan), plan
    (operation,) = plan.operations
    assert isinstance(operation, SetFields)
    return {change.path.removeprefix("/spec/"): change.value for change in operation.changes}


def second(after: float, width: float = 0.0) -> Interval:
    """`after` seconds past T0, known to `width` seconds."""
    start = T0 + timedelta(seconds=after)
    return Interval(start, start + timedelta(seconds=width))


def fact(kind: FactKind, at: Interval, **detail: Any) -> Fact:
    return Fact(
        kind,
        at,
        Source.OPERATOR,
        id=f"{kind}/{at.not_before.isoformat()}/{sorted(detail.items())}",
        detail=detail,
    )


def injected(fault: str = "squeeze", at: float = 0) -> Fact:
    return fact(FactKind.FAULT_INJECTED, second(at), fault=fault, target="Deployment/web")


def killed(pod: str, at: float, width: float = 0.0, container: str = "main", *, owner: str = "Deployment/web") -> Fact:
    return fact(FactKind.POD_OOM_KILLED, second(at, width), pod=pod, target=owner, container=container, exitCode=137)

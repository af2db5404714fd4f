"""Objects and answers as the sources give them, saying only what a test is about."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.evidence.timestamps import Received
from kubedrill.core.plan.drill_plan import Participant

DATA = Path(__file__).parent.parent / "data"
NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
ALICE = Participant("alice", "L1", kubernetes="alice@example.com", field_manager="alice")
TOM = Participant("tom", "Engineering", kubernetes="tom@example.com")
PLAYERS = (ALICE, TOM)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def stamp(seconds: float) -> str:
    return at(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def receipt(seconds: float, since: float | None = None, error: float = 0.0) -> Received:
    return Received(at(seconds), at(seconds - 1 if since is None else since), timedelta(seconds=error))


def between(start: float, end: float) -> Interval:
    return Interval(at(start), at(end))


def recorded(name: str) -> Any:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def death(finished: float, container_id: str = "aaa", reason: str = "OOMKilled", code: int = 137) -> dict[str, Any]:
    return {
        "terminated": {
            "containerID": f"containerd://{container_id}",
            "exitCode": code,
            "reason": reason,
            "finishedAt": stamp(finished),
            "startedAt": stamp(finished - 2),
        }
    }


def pod(
    name: str = "worker-abc-1",
    *,
    state: dict[str, Any] | None = None,
    last: dict[str, Any] | None = None,
    restarts: int = 0,
    ready: bool | None = None,
    since: float = 0,
    deleting: bool = False,
    owner: tuple[str, str] = ("ReplicaSet", "worker-abc"),
) -> dict[str, Any]:
    conditions = (
        []
        if ready is None
        else [{"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": stamp(since)}]
    )
    metadata: dict[str, Any] = {
        "name": name,
        "uid": f"uid-{name}",
        "labels": {"pod-template-hash": "abc"},
        "ownerReferences": [{"kind": owner[0], "name": owner[1], "controller": True}],
    }
    if deleting:
        metadata["deletionTimestamp"] = stamp(0)
    status = {"name": "worker", "restartCount": restarts, "state": state or {}, "lastState": last or {}}
    return {"kind": "Pod", "metadata": metadata, "status": {"conditions": conditions, "containerStatuses": [status]}}


def resizable(
    limit: str = "24Mi",
    *,
    generation: int = 1,
    managers: tuple[dict[str, Any], ...] = (),
    image: str = "app",
    name: str = "worker-abc-1",
    owner: tuple[str, str] = ("ReplicaSet", "worker-abc"),
) -> dict[str, Any]:
    """A pod with its spec, by which it can be changed in place."""
    one = pod(name, owner=owner)
    one["metadata"] |= {"generation": generation, "managedFields": [CREATED, *managers]}
    container = {"name": "worker", "image": image, "resources": {"limits": {"memory": limit}}}
    return one | {"spec": {"containers": [container]}}


CREATED = {"manager": "kube-controller-manager", "operation": "Update", "time": "2026-11-23T11:00:00Z"}


def resized(manager: str, seconds: float) -> dict[str, Any]:
    return {"manager": manager, "operation": "Update", "subresource": "resize", "time": stamp(seconds)}


LIMIT = "/spec/template/spec/containers/0/resources/limits/memory"


def deployment(
    limit: str | None = "128Mi",
    replicas: int = 5,
    generation: int = 1,
    managers: tuple[dict[str, Any], ...] = (),
    uid: str = "uid-worker",
) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "worker", "image": "app", "resources": {}}
    if limit:
        container["resources"] = {"limits": {"memory": limit}}
    return {
        "kind": "Deployment",
        "metadata": {"name": "worker", "uid": uid, "generation": generation, "managedFields": list(managers)},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [container]}}},
    }


def wrote_limit(manager: str, seconds: float) -> dict[str, Any]:
    inner: dict[str, Any] = {'k:{"name":"worker"}': {"f:resources": {"f:limits": {"f:memory": {}}}}}
    return {
        "manager": manager,
        "operation": "Update",
        "time": stamp(seconds),
        "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:containers": inner}}}},
    }


def scaled(manager: str) -> dict[str, Any]:
    return {
        "manager": manager,
        "operation": "Update",
        "subresource": "scale",
        "fieldsV1": {"f:spec": {"f:replicas": {}}},
    }


def change(
    fact_id: str = "change/1",
    *,
    kind: FactKind = FactKind.TARGET_CHANGED,
    manager: str = "kubectl-patch",
    start: float = 0,
    end: float = 1,
    after: Any = "128Mi",
    write: str = "Deployment/worker@2",
    field: str = "limits.memory",
    automation: bool = False,
    target: str = "Deployment/worker",
) -> Fact:
    return Fact(
        kind,
        between(start, end),
        Source.TARGET_WATCH,
        fact_id,
        evidence="watched",
        detail={
            "target": target,
            "path": "/" + field,
            "field": field,
            "before": None,
            "after": after,
            "manager": manager,
            "automation": automation,
            "change": write,
        },
    )


def asked(
    user: str,
    *,
    fact_id: str = "audit/r1/x",
    kind: FactKind = FactKind.TARGET_CHANGED,
    start: float = 0.4,
    end: float = 0.41,
    after: Any = "128Mi",
    field: str = "limits.memory",
    write: str = "audit/r1",
    automation: bool = False,
    target: str = "Deployment/worker",
    **more: Any,
) -> Fact:
    return Fact(
        kind,
        between(start, end),
        Source.AUDIT_LOG,
        fact_id,
        evidence="audited",
        detail={
            "target": target,
            "path": "/" + field if field else "",
            "field": field,
            "before": None,
            "after": after,
            "user": user,
            "automation": automation,
            "change": write,
            **more,
        },
    )


def said(player: str, kind: FactKind, seconds: float) -> Fact:
    return Fact(kind, between(seconds, seconds), Source.PLAYER_ACTION, f"action/{player}/{seconds}", player)

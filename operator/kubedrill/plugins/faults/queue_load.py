"""queueLoad: pushes fake jobs to a Redis list or stream at a rate.

Each job is `drill-<drill uid>-<fault>-<n>`, so the undo can tell it from every real one. The effect is known
from what was pushed (`JobsPushed` facts), not from the queue's length: workers may be fast enough.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from kubedrill.api.base import ApiModel, Duration, Line
from kubedrill.api.durations import format_duration, parse_duration
from kubedrill.api.faults import ServiceRef
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.core.paths import service_host
from kubedrill.core.undo.operations import Enqueue, Refusal, Target
from kubedrill.plugins.faults.base import Effect, FaultKind, Observed, Plan, injection


class QueueKind(StrEnum):
    """How the queue is kept in Redis."""

    LIST = "List"
    STREAM = "Stream"


class QueueLoad(ApiModel):
    """Pushes fake jobs, each with a removable id, to a Redis list or stream at a rate."""

    redis: ServiceRef = Field(
        default_factory=lambda: ServiceRef(name="redis", port=6379),
        description="The Redis Service. Derived when left out: redis:6379 in the target namespace.",
    )
    kind: QueueKind = Field(QueueKind.LIST, description="List or Stream.")
    key: Line = Field(description="The list's or stream's key.")
    in_flight: list[Line] = Field(
        default_factory=list,
        max_length=8,
        description="Keys or key patterns (glob) in which the app keeps jobs that were taken, put off or are to"
        " be tried again: lists, streams, sorted sets, hashes or sets. The undo takes fake jobs out of them.",
    )
    rate_per_second: int = Field(ge=1, le=1000, description="Fake jobs pushed per second.")
    count: int = Field(ge=1, le=100_000, description="How many fake jobs are pushed at the most.")
    job: Annotated[dict[str, Line], Field(max_length=16)] = Field(
        default_factory=dict,
        description="Fields of each fake job beside its id; a job is a JSON object (stream: the entry's fields).",
    )
    redelivery: Duration = Field(
        "15s",
        description="How long the app may take to put a job back after a worker died. The undo is done when"
        " no fake job was seen for longer than this.",
    )


def targets(params: QueueLoad, namespace: str) -> tuple[Target, ...]:
    """The Redis Service."""
    return (_service(params, namespace),)


def plan(params: QueueLoad, seen: Observed) -> Plan[QueueLoad] | Refusal:
    """Push the jobs; refused when there is no such Service or port, or when a job brings an id of its own."""
    target = _service(params, seen.namespace)
    service = seen.objects.get(target)
    if service is None:
        return Refusal(
            "QueueNotFound",
            f"there is no Service {target.name} in namespace {target.namespace}: name the queue's one in redis",
        )
    ports = [int(p["port"]) for p in service.get("spec", {}).get("ports", ())]
    if params.redis.port not in ports:
        return Refusal(
            "QueueNotFound",
            f"Service {target.name} has no port {params.redis.port}: it has {', '.join(map(str, ports)) or 'none'}",
        )
    if "id" in params.job:
        return Refusal("JobHasId", "a fake job gets its id from the drill: leave `id` out of job")
    if params.key in params.in_flight:
        return Refusal("QueueIsInFlight", f"{params.key} is the queue itself: leave it out of inFlight")
    operation = Enqueue(
        host=service_host(target.name, target.namespace),
        port=params.redis.port,
        kind=params.kind.value,
        key=params.key,
        in_flight=tuple(params.in_flight),
        prefix=f"drill-{seen.drill_uid}-{seen.fault}-",
        count=params.count,
        rate=params.rate_per_second,
        job=dict(params.job),
        redelivery=parse_duration(params.redelivery),
        namespace=target.namespace,
    )
    notes = [f"the undo is done when no fake job was seen for longer than {params.redelivery} (redelivery)"]
    if params.kind is QueueKind.LIST and not params.in_flight:
        notes.append(
            "inFlight is empty: fake jobs are looked for in the queue alone, and one in the hands of a worker, or"
            " put off to be tried again, is found only if it comes back within the redelivery time"
        )
    return Plan((operation,), params, f"Redis {params.redis.name}, {params.key}", tuple(notes))


def effect(name: str, params: QueueLoad, facts: Iterable[Fact]) -> Effect:
    """The first second's worth of jobs is in the queue."""
    facts, wanted = tuple(facts), min(params.rate_per_second, params.count)
    if injection(name, facts) is None:
        return Effect(0, wanted, "not injected")
    pushes = [f for f in facts if f.kind is FactKind.JOBS_PUSHED and f.detail.get("fault") == name]
    pushed = max((int(f.detail.get("pushed", 0)) for f in pushes), default=0)
    reached = [f.at for f in pushes if int(f.detail.get("pushed", 0)) >= wanted]
    return Effect(
        pushed,
        wanted,
        f"{pushed} of {params.count} fake jobs pushed to {params.key}",
        min(reached, default=None),
    )


def describe(params: QueueLoad, plan: Plan[QueueLoad]) -> tuple[str, ...]:
    """One line for what is done, then the notes."""
    seconds = -(-params.count // params.rate_per_second)
    where = f"the {params.kind.value.lower()} {params.key} of Service {params.redis.name}"
    pace = f"{params.rate_per_second} a second for {format_duration(timedelta(seconds=seconds))}"
    return (f"queueLoad: {params.count} fake jobs to {where}, {pace}", *plan.notes)


def _service(params: QueueLoad, namespace: str) -> Target:
    return Target("", "v1", "Service", "services", params.redis.namespace or namespace, params.redis.name)


FAULT: Final = FaultKind(
    kind="queueLoad",
    params=QueueLoad,
    summary="Push fake, removable jobs to a Redis queue.",
    targets=targets,
    rights=(),
    plan=plan,
    describe=describe,
    effect=effect,
    called=("QueueLoad", "Load", "Overload", "Flood", "Burst"),
)

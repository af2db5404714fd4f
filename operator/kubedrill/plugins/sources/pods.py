"""A pod's watch events: out-of-memory kills, crash loops, images that can't be pulled, readiness, disappearance.

No Event object tells of an OOM kill, and metrics miss containers that live for a second: the pod's own
status is the only source. A death is named by its container's runtime id, which stays the same when it moves
from `state` to `lastState` (the restart count does not: it is one higher once the next container runs).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubedrill.core.evidence.facts import Fact, FactKind, Source
from kubedrill.core.evidence.timestamps import Received, instant
from kubedrill.kube.paths import PODS
from kubedrill.plugins.sources.base import How, SourceKind, Watched, each
from kubedrill.plugins.sources.pod_fields import (
    OWNER,
    READINESS,
    Pod,
    container_statuses,
    is_ready,
    ready_condition,
    workload_of,
)

# Why a container waits whose image can't be had; the first two take turns for as long as it is tried again.
NOT_PULLED: Final = frozenset({"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"})
_OF_DEATH: Final = ("reason", "exitCode", "finishedAt", "containerID")
_OF_STATE: Final = (
    "state.waiting.reason",
    *(f"{place}.terminated.{field}" for place in ("state", "lastState") for field in _OF_DEATH),
)


def facts_of(event: str, pod: Pod, receipt: Received, before: Pod | None = None) -> tuple[Fact, ...]:
    """The facts in one event (ADDED, MODIFIED, DELETED) of a pod; `before` is its last known state."""
    return tuple(_facts(event, pod, receipt, before))


def _facts(event: str, pod: Pod, receipt: Received, before: Pod | None) -> Iterator[Fact]:
    for status in container_statuses(pod):
        yield from _kills(pod, status, receipt)
        yield from _crash_loop(pod, status, receipt)
        yield from _missing_image(pod, status, receipt)
    if event == "DELETED":
        yield _fact(FactKind.POD_GONE, f"gone/{_uid(pod)}", pod, receipt.interval(), "was deleted")
    else:
        yield from _readiness(pod, receipt, before)


def _kills(pod: Pod, status: Mapping[str, Any], receipt: Received) -> Iterator[Fact]:
    for place in ("lastState", "state"):
        death = (status.get(place) or {}).get("terminated")
        if not death or death.get("reason") != "OOMKilled":
            continue
        container, exit_code = str(status["name"]), int(death.get("exitCode", 0))
        at = receipt.of_second(instant(death["finishedAt"]))
        yield _fact(
            FactKind.POD_OOM_KILLED,
            f"oom/{_uid(pod)}/{container}/{_death_id(death)}",
            pod,
            at,
            f"container {container} ended: OOMKilled, exit {exit_code}, finishedAt {death['finishedAt']}",
            container=container,
            exitCode=exit_code,
            restartCount=int(status.get("restartCount", 0)),
        )


def _crash_loop(pod: Pod, status: Mapping[str, Any], receipt: Received) -> Iterator[Fact]:
    if ((status.get("state") or {}).get("waiting") or {}).get("reason") != "CrashLoopBackOff":
        return
    death = (status.get("lastState") or {}).get("terminated") or {}
    at = receipt.after(instant(death["finishedAt"])) if death.get("finishedAt") else receipt.interval()
    container, restarts = str(status["name"]), int(status.get("restartCount", 0))
    yield _fact(
        FactKind.POD_CRASH_LOOPING,
        f"crashloop/{_uid(pod)}/{container}/{_death_id(death)}",
        pod,
        at,
        f"container {container} waits: CrashLoopBackOff, {restarts} restarts",
        container=container,
        restartCount=restarts,
    )


def _missing_image(pod: Pod, status: Mapping[str, Any], receipt: Received) -> Iterator[Fact]:
    """One fact a container, however often it is tried. The image is told as its pod asks for it."""
    reason = str(((status.get("state") or {}).get("waiting") or {}).get("reason", ""))
    if reason not in NOT_PULLED:
        return
    container = str(status["name"])
    image = next((str(c.get("image", "")) for c in _containers(pod) if c.get("name") == container), "")
    yield _fact(
        FactKind.IMAGE_NOT_PULLED,
        f"image/{_uid(pod)}/{container}",
        pod,
        receipt.interval(),
        f"container {container} waits: {reason}, {image}",
        container=container,
        image=image,
        reason=reason,
    )


def _readiness(pod: Pod, receipt: Received, before: Pod | None) -> Iterator[Fact]:
    condition = ready_condition(pod)
    stamp = condition.get("lastTransitionTime")
    if not stamp:
        return
    at = receipt.of_second(instant(stamp))
    if condition.get("status") == "True":
        yield _fact(
            FactKind.POD_READY,
            f"ready/{_uid(pod)}/{stamp}",
            pod,
            at,
            f"condition Ready is True since {stamp}",
            made=str(pod["metadata"].get("creationTimestamp", "")),
        )
    elif before is not None and is_ready(before):
        # A pod that was never ready has not become unready.
        yield _fact(
            FactKind.POD_UNREADY,
            f"unready/{_uid(pod)}/{stamp}",
            pod,
            at,
            f"condition Ready is False since {stamp}",
        )


def _containers(pod: Pod) -> Iterator[Mapping[str, Any]]:
    spec = pod.get("spec") or {}
    for key in ("initContainers", "containers"):
        yield from spec.get(key) or ()


def _death_id(death: Mapping[str, Any]) -> str:
    return str(death.get("containerID") or death.get("finishedAt") or "").rpartition("/")[2][:16]


def _uid(pod: Pod) -> str:
    return str(pod["metadata"]["uid"])


def _fact(kind: FactKind, fact_id: str, pod: Pod, at: Any, what: str, **detail: Any) -> Fact:
    name = str(pod["metadata"]["name"])
    return Fact(
        kind,
        at,
        Source.POD_WATCH,
        fact_id,
        evidence=f"pod {name}: {what}",
        detail={"pod": name, "target": workload_of(pod), **detail},
    )


FIELDS: Final = (
    *OWNER,
    *READINESS,
    "metadata.creationTimestamp",
    *(
        f"status.{statuses}.{field}"
        for statuses in ("initContainerStatuses", "containerStatuses")
        for field in ("name", "restartCount", *_OF_STATE)
    ),
    *(f"spec.{containers}.{field}" for containers in ("initContainers", "containers") for field in ("name", "image")),
)
SOURCE: Final = SourceKind(
    name="pods",
    how=How.WATCH,
    facts=frozenset(
        {
            FactKind.POD_OOM_KILLED,
            FactKind.POD_CRASH_LOOPING,
            FactKind.IMAGE_NOT_PULLED,
            FactKind.POD_READY,
            FactKind.POD_UNREADY,
            FactKind.POD_GONE,
        }
    ),
    bounds="the kubelet's stamp, a whole second cut off, bounded by the receipt; without a stamp the receipt",
    watches=(Watched(PODS, "Pod", FIELDS),),
    reader=lambda _: each(lambda event: facts_of(event.type, event.object, event.receipt, event.before)),
)

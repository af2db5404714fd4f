"""Why a change of a workload's template had no effect in its time, from the workload and its pods as they are then.

Each sentence says what is there, and what to do for the fault to have its effect.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from kubedrill.api.faults import WorkloadTarget
from kubedrill.plugins.faults.base import Aftermath

Pod = Mapping[str, Any]
MOST_WORDS: Final = 300
_OWNERS: Final = {"Deployment": "ReplicaSet", "StatefulSet": "StatefulSet"}
_OUT_OF_MEMORY: Final = "OOMKilled"
_ADVICE: Final = (
    (re.compile(r"minimum memory usage per Container is ([0-9.]+[A-Za-z]*)"), "ask for a `limit` of {} or more"),
    (re.compile(r"exceeded quota: ([^\s,]+)"), "free room in ResourceQuota {}, or raise it"),
    (re.compile(r"admission webhook \"([^\"]+)\""), "ask whoever runs the webhook {} to let the drill's pods through"),
    (
        re.compile(r"ValidatingAdmissionPolicy '([^']+)'"),
        "ask whoever owns the policy {} to let the drill's pods through",
    ),
)


def why_no_pod(target: WorkloadTarget, after: Aftermath, is_changed: Callable[[Pod], bool]) -> Iterator[str]:
    """Why no pod with the change runs: pods are refused, still to come, or wait for one that ends."""
    refused = _refused(target, after)
    if refused:
        yield f"new pods of {target} are refused: {refused[:MOST_WORDS]}"
        yield from (
            advice.format(found[1]) for pattern, advice in _ADVICE if (found := pattern.search(refused)) is not None
        )
    mine = pods_of(target, after)
    changed = [pod for pod in mine if is_changed(pod) and not is_ending(pod)]
    ending = [pod for pod in mine if is_ending(pod)]
    if ending and not any(map(_has_started, changed)):
        names = ", ".join(_name(pod) for pod in ending[:3])
        yield f"{names} still ending, and its place is not free before: give it more time with `armWithin`"
    if not changed and not refused:
        yield f"no pod of {target} has the change yet: its rollout did not reach one in time"
    for pod in changed[:3]:
        yield from _held_up(pod)


def crashes(pods: Iterable[Pod], container: str) -> Iterator[str]:
    """Deaths of a container that were not the kernel's doing, such as exit code 3 of a runtime without memory."""
    for pod in pods:
        for status in _statuses(pod, container):
            deaths = [(status.get(place) or {}).get("terminated") or {} for place in ("state", "lastState")]
            death = next((d for d in deaths if int(d.get("exitCode") or 0)), None)
            if death and death.get("reason") != _OUT_OF_MEMORY:
                yield f"{_name(pod)}: container {container} ended by itself with exit code {death.get('exitCode')}"


def pods_of(target: WorkloadTarget, after: Aftermath) -> list[Pod]:
    """The pods of a workload: of its labels, and its controller's own."""
    body = next((b for t, b in after.objects.items() if (t.kind, t.name) == (target.kind, target.name)), {})
    wanted = labels_of(body).items()
    return [pod for pod in after.pods if wanted and wanted <= _labels(pod).items() and _is_owned(pod, target.kind)]


def labels_of(workload: Mapping[str, Any]) -> Mapping[str, str]:
    """The labels by which a workload knows its pods."""
    return dict((((workload.get("spec") or {}).get("selector") or {}).get("matchLabels")) or {})


def is_ending(pod: Pod) -> bool:
    """Whether it is on its way out."""
    return bool(pod["metadata"].get("deletionTimestamp"))


def is_running(pod: Pod, container: str) -> bool:
    """Whether that container of it runs."""
    return any("running" in (status.get("state") or {}) for status in _statuses(pod, container))


def _refused(target: WorkloadTarget, after: Aftermath) -> str:
    body = next((b for t, b in after.objects.items() if (t.kind, t.name) == (target.kind, target.name)), {})
    conditions = (body.get("status") or {}).get("conditions") or ()
    failing = (c for c in conditions if c.get("type") == "ReplicaFailure" and c.get("status") == "True")
    return " ".join(next((str(c.get("message", "")) for c in failing), "").split())


def _held_up(pod: Pod) -> Iterator[str]:
    """What keeps a pod from starting: that no node takes it, or what a container waits for."""
    status = pod.get("status") or {}
    unplaced = (
        c for c in status.get("conditions") or () if c.get("type") == "PodScheduled" and c.get("status") != "True"
    )
    for condition in unplaced:
        yield f"{_name(pod)} has no node: {str(condition.get('message', ''))[:MOST_WORDS]}"
    for one in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        waits = (one.get("state") or {}).get("waiting") or {}
        if waits and waits.get("reason") != "CrashLoopBackOff":
            more = f" ({str(waits['message'])[:MOST_WORDS]})" if waits.get("message") else ""
            yield f"{_name(pod)}: container {one.get('name')} waits: {waits.get('reason')}{more}"


def _has_started(pod: Pod) -> bool:
    return bool((pod.get("status") or {}).get("containerStatuses"))


def _statuses(pod: Pod, container: str) -> list[Mapping[str, Any]]:
    status = pod.get("status") or {}
    told = (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ()))  # sidecars, too
    return [one for one in told if one.get("name") == container]


def _is_owned(pod: Pod, kind: str) -> bool:
    owners = pod["metadata"].get("ownerReferences") or ()
    return any(o.get("controller") and o.get("kind") == _OWNERS.get(kind) for o in owners)


def _labels(pod: Pod) -> Mapping[str, str]:
    return pod["metadata"].get("labels") or {}


def _name(pod: Pod) -> str:
    return f"pod {pod['metadata']['name']}"

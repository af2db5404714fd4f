"""What of a pod more than one source reads: whose it is, and whether it is ready or was killed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

Pod = Mapping[str, Any]
OWNER: Final = (
    "metadata.name",
    "metadata.uid",
    "metadata.labels.pod-template-hash",
    "metadata.ownerReferences.kind",
    "metadata.ownerReferences.name",
    "metadata.ownerReferences.controller",
)
"""The fields that tell whose a pod is."""
READINESS: Final = (
    "metadata.deletionTimestamp",
    "status.conditions.type",
    "status.conditions.status",
    "status.conditions.lastTransitionTime",
)
"""The fields that tell whether it is ready."""
DEATHS: Final = tuple(
    f"status.{statuses}.{place}.terminated.reason"
    for statuses in ("initContainerStatuses", "containerStatuses")
    for place in ("state", "lastState")
)
"""The fields that tell whether it was OOM-killed."""


def ready_condition(pod: Pod) -> Mapping[str, Any]:
    """The pod's condition Ready; empty when it has none yet."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return next((c for c in conditions if c.get("type") == "Ready"), {})


def is_ready(pod: Pod) -> bool:
    """Whether the pod is ready and not on its way out."""
    return ready_condition(pod).get("status") == "True" and not pod["metadata"].get("deletionTimestamp")


def is_out_of_memory(pod: Pod) -> bool:
    """Whether one of its containers was OOM-killed last, as far as its status still tells."""
    return any(
        ((status.get(place) or {}).get("terminated") or {}).get("reason") == "OOMKilled"
        for status in container_statuses(pod)
        for place in ("state", "lastState")
    )


def workload_of(pod: Pod) -> str:
    """The workload that a pod belongs to (`Deployment/worker`), empty when it is nobody's.

    A Deployment's ReplicaSet is called after it and the hash of its template, which the pod has as a label.
    """
    metadata = pod["metadata"]
    owner: Mapping[str, Any] = next((o for o in metadata.get("ownerReferences") or () if o.get("controller")), {})
    kind, name = str(owner.get("kind", "")), str(owner.get("name", ""))
    suffix = "-" + str((metadata.get("labels") or {}).get("pod-template-hash", ""))
    if kind == "ReplicaSet" and len(suffix) > 1 and name.endswith(suffix):
        return f"Deployment/{name.removesuffix(suffix)}"
    return f"{kind}/{name}" if kind else ""


def container_statuses(pod: Pod) -> Iterator[Mapping[str, Any]]:
    """The statuses of all its containers, those that prepare it among them."""
    status = pod.get("status") or {}
    for key in ("initContainerStatuses", "containerStatuses"):
        yield from status.get(key) or ()

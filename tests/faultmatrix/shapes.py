"""The objects of a plan: its workloads, its drill, what each fault kind looks like."""

from __future__ import annotations

from typing import Any, Final

from tests.faultmatrix.kubelet import FAULTED, LABEL, NO_SUCH_IMAGE, SCHEDULER
from tests.faultmatrix.services import ALERT, Services

from kubedrill.core.paths import ApiPath
from kubedrill.core.undo.pointers import read

PEOPLE: Final = frozenset({"kubectl-set", "kubectl-edit", "kubectl-replace", "kustomize-controller"})
"""The field managers of people and of their machines (`people.py`); whoever makes a target first is none of them."""
GOOD: Final = "64Mi"
IMAGE: Final = "none"
CONTAINER: Final = "/spec/template/spec/containers/0"
LIMIT: Final = f"{CONTAINER}/resources/limits/memory"
WEB: Final = {"kind": "Deployment", "name": "web"}
QUOTA: Final = "limits"
PLURALS: Final = {"Deployment": "deployments", "StatefulSet": "statefulsets"}
FAULTS: Final = (
    "memory-limit",
    "stateful-set",
    "bad-image",
    "resource-quota",
    "pod-kill",
    "queue-load",
    "alert",
    "manual",
    "two-targets",
    "two-faults",
)


def workload(kind: str, namespace: str, name: str) -> dict[str, Any]:
    """One pod that nobody runs; its container's limit is the field that is touched."""
    labels = {LABEL: "yes", "app": name}
    resources = {"limits": {"memory": GOOD}, "requests": {"memory": GOOD}}
    container = {"name": "app", "image": IMAGE, "resources": resources}
    pod = {
        "schedulerName": SCHEDULER,
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
        "automountServiceAccountToken": False,
    }
    spec: dict[str, Any] = {
        "replicas": 1,
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    if kind == "StatefulSet":
        spec["serviceName"] = name
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def as_made(found: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether the workload is as it was made: nothing that an earlier plan or its people have left."""
    meta = found["metadata"]
    if meta.get("labels") or meta.get("deletionTimestamp") or len(_who_hold_its_spec(meta)) > 1:
        return False
    here, there = found["spec"], wanted["spec"]
    same_labels = here["template"]["metadata"]["labels"] == there["template"]["metadata"]["labels"]
    return (
        value_of(found) == GOOD
        and here["replicas"] == there["replicas"]
        and not here.get("minReadySeconds")
        and same_labels
    )


def _who_hold_its_spec(meta: dict[str, Any]) -> set[str]:
    """Who made it, and whoever of an earlier plan has changed it: a controller among them may do so again."""
    entries = meta.get("managedFields") or ()
    return {str(one.get("manager")) for one in entries if "f:spec" in (one.get("fieldsV1") or {})}


def value_of(thing: dict[str, Any]) -> Any:
    """What a target, or a revision of it, has: its limit, or that a fault is in, whichever field that is."""
    image = read(thing, f"{CONTAINER}/image")
    return FAULTED if image == NO_SUCH_IMAGE else read(thing, LIMIT)


def settled(kind: str, found: dict[str, Any]) -> bool:
    """Whether its controller has done all that the workload's spec asks for."""
    status, spec = found.get("status") or {}, found.get("spec") or {}
    if not spec or status.get("observedGeneration", 0) < found["metadata"].get("generation", 0):
        return False
    if status.get("updateRevision") != status.get("currentRevision"):
        return False
    updated = status.get("currentReplicas" if kind == "StatefulSet" else "updatedReplicas", 0)
    return bool(updated == status.get("replicas", 0) == status.get("availableReplicas", 0) == spec["replicas"])


def targets_of(fault: str) -> tuple[tuple[str, str], ...]:
    """Kind and name of the workloads that a fault touches."""
    return {
        "memory-limit": (("Deployment", "web"),),
        "stateful-set": (("StatefulSet", "db"),),
        "bad-image": (("Deployment", "web"),),
        "pod-kill": (("Deployment", "web"),),
        "two-targets": (("Deployment", "web"), ("Deployment", "api")),
        "two-faults": (("Deployment", "web"),),
    }.get(fault, ())


def makes(fault: str) -> bool:
    """Whether a fault makes the quota, which is there only while it is in."""
    return fault == "resource-quota"


def removes(fault: str) -> bool:
    """Whether a fault removes pods, one in each plan."""
    return fault == "pod-kill"


def quota(pods: str) -> dict[str, Any]:
    """A quota as somebody makes it under the name that the fault would give it."""
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": QUOTA}, "spec": {"hard": {"pods": pods}}}


def quotas_of(namespace: str) -> ApiPath:
    """The path of the quotas of a namespace."""
    return ApiPath(f"/api/v1/namespaces/{namespace}/resourcequotas")


def drill(name: str, control: str, target: str, fault: str, at: Services, changes: dict[str, Any]) -> dict[str, Any]:
    """The Drill of a plan. Services are found on loopback by their ports."""
    spec: dict[str, Any] = {
        "targetNamespace": target,
        "pace": 60,
        "monitoring": {
            "prometheus": {"name": "prometheus", "port": at.prometheus},
            "alertmanager": {"name": "alertmanager", "port": at.alertmanager},
        },
        "scenario": {
            "title": "a plan of the fault matrix",
            "faults": _faults(fault, target, at),
            "expectedAlerts": [{"name": "Announced" if fault == "alert" else ALERT}],
        },
    }
    return {
        "apiVersion": "kubedrill.dev/v1alpha1",
        "kind": "Drill",
        "metadata": {"name": name, "namespace": control},
        "spec": spec | changes | {"scenario": spec["scenario"] | changes.get("scenario", {})},
    }


def queue_of(target: str) -> str:
    """The key of a slot's queue."""
    return f"{target}:jobs"


def _faults(fault: str, target: str, at: Services) -> list[dict[str, Any]]:
    limits = [
        {
            "name": f"limit-{name}",
            "memoryLimit": {"target": {"kind": kind, "name": name}, "limit": FAULTED, "affected": 1},
        }
        for kind, name in targets_of(fault)
    ]
    queue = {
        "name": "flood",
        "queueLoad": {
            "redis": {"name": "redis", "port": at.redis},
            "key": queue_of(target),
            "inFlight": [f"{target}:inflight:*"],
            "ratePerSecond": 50,
            "count": 100,
            "redelivery": "1s",
        },
    }
    return {
        "bad-image": [{"name": "release", "badImage": {"target": WEB, "image": NO_SUCH_IMAGE, "affected": 1}}],
        "resource-quota": [{"name": "full", "resourceQuota": {"name": QUOTA}}],
        "pod-kill": [{"name": "lost", "podKill": {"target": WEB, "gracePeriod": "0s"}}],
        "queue-load": [queue],
        "alert": [{"name": "announce", "alert": {"alert": "Announced"}}],
        "manual": [{"name": "by-hand", "manual": {"do": "pull the plug", "undo": "plug it in"}}],
        "two-faults": [*limits, queue],
    }.get(fault, limits)


def service(namespace: str, name: str, port: int) -> dict[str, Any]:
    """A Service: there for the plan's look at it; on loopback in truth."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"app": "none"}, "ports": [{"port": port}]},
    }

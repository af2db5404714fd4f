"""A Deployment or StatefulSet as a fault finds it: what of its object decides which pods a change reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kubedrill.api.faults import WorkloadTarget
from kubedrill.core.rights import Right
from kubedrill.core.undo.operations import Refusal, Target
from kubedrill.plugins.faults.base import Observed

RIGHTS_TO_CHANGE: Final = (
    Right("apps", "deployments", "patch"),
    Right("apps", "statefulsets", "patch"),
    Right("apps", "replicasets", "delete"),
    Right("apps", "controllerrevisions", "delete"),
    Right("", "pods", "delete"),
)
"""What it takes to change a workload's template, and to clear away after the undo what its controller keeps of it."""
PLURALS: Final = {"Deployment": "deployments", "StatefulSet": "statefulsets"}

_DEFAULT_PERCENT = "25%"
_DEFAULT_CONTAINER: Final = "kubectl.kubernetes.io/default-container"
"""An annotation of pods: the container that is meant where none is named (kubectl logs and exec take it, too)."""
CONTAINER: Final = (
    "Name of the container, which may be a sidecar (an init container with restartPolicy Always). Derived when left"
    f" out: the one that the annotation {_DEFAULT_CONTAINER} of the pods names, else the first."
)
"""What the API says of a fault's container."""


@dataclass(frozen=True, slots=True)
class Container:
    """A container of the template: where it stands, its image, and its memory as quantities (None: not set)."""

    path: str
    name: str
    image: str
    limit: str | None
    request: str | None


@dataclass(frozen=True, slots=True)
class Workload:
    """A workload. `how` is its strategy's type: RollingUpdate, Recreate or OnDelete.

    `max_unavailable` and `max_surge` are a Deployment's, `partition` and `ordered` a StatefulSet's.
    `unsettled` says why it is in the middle of a rollout, and is empty when it is not. `containers` begin with the
    one that is meant where none is named.
    """

    kind: str
    name: str
    replicas: int
    how: str
    max_unavailable: int | str
    max_surge: int | str
    partition: int
    ordered: bool
    min_ready: int
    progress_deadline: int
    labels: Mapping[str, str]
    containers: tuple[Container, ...]
    paused: bool
    deleting: bool
    unsettled: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    @classmethod
    def read(cls, kind: str, obj: Mapping[str, Any]) -> Workload:
        """From the object as the API server gave it; what it leaves out has the API's default."""
        spec = obj["spec"]
        stateful = kind == "StatefulSet"
        strategy = spec.get("updateStrategy" if stateful else "strategy", {})
        rolling = strategy.get("rollingUpdate", {})
        replicas = int(spec.get("replicas", 1))
        return cls(
            kind=kind,
            name=str(obj["metadata"]["name"]),
            replicas=replicas,
            how=str(strategy.get("type", "RollingUpdate")),
            max_unavailable=rolling.get("maxUnavailable", _DEFAULT_PERCENT),
            max_surge=rolling.get("maxSurge", _DEFAULT_PERCENT),
            partition=int(rolling.get("partition", 0)),
            ordered=stateful and spec.get("podManagementPolicy", "OrderedReady") == "OrderedReady",
            min_ready=int(spec.get("minReadySeconds", 0)),
            progress_deadline=int(spec.get("progressDeadlineSeconds", 600)),
            labels=dict(spec["selector"].get("matchLabels", {})),
            containers=tuple(_containers(spec["template"])),
            paused=bool(spec.get("paused")),
            deleting="deletionTimestamp" in obj["metadata"],
            unsettled=_unsettled(stateful, replicas, obj),
        )

    def container(self, name: str | None) -> Container | Refusal:
        """The container of that name, the one that is meant when no name is given."""
        found = next((c for c in self.containers if name in (None, c.name)), None)
        names = ", ".join(c.name for c in self.containers)
        return found or Refusal("ContainerUnknown", f"{self} has no container {name}: it has {names}")


def object_of(target: WorkloadTarget, namespace: str) -> Target:
    """A workload as it is read: its status counts its pods."""
    return Target("apps", "v1", target.kind, PLURALS[target.kind], namespace, target.name)


def found(target: Target, seen: Observed) -> Workload | Refusal:
    """A workload as it was read, in whatever state it is."""
    if target not in seen.objects:
        return Refusal("TargetNotFound", f"there is no {target} in namespace {seen.namespace}")
    return Workload.read(target.kind, seen.objects[target])


def refusal_of_state(workload: Workload) -> Refusal | None:
    """Why a workload in this state can't be faulted predictably, or nothing."""
    reasons = (
        (workload.deleting, "BeingDeleted", f"{workload} is being deleted"),
        (
            workload.paused,
            "Paused",
            f"{workload} is paused, so a change reaches no pod: kubectl rollout resume it first",
        ),
        (
            workload.replicas == 0,
            "NoPods",
            f"{workload} is scaled to 0, so no pod can be hit: scale it up first",
        ),
        (
            workload.how == "OnDelete",
            "OnDelete",
            f"{workload} replaces pods only when somebody deletes them: choose one with RollingUpdate",
        ),
        (
            bool(workload.unsettled),
            "RolloutInProgress",
            f"{workload} is not settled ({workload.unsettled}): wait for kubectl rollout status",
        ),
    )
    return next((Refusal(reason, message) for holds, reason, message in reasons if holds), None)


def _containers(template: Mapping[str, Any]) -> list[Container]:
    """All that run for as long as the pod does, sidecars last; the annotated one comes first."""
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    meant = str(annotations.get(_DEFAULT_CONTAINER, ""))
    main = _listed(template, "containers")
    sidecars = (c for c, spec in _listed(template, "initContainers") if spec.get("restartPolicy") == "Always")
    return sorted([*(c for c, _ in main), *sidecars], key=lambda c: c.name != meant)


def _listed(template: Mapping[str, Any], where: str) -> list[tuple[Container, Mapping[str, Any]]]:
    return [
        (
            Container(
                f"/spec/template/spec/{where}/{i}",
                str(c["name"]),
                str(c.get("image", "")),
                _memory(c, "limits"),
                _memory(c, "requests"),
            ),
            c,
        )
        for i, c in enumerate(template["spec"].get(where) or ())
    ]


def _memory(container: Mapping[str, Any], what: str) -> str | None:
    value = container.get("resources", {}).get(what, {}).get("memory")
    return None if value is None else str(value)


def _unsettled(stateful: bool, replicas: int, obj: Mapping[str, Any]) -> str:
    """What `kubectl rollout status` would wait for, and a StatefulSet's two revisions behind a partition."""
    status = obj.get("status", {})
    if status.get("observedGeneration", 0) < obj["metadata"].get("generation", 0):
        return "its controller has not seen the last change yet"
    if status.get("updateRevision") != status.get("currentRevision"):
        return "its pods have two revisions"
    current = status.get("currentReplicas" if stateful else "updatedReplicas", 0)
    if current != replicas:
        return f"{current} of {replicas} pods have the current template"
    if status.get("replicas", 0) != replicas:
        return f"{status.get('replicas', 0)} pods instead of {replicas}"
    available = status.get("availableReplicas", 0)
    return "" if available == replicas else f"{available} of {replicas} pods are available"

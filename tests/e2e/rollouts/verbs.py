"""What people type to repair a workload whose pods are killed for want of memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tests.e2e.faults.field import kubectl
from tests.e2e.faults.rows import Row

Verb = Callable[[str, Row], None]
REPAIRED: Final = "80Mi"


def undo(namespace: str, row: Row) -> None:
    """`kubectl rollout undo`."""
    kubectl("-n", namespace, "rollout", "undo", f"{row.kind}/{row.name}")


def set_resources(namespace: str, row: Row) -> None:
    """`kubectl set resources`."""
    kubectl(
        "-n",
        namespace,
        "set",
        "resources",
        f"{row.kind}/{row.name}",
        f"--limits=memory={REPAIRED}",
        "--requests=memory=48Mi",
    )


def apply(namespace: str, row: Row) -> None:
    """`kubectl apply` of the manifest that it was made with."""
    kubectl("-n", namespace, "apply", "-f", "-", given=row.manifest())


def scale_and_undo(namespace: str, row: Row) -> None:
    """`kubectl scale` while the fault is in, and the rollback once the added pods are there."""
    more = row.replicas + 2
    kubectl("-n", namespace, "scale", f"{row.kind}/{row.name}", f"--replicas={more}")
    made = f"--for=jsonpath={{.status.replicas}}={more}"
    if row.pods != "OrderedReady" or row.kind == "Deployment":
        kubectl("-n", namespace, "wait", f"{row.kind}/{row.name}", made, "--timeout=60s")
    undo(namespace, row)


VERBS: Final[Mapping[str, Verb]] = {
    "rollout undo": undo,
    "set resources": set_resources,
    "apply": apply,
    "scale, rollout undo": scale_and_undo,
}

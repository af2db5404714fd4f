"""The Lease by which the operator shows that it is there: a write of it every few seconds, while drills are on.

Only that it changes counts, as seen by whoever waits for it; its times are for people.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from kubedrill.core.paths import ApiPath
from kubedrill.kube.client import MERGE_PATCH, Answer, Kube
from kubedrill.kube.paths import LEASES

LEASE: Final = "kubedrill"
BEAT_SECONDS: Final = 5
_PATIENCE: Final = 5.0
_DURATION: Final = 3 * BEAT_SECONDS


def lease_path(namespace: str, name: str | None = None) -> ApiPath:
    """Path of the Leases of a namespace, or of one."""
    return LEASES.of(namespace) if name is None else LEASES.one(namespace, name)


async def beat(kube: Kube, namespace: str, holder: str, now: datetime) -> Answer:
    """Renews the Lease, or creates it. Raises Unreachable: whether it was renewed is unknown."""
    spec = {"holderIdentity": holder, "leaseDurationSeconds": _DURATION, "renewTime": _stamp(now)}
    path = lease_path(namespace, LEASE)
    answer = await kube.call("PATCH", path, {"spec": spec}, content_type=MERGE_PATCH, timeout=_PATIENCE)
    if answer.status != 404:
        return answer
    lease: dict[str, Any] = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": LEASE},
        "spec": spec,
    }
    return await kube.call("POST", lease_path(namespace), lease, timeout=_PATIENCE)


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")

"""Whether a workload is well again: the fields being restored is one thing, its pods being ready another.

A quota or a LimitRange refuses pods, never a workload's update; a policy may let the revert through and hold its pods
back. So both are told: what is restored, and how many pods are ready.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

WELL_WITHIN: Final = timedelta(minutes=10)
"""For so long after its end a drill goes on telling how its workloads do, unless they are well before."""
_FAILING: Final = {"ReplicaFailure": "True", "Progressing": "False"}


@dataclass(frozen=True, slots=True)
class Health:
    """A workload's pods: how many it wants, how many of its present template are ready, what its controller says."""

    target: str
    wanted: int
    ready: int
    why: str = ""

    @property
    def well(self) -> bool:
        """Whether all the pods that it wants are ready."""
        return self.ready >= self.wanted

    def __str__(self) -> str:
        why = f" ({self.why})" if self.why and not self.well else ""
        return f"{self.target}: {self.ready} of {self.wanted} pods ready{why}"


def health_of(kind: str, workload: Mapping[str, Any]) -> Health | None:
    """The health of an object as the API server gave it; None when it is nothing that has pods.

    Pods of an older template count as not ready: they are on their way out. Readiness counts, not availability, which
    waits for minReadySeconds.
    """
    spec, status = workload.get("spec") or {}, workload.get("status") or {}
    if "replicas" not in spec or "template" not in spec:
        return None
    wanted = int(spec["replicas"])
    ready = min(int(status.get("readyReplicas") or 0), int(status.get("updatedReplicas") or 0))
    if int(status.get("observedGeneration") or 0) < int(workload["metadata"].get("generation") or 0):
        ready = 0  # its controller has not seen the revert yet
    return Health(f"{kind}/{workload['metadata']['name']}", wanted, ready, _why(status.get("conditions") or ()))


def awaited(healths: Iterable[Health]) -> str:
    """The workloads that are not well yet, in words; empty when all are."""
    return "; ".join(str(h) for h in healths if not h.well)


def _why(conditions: Iterable[Mapping[str, Any]]) -> str:
    """What the workload's controller complains of: that pods are refused, or that it makes no progress."""
    failing = (c for c in conditions if _FAILING.get(str(c.get("type"))) == c.get("status"))
    said = {str(c["type"]): str(c.get("message", "")) for c in failing}
    return next((said[kind] for kind in _FAILING if said.get(kind)), "")[:300]


def is_still_told(health: Iterable[Health], ended: datetime | None, now: datetime) -> bool:
    """Whether it goes on being told how the workloads of a drill do that has ended then."""
    return any(not one.well for one in health) and ended is not None and now - ended < WELL_WITHIN

"""How many pods each workload has, counted by their owner: an event costs the one pod that it is about.

What a pod was counted as is remembered by its UID, so an event that is told twice counts once, and a pod that changes
its owner counts for the new one alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kubedrill.plugins.sources.pods import is_out_of_memory, is_ready, workload_of


@dataclass(frozen=True, slots=True)
class Counted:
    """Pods of one workload that are not on their way out: all, the ready ones, those that were OOM-killed last."""

    pods: int = 0
    ready: int = 0
    killed: int = 0

    def plus(self, other: Counted, times: int = 1) -> Counted:
        """These and the other's, or without them (-1)."""
        return Counted(
            self.pods + times * other.pods, self.ready + times * other.ready, self.killed + times * other.killed
        )


NONE: Final = Counted()


class PodCounts:
    """The counts of every workload of a namespace, by its target (`Deployment/worker`)."""

    def __init__(self) -> None:
        self._counted_as: dict[str, tuple[str, Counted]] = {}
        self._of_workload: dict[str, Counted] = {}

    def of(self, target: str) -> Counted:
        """What a workload has."""
        return self._of_workload.get(target, NONE)

    def took(self, event: str, pod: Mapping[str, Any]) -> frozenset[str]:
        """Counts what an event (ADDED, MODIFIED, DELETED) says. Gives the workloads whose counts are others now.

        A pod that can't be read is nobody's.
        """
        uid = str((pod.get("metadata") or {}).get("uid", ""))
        before = self._counted_as.pop(uid, ("", NONE))
        after = ("", NONE) if event == "DELETED" else _counted(pod)
        if after[0] and uid:
            self._counted_as[uid] = after
        if before == after:
            return frozenset()
        for (target, counted), times in ((before, -1), (after, 1)):
            if target:
                self._count(target, self.of(target).plus(counted, times))
        return frozenset(target for target, _ in (before, after) if target)

    def _count(self, target: str, counted: Counted) -> None:
        if counted == NONE:
            self._of_workload.pop(target, None)
        else:
            self._of_workload[target] = counted


def _counted(pod: Mapping[str, Any]) -> tuple[str, Counted]:
    try:
        if pod["metadata"].get("deletionTimestamp"):
            return "", NONE
        return workload_of(pod), Counted(1, int(is_ready(pod)), int(is_out_of_memory(pod)))
    except (KeyError, TypeError, AttributeError, ValueError):
        return "", NONE

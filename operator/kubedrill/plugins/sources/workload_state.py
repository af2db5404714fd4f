"""What the pods of each workload look like, counted by their owner: an event costs the one pod that it is about.

What a pod was counted as is remembered by its UID, so an event that is told twice counts once, and a pod that changes
its owner counts for the new one alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from kubedrill.core.evidence.facts import Fact, FactKind, Source
from kubedrill.core.evidence.timestamps import Received
from kubedrill.kube.paths import DEPLOYMENTS, PODS, STATEFUL_SETS
from kubedrill.plugins.sources.base import (
    UNREADABLE,
    How,
    OwnWrites,
    Reader,
    SourceKind,
    Told,
    Watched,
    one_by_one,
)
from kubedrill.plugins.sources.pod_fields import DEATHS, OWNER, READINESS, is_out_of_memory, is_ready, workload_of


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
        metadata = pod.get("metadata")
        uid = str(metadata.get("uid", "")) if isinstance(metadata, Mapping) else ""
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
    except UNREADABLE:
        return "", NONE


def state(workload: Mapping[str, Any], pods: Counted, receipt: Received) -> Fact:
    """What the workload's pods look like now. `killed` counts the pods that were OOM-killed last."""
    target = f"{workload['kind']}/{workload['metadata']['name']}"
    desired = int((workload.get("spec") or {}).get("replicas", 1))
    return Fact(
        FactKind.WORKLOAD_STATE,
        receipt.interval(),
        Source.POD_WATCH,
        f"state/{workload['metadata']['uid']}/{receipt.at.isoformat()}",
        evidence=f"{target}: {pods.ready} of {desired} ready, {pods.killed} OOM-killed",
        detail={
            "target": target,
            "ready": pods.ready,
            "desired": desired,
            "unready": pods.pods - pods.ready,
            "killed": pods.killed,
        },
    )


class States:
    """Tells of each workload when what its pods look like is new, for one drill.

    Of one that is deleted it tells that no pod of it is wanted or ready: what was last seen of it is over.
    """

    def __init__(self) -> None:
        self._counts = PodCounts()
        self._workloads: dict[str, Mapping[str, Any]] = {}
        self._told: dict[str, Mapping[str, Any]] = {}
        self._deleted: list[Mapping[str, Any]] = []
        self._is_complete = False

    def read(self, told: Told) -> Iterator[Fact]:
        """The facts after some events.

        None before pods and workloads were listed: no pod seen yet is not the same as no pod there.
        """
        changed: set[str] = set()
        for event in told.events:
            if event.object.get("kind") == "Pod":
                changed |= self._counts.took(event.type, event.object)
            else:
                changed |= self._took(event.type, event.object)
        if told.complete and not self._is_complete:
            self._is_complete, changed = True, {*self._workloads}
        if self._is_complete:
            for workload in self._deleted:
                yield from one_by_one(workload, partial(_state, _without_replicas(workload), NONE, told.receipt))
            yield from self._news(changed, told.receipt)
        self._deleted.clear()

    def _took(self, event: str, workload: Mapping[str, Any]) -> set[str]:
        metadata = workload.get("metadata")
        if not isinstance(metadata, Mapping) or not metadata.get("name"):
            return set()
        target = f"{workload.get('kind')}/{metadata['name']}"
        known = self._workloads.get(target)
        if event != "DELETED":
            self._workloads[target] = workload
        elif known and known["metadata"].get("uid") == metadata.get("uid"):  # else it was made again meanwhile
            self._deleted.append(self._workloads.pop(target))
            self._told.pop(target, None)
        return {target}

    def _news(self, targets: Iterable[str], receipt: Received) -> Iterator[Fact]:
        for target in sorted(targets & self._workloads.keys()):
            workload = self._workloads[target]
            for fact in one_by_one(workload, partial(_state, workload, self._counts.of(target), receipt)):
                if self._told.get(target) != fact.detail:
                    self._told[target] = fact.detail
                    yield fact


def _state(workload: Mapping[str, Any], pods: Counted, receipt: Received) -> tuple[Fact, ...]:
    return (state(workload, pods, receipt),)


def _without_replicas(workload: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**workload, "spec": {"replicas": 0}}


def _reader(_own: Callable[[], OwnWrites]) -> Reader:
    return States().read


_OF_WORKLOAD: Final = ("metadata.name", "metadata.uid", "spec.replicas")
SOURCE: Final = SourceKind(
    name="workload_state",
    how=How.WATCH,
    facts=frozenset({FactKind.WORKLOAD_STATE}),
    bounds="the receipt of the event that changed it, less the longest that a watch lags",
    watches=(
        Watched(PODS, "Pod", (*OWNER, *READINESS, *DEATHS)),
        Watched(DEPLOYMENTS, "Deployment", _OF_WORKLOAD),
        Watched(STATEFUL_SETS, "StatefulSet", _OF_WORKLOAD),
    ),
    reader=_reader,
)

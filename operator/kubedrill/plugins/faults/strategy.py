"""Which pods a workload's own update strategy replaces while every new pod fails, and how to choose them.

A new pod that is killed takes nothing from the service; an old pod that was stopped to make room for it does.
So a fault *hits* `affected` pods when that many serving pods are replaced by that many failing ones and no
more. That holds for a fault without effect, too: its new pods never fail, but none of them counts as available
before it is decided that they don't, and until then the controller goes no further.
`docs/reference/memory-limit.md` has the table, each row of it run on real pods.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from kubedrill.api.faults import WorkloadTarget
from kubedrill.core.undo.operations import FieldChange, Refusal, Target
from kubedrill.core.undo.watchdog_rules import SILENT
from kubedrill.plugins.faults.base import Observed
from kubedrill.plugins.faults.workload import Container, Workload, found, object_of, refusal_of_state

PUT_BACK_WITHIN: Final = SILENT + timedelta(seconds=30)
"""How long after the decision "no effect" everything is put back, whoever has to do it.

The operator needs a second or two. If it has died, the watchdog does it after SILENT, and needs a look more.
"""
PROGRESS_AFTER: Final = timedelta(seconds=60)
"""By how much `progressDeadlineSeconds` is above the `minReadySeconds` that is set, at least.

The API demands that it is above it. A pod must start before its time counts, and a rollout whose pods are only
waiting for their time is not to be called failed.
"""


@dataclass(frozen=True, slots=True)
class Reach:
    """What a rollout comes to whose new pods all fail: `failing` new pods, `replaced` serving ones gone."""

    failing: int
    replaced: int


@dataclass(frozen=True, slots=True)
class Aim:
    """What a change of a workload's template is about: the workload, one container of it, and how many pods."""

    target: Target
    workload: Workload
    container: Container
    affected: int


def aim(target: WorkloadTarget, container: str | None, affected: int | None, seen: Observed) -> Aim | Refusal:
    """The workload as it was read with what is left out filled in, or why exactly so many pods can't be hit."""
    place = object_of(target, seen.namespace)
    workload = found(place, seen)
    if isinstance(workload, Refusal):
        return workload
    pods = affected or affected_when_unsaid(workload)
    refused = refusal_of_state(workload) or refusal_to_reach(workload, pods)
    if refused:
        return refused
    chosen = workload.container(container)
    return chosen if isinstance(chosen, Refusal) else Aim(place, workload, chosen, pods)


def rolling_reach(replicas: int, max_unavailable: int | str, max_surge: int | str) -> Reach:
    """The reach of a Deployment's RollingUpdate, by the rules of the Deployment controller.

    Percentages are of `replicas`, maxUnavailable rounded down and maxSurge up; when both come to 0 the
    controller takes maxUnavailable as 1 (`ResolveFenceposts` in k8s.io/kubectl/pkg/util/deployment).
    """
    surge = _scaled(max_surge, replicas, math.ceil)
    unavailable = _scaled(max_unavailable, replicas, math.floor)
    if unavailable == 0 and surge == 0:
        unavailable = 1
    replaced = min(unavailable, replicas)
    return Reach(failing=min(replaced + surge, replicas), replaced=replaced)


def reach_of(workload: Workload) -> Reach:
    """The reach of a workload's own strategy."""
    if workload.kind == "StatefulSet":
        # one at a time, from the last, and none below the partition
        hit = 1 if workload.partition < workload.replicas else 0
        return Reach(hit, hit)
    if workload.how == "Recreate":
        return Reach(workload.replicas, workload.replicas)
    return rolling_reach(workload.replicas, workload.max_unavailable, workload.max_surge)


def affected_when_unsaid(workload: Workload) -> int:
    """How many pods are hit when nobody says: as many as the own strategy replaces, one at least."""
    return max(1, reach_of(workload).replaced)


def refusal_to_reach(workload: Workload, affected: int) -> Refusal | None:
    """Why no setting of the strategy's fields makes exactly `affected` pods fail, or nothing."""
    replicas = workload.replicas
    if affected > replicas:
        return Refusal(
            "TooFewPods",
            f"{workload} has {replicas} pods, so {affected} can't be hit: ask for {replicas} or fewer",
        )
    if workload.how == "Recreate" and affected != replicas:
        return Refusal(
            "RecreateNeedsAll",
            f"{workload} replaces all {replicas} pods at once (Recreate): ask for affected: {replicas},"
            " or choose another workload",
        )
    if workload.kind == "StatefulSet" and affected > 1:
        return Refusal(
            "OnePodAtATime",
            f"{workload} replaces one pod at a time and waits until it is ready, which it never is:"
            " ask for affected: 1",
        )
    return None


def changes_to_reach(workload: Workload, affected: int, arm_within: timedelta) -> tuple[FieldChange, ...]:
    """The strategy's fields that must change so that exactly `affected` pods are hit; none if it fits.

    `arm_within` is the time from the injection in which the fault must be seen to have its effect.
    """
    if workload.kind == "StatefulSet":
        return _partition_change(workload)
    if workload.how == "Recreate":
        return ()
    # The strategy's own type guards both paths: with Recreate there is no rollingUpdate to change.
    guard = (("/spec/strategy/type", "RollingUpdate"),)
    changes: list[FieldChange] = []
    if reach_of(workload) != Reach(affected, affected):
        changes.append(FieldChange("/spec/strategy/rollingUpdate/maxUnavailable", affected, guard))
        changes.append(FieldChange("/spec/strategy/rollingUpdate/maxSurge", 0, guard))
    return (*changes, *_held_until_decided(workload, affected, arm_within))


def _held_until_decided(workload: Workload, affected: int, arm_within: timedelta) -> tuple[FieldChange, ...]:
    """What keeps the rollout from going beyond the pods that were announced, whether they fail or not.

    The serving pods are not measured by it: their ReplicaSet keeps the `minReadySeconds` that it was made with.
    A crashing pod, seen Ready for a second or two in each round of its loop, never comes near it either.
    """
    least = math.ceil((arm_within + PUT_BACK_WITHIN).total_seconds())
    if affected == workload.replicas or workload.min_ready >= least:
        return ()
    deadline = least + int(PROGRESS_AFTER.total_seconds())
    raised = (FieldChange("/spec/minReadySeconds", least),)
    if workload.progress_deadline >= deadline:
        return raised
    return (*raised, FieldChange("/spec/progressDeadlineSeconds", deadline))


def in_words(workload: Workload, affected: int, asked: int | None, rollout: tuple[FieldChange, ...]) -> tuple[str, ...]:
    """What people should know of how `affected` pods are hit, of which `asked` were asked for."""
    ratio = f"{affected} of {workload.replicas}"
    lines = []
    if asked is None:
        lines.append(f"affected: {ratio}, as many as its own strategy replaces, one at least")
    if rollout:
        values = ", ".join(f"{change.path.rsplit('/', 1)[1]} {change.value}" for change in rollout)
        lines.append(
            f"its own strategy would not surely hit exactly {ratio}; set until somebody takes the fault out: {values}"
        )
    if workload.kind == "Deployment":
        lines.append(
            "when it is scaled up meanwhile, the added pods are split over failing and healthy ones;"
            f" no more of the {workload.replicas} that serve now are replaced for that"
        )
    return tuple(lines)


def pods_to_unstick(workload: Workload) -> Mapping[str, str]:
    """Labels of the pods that the controller would wait for after the undo.

    A StatefulSet with ordered pods never replaces one that is not ready, not even when its template is right
    again; one with parallel pods does.
    """
    return workload.labels if workload.ordered else {}


def _partition_change(workload: Workload) -> tuple[FieldChange, ...]:
    # The controller begins with the last pod and waits for it; the partition is a second bolt, for a failing
    # pod that is seen ready for an instant.
    last = workload.replicas - 1
    if workload.partition == last:
        return ()
    guard = (("/spec/updateStrategy/type", "RollingUpdate"),)
    return (FieldChange("/spec/updateStrategy/rollingUpdate/partition", last, guard),)


def _scaled(value: int | str, replicas: int, rounding: Callable[[float], int]) -> int:
    if isinstance(value, str) and value.endswith("%"):
        return rounding(int(value[:-1]) * replicas / 100)
    return int(value)

"""podKill: pods of a workload are removed, once, as by a node that goes away. The workload makes new ones itself."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from pydantic import Field

from kubedrill.api.base import ApiModel, Duration
from kubedrill.api.durations import parse_duration
from kubedrill.api.faults import WorkloadTarget
from kubedrill.core.evidence.facts import Fact, FactKind, Interval
from kubedrill.core.rights import Right
from kubedrill.core.undo.operations import Refusal, Remove, Target
from kubedrill.plugins.faults import shortfall
from kubedrill.plugins.faults.base import Aftermath, Effect, FaultKind, Observed, Plan, injection, nth, pods_since
from kubedrill.plugins.faults.workload import found, object_of


class PodKill(ApiModel):
    """Removes pods of a workload, each once; its controller makes new ones."""

    target: WorkloadTarget = Field(
        description="The workload whose pods are removed. A pod of none is never removed: nobody would make it again."
    )
    pods: int | None = Field(
        None, ge=1, le=1000, description="How many of its pods, those that are ready first. One when left out."
    )
    grace_period: Duration | None = Field(
        None, description="How long each has to end; 0s kills at once. As long as the pod itself wants when left out."
    )


def targets(params: PodKill, namespace: str) -> tuple[Target, ...]:
    """The workload alone."""
    return (object_of(params.target, namespace),)


def plan(params: PodKill, seen: Observed) -> Plan[PodKill] | Refusal:
    """Remove so many of the pods that it has; which ones, is settled when they are removed."""
    (target,) = targets(params, seen.namespace)
    workload = found(target, seen)
    if isinstance(workload, Refusal):
        return workload
    count = params.pods or 1
    if workload.deleting:
        return Refusal("BeingDeleted", f"{workload} is being deleted")
    if workload.replicas < count:
        said = f"{workload} has {workload.replicas} pods, so {count} can't be removed: ask for fewer"
        return Refusal("TooFewPods", said)
    grace = None if params.grace_period is None else math.ceil(parse_duration(params.grace_period).total_seconds())
    settled = params.model_copy(update={"pods": count})
    note = f"{workload} makes new ones by itself: nothing is to be restored"
    return Plan((Remove(target, count, grace),), settled, f"pods of {target}", (note,))


def effect(name: str, params: PodKill, facts: Iterable[Fact]) -> Effect:
    """So many distinct pods of the workload are gone since the injection.

    An operator that was away when they went sees it by what they leave: as many new ones, or as many missing.
    """
    facts, wanted = tuple(facts), params.pods or 1
    since = injection(name, facts)
    if since is None:
        return Effect(0, wanted, "not injected")
    mine = [f for f in facts if f.detail.get("target") == str(params.target)]
    gone = pods_since(since, (f for f in mine if f.kind is FactKind.POD_GONE))
    made = pods_since(since, (f for f in mine if f.kind is FactKind.POD_READY and _is_made_after(f, since)))
    for pods, how in ((gone, "are gone"), (made, "were replaced")):
        if len(pods) >= wanted:
            said = f"{len(pods)} pods of {params.target} {how}: {', '.join(sorted(pods))}"
            return Effect(len(pods), wanted, said, nth(list(pods.values()), wanted))
    states = sorted((f for f in mine if _lacks(f, wanted) and f.at.not_before >= since.not_before), key=lambda f: f.at)
    if states:
        return Effect(wanted, wanted, states[0].evidence, states[0].at)
    return Effect(len(gone), wanted, f"{len(gone)} of {wanted} pods of {params.target} are gone")


def why_not(params: PodKill, after: Aftermath) -> tuple[str, ...]:
    """That pods are still ending: they take as long as their own grace period lets them."""
    ending = [str(p["metadata"]["name"]) for p in shortfall.pods_of(params.target, after) if shortfall.is_ending(p)]
    if not ending:
        return ()
    return (f"{', '.join(ending[:3])} still ending: set a shorter `gracePeriod`, or a longer `armWithin`",)


def _is_made_after(ready: Fact, since: Interval) -> bool:
    """Whether a pod was made after an instant; it tells that in whole seconds."""
    made = str(ready.detail.get("made", ""))
    return bool(made) and datetime.fromisoformat(made) >= since.not_before.replace(microsecond=0)


def _lacks(state: Fact, wanted: int) -> bool:
    """Whether a workload has fewer ready pods than it wants, by that many."""
    known = state.kind is FactKind.WORKLOAD_STATE
    return known and int(state.detail["desired"]) - int(state.detail["ready"]) >= wanted


def describe(params: PodKill, plan: Plan[PodKill]) -> tuple[str, ...]:
    """One line for what is removed, then the notes."""
    how = f", {params.grace_period} to end" if params.grace_period is not None else ""
    return (f"podKill: {plan.settled.pods} pods of {params.target} are removed{how}", *plan.notes)


FAULT: Final = FaultKind(
    kind="podKill",
    params=PodKill,
    summary="Remove pods of a workload, once.",
    targets=targets,
    rights=(
        Right("", "pods", "list"),
        Right("", "pods", "delete"),
        Right("apps", "deployments", "get"),
        Right("apps", "statefulsets", "get"),
        Right("apps", "replicasets", "list"),
    ),
    plan=plan,
    describe=describe,
    effect=effect,
    why_not=why_not,
    component=lambda params: params.target.name,
    called=("PodKill", "PodKilled", "PodsKilled", "PodDeleted", "PodsDeleted", "PodRemoved", "PodsRemoved"),
)

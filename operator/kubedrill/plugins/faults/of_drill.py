"""The faults of one drill, each asked through its kind: nobody else needs to know which kind it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from kubedrill.api.faults import Fault
from kubedrill.core.evidence.facts import Fact, FactKind, Source
from kubedrill.core.machine.state import EffectSoFar
from kubedrill.core.plan.drill_plan import DrillPlan, FaultProfile
from kubedrill.core.rights import Right
from kubedrill.core.undo.operations import Refusal, Target
from kubedrill.plugins.faults import discover
from kubedrill.plugins.faults.base import Aftermath, Effect, Observed, Plan, WorkingSet, together
from kubedrill.plugins.faults.workload import PLURALS

RIGHTS_OF_EVERY_DRILL: Final = (
    Right("", "pods", "list"),
    Right("", "pods", "watch"),
)


def profile(fault: Fault, namespace: str) -> FaultProfile:
    """What the measurement must know of a fault in a target namespace."""
    kind = discover()[fault.kind]
    targets = kind.targets(fault.params, namespace)
    return FaultProfile(
        fault=fault.name,
        workloads=frozenset(str(target) for target in targets if target.kind in PLURALS),
        cause=kind.cause,
        announces=frozenset(kind.announces(fault.params)),
        asks=kind.asks(fault.params),
        people_only=kind.people_only,
        makes=kind.makes(fault.params, namespace),
        component=kind.component(fault.params),
        called=kind.called,
        services=frozenset(f"{t.namespace}/{t.name}" for t in targets if t.kind == "Service"),
    )


def targets_of(drill_plan: DrillPlan) -> frozenset[Target]:
    """The objects that must be read before the faults can be planned: those that must be there, or must not."""
    kinds, namespace = discover(), drill_plan.target_namespace
    asked = ((kinds[f.kind], f.params) for f in drill_plan.faults)
    return frozenset(t for k, params in asked for t in (*k.targets(params, namespace), *k.makes(params, namespace)))


def rights_for(drill_plan: DrillPlan) -> tuple[Right, ...]:
    """What the operator must be allowed in the target namespace for this drill."""
    kinds = discover()
    return tuple(dict.fromkeys([*RIGHTS_OF_EVERY_DRILL, *(r for f in drill_plan.faults for r in kinds[f.kind].rights)]))


def measured_for(drill_plan: DrillPlan) -> frozenset[str]:
    """The names of the workloads of whose containers it should be known what they use."""
    kinds = discover()
    return frozenset(name for f in drill_plan.faults for name in kinds[f.kind].measures(f.params))


def looked_into(drill_plan: DrillPlan, objects: Mapping[Target, Mapping[str, Any]]) -> frozenset[Target]:
    """The workloads of whose pods the faults should know something before they are planned."""
    kinds = discover()
    return frozenset(t for f in drill_plan.faults for t in kinds[f.kind].looks_into(f.params, objects))


def planned(
    drill_plan: DrillPlan,
    drill_uid: str,
    objects: Mapping[Target, Mapping[str, Any]],
    working_sets: Mapping[str, WorkingSet],
    pods: tuple[Mapping[str, Any], ...] = (),
) -> tuple[dict[str, Plan[Any]], dict[str, Refusal]]:
    """What each fault would do, or why it would not; under `faults`, why they would not together."""
    kinds = discover()
    plans: dict[str, Plan[Any]] = {}
    refusals: dict[str, Refusal] = {}
    for fault in drill_plan.faults:
        seen = Observed(
            fault.name,
            drill_uid,
            drill_plan.target_namespace,
            drill_plan.alertmanager,
            drill_plan.arm_within,
            objects,
            working_sets,
            drill_plan.namespace_label,
            pods,
        )
        plan = kinds[fault.kind].plan(fault.params, seen)
        if isinstance(plan, Refusal):
            refusals[fault.name] = plan
        else:
            plans[fault.name] = plan
    apart = together(plans)
    if isinstance(apart, Refusal):
        return plans, {**refusals, "faults": apart}
    return apart, refusals


def why_not(faults: Iterable[Fault], after: Aftermath) -> dict[str, str]:
    """Why each of these faults has had no effect, as far as that can be told."""
    kinds = discover()
    told = ((fault.name, kinds[fault.kind].why_not(fault.params, after)) for fault in faults)
    return {name: "; ".join(dict.fromkeys(sentences)) for name, sentences in told if sentences}


def effects(faults: Iterable[Fault], known: Collection[Fact]) -> dict[str, Effect]:
    """How far each fault has had its effect, by name, from what is known so far."""
    kinds = discover()
    return {fault.name: kinds[fault.kind].effect(fault.name, fault.params, known) for fault in faults}


def effective(seen: Mapping[str, Effect]) -> Iterator[Fact]:
    """A fact for each fault that has had all of its effect."""
    for name, effect in seen.items():
        if effect.complete and effect.at is not None:
            yield Fact(
                FactKind.FAULT_EFFECTIVE,
                effect.at,
                Source.OPERATOR,
                f"effective/{name}",
                evidence=effect.evidence,
                detail={"fault": name},
            )


def so_far(seen: Mapping[str, Effect]) -> dict[str, EffectSoFar]:
    """How far those have come that have not had all of it, in words."""
    return {n: EffectSoFar(e.evidence, some=e.seen > 0) for n, e in seen.items() if not e.complete or e.at is None}

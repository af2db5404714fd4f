"""What is read around the target before anything is touched, all at once: each answer is a few milliseconds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kubedrill.api.faults import Fault
from kubedrill.controller.gathering import Probe
from kubedrill.core.machine.phases import TERMINAL, UNTOUCHED
from kubedrill.core.machine.state import PlannedFault
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.core.plan.preflight import LOOK_BACK, Surroundings
from kubedrill.core.undo.operations import Operation, Refusal, SetFields, Target
from kubedrill.core.undo.record import manager_name, record_name
from kubedrill.core.undo.touches import planned_touches
from kubedrill.kube.client import Answer, Kube, Unreachable
from kubedrill.kube.paths import NAMESPACES, OWN_RIGHTS
from kubedrill.plugins.faults import discover
from kubedrill.plugins.faults.base import Observed, Plan, WorkingSet, together
from kubedrill.protocol.drills import drill_path
from kubedrill.protocol.exclusion import may_lock
from kubedrill.store.undo_records import Listing

OPT_IN_LABEL = "kubedrill.dev/control-namespace"
RIGHTS = (
    ("", "pods", "list"),
    ("", "pods", "watch"),
    ("apps", "deployments", "patch"),
    ("apps", "statefulsets", "patch"),
    ("apps", "replicasets", "delete"),
    ("kubedrill.dev", "playeractions", "watch"),
)
INACTIVE = {p.value for p in TERMINAL | UNTOUCHED}


@dataclass(frozen=True, slots=True)
class PreflightInputs:
    """What was read and planned: for the checks, for the state, and to act upon."""

    around: Surroundings
    plans: Mapping[str, PlannedFault] = field(default_factory=dict)
    operations: Mapping[str, tuple[Operation, ...]] = field(default_factory=dict)
    managers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ClusterReadings:
    """What the API server says of what is around the target; None: it could not be read."""

    namespace: Answer
    rights: tuple[str, ...] | None
    drills: Answer
    objects: Mapping[Target, Mapping[str, Any]]


async def look_around(kube: Kube, control: str, drill_plan: DrillPlan) -> ClusterReadings:
    """Reads everything that the preflight asks the API server about, at once."""
    return ClusterReadings(
        *await asyncio.gather(
            kube.get(NAMESPACES.one(drill_plan.target_namespace)),
            missing_rights(kube, drill_plan.target_namespace),
            kube.get(drill_path(control)),
            read_targets(kube, drill_plan),
        )
    )


def surroundings(
    found: ClusterReadings,
    control: str,
    drill: Mapping[str, Any],
    drill_plan: DrillPlan,
    records: Listing,
    probe: Probe,
    now: datetime,
) -> PreflightInputs:
    """What the preflight's checks are made of, with every fault planned against what was found."""
    uid, namespace = drill["metadata"]["uid"], found.namespace
    namespace_uid = str((namespace.body.get("metadata") or {}).get("uid", "")) if namespace.ok else ""
    used = {f.name: dict(probe.working_sets) for f in drill_plan.faults}
    plans, refusals, operations = planned(drill_plan, uid, found.objects, used)
    series = {name: s.between(now - LOOK_BACK, now) for name, s in probe.steady.items()}
    around = Surroundings(
        control_namespace=control,
        namespace_found=True if namespace.ok else False if namespace.status == 404 else None,
        namespace_control=_labels(namespace.body).get(OPT_IN_LABEL, ""),
        missing_rights=found.rights,
        other_drills=tuple(
            d["metadata"]["name"]
            for d in found.drills.body.get("items", [])
            if _is_active(d, uid, drill_plan.target_namespace)
        ),
        busy_records=tuple(_busy(records, uid, drill_plan.target_namespace, namespace_uid)),
        refusals=refusals,
        not_ready=tuple(_not_ready(found.objects)),
        monitoring_error="" if probe.reachable else probe.error or "Prometheus does not answer",
        rules_loaded=frozenset(probe.rules) if probe.reachable else None,
        firing=frozenset(probe.firing) if probe.reachable else None,
        series=series,
        announced=frozenset(f.alert.alert for f in drill_plan.faults if f.alert),
        stops=probe.stops,
    )
    return PreflightInputs(around, plans, operations, managers_of(uid, namespace_uid, operations))


def _busy(records: Listing, uid: str, namespace: str, namespace_uid: str) -> Iterator[str]:
    """Undo records of other drills on the namespace; one that can't be read may be anybody's."""
    for one in records.readable:
        if one.record.drill.uid != uid and one.record.is_on(namespace, namespace_uid):
            yield f"undo record {one.record.name} of drill {one.record.drill.name}"
    for unread in records.unreadable:
        if unread.drill_uid != uid and may_lock(unread, (namespace,)):
            yield f"undo record {unread.ref.name}, which can't be read (see docs/how-to/break-glass.md)"


def managers_of(drill_uid: str, space: str, operations: Mapping[str, tuple[Operation, ...]]) -> frozenset[str]:
    """The field managers under which the drill is going to write.

    They are known before, so that its first write is never taken for somebody's change.
    """
    targets = {o.target for ops in operations.values() for o in ops if isinstance(o, SetFields)}
    return frozenset(manager_name(drill_uid, record_name(t.group, t.kind, space, t.name)) for t in targets)


async def missing_rights(kube: Kube, namespace: str) -> tuple[str, ...] | None:
    """What the operator should be allowed in the target namespace and is not; None when it can't be asked."""
    answer = await kube.call(
        "POST",
        OWN_RIGHTS.all,
        {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace}},
    )
    if not answer.ok:
        return None
    rules = answer.body.get("status", {}).get("resourceRules", [])

    def allowed(group: str, resource: str, verb: str) -> bool:
        return any(
            {group, "*"} & set(r.get("apiGroups", []))
            and {resource, "*"} & set(r.get("resources", []))
            and {verb, "*"} & set(r.get("verbs", []))
            for r in rules
        )

    return tuple(f"{verb} {resource}" for group, resource, verb in RIGHTS if not allowed(group, resource, verb))


async def read_targets(kube: Kube, drill_plan: DrillPlan) -> dict[Target, dict[str, Any]]:
    """The objects that the faults ask for."""
    kinds = discover()
    wanted = {
        t for f in drill_plan.faults for t in kinds[f.kind].targets(f.params_of(f.kind), drill_plan.target_namespace)
    }
    answers = await asyncio.gather(*(kube.get(t.path) for t in wanted))
    refused = [a for a in answers if not a.ok and a.status not in (403, 404)]
    if refused:
        raise Unreachable(f"a target can't be read: {refused[0].status} {refused[0].message}")
    return {t: a.body for t, a in zip(wanted, answers, strict=True) if a.ok}


def planned(
    drill_plan: DrillPlan,
    uid: str,
    objects: Mapping[Target, Mapping[str, Any]],
    working_sets: Mapping[str, Mapping[str, WorkingSet]],
) -> tuple[dict[str, PlannedFault], dict[str, Refusal], dict[str, tuple[Operation, ...]]]:
    """Every fault's plan or refusal."""
    kinds = discover()
    plans: dict[str, Plan[Any]] = {}
    refusals: dict[str, Refusal] = {}
    for fault in drill_plan.faults:
        seen = Observed(
            fault.name,
            uid,
            drill_plan.target_namespace,
            drill_plan.alertmanager,
            drill_plan.arm_within,
            objects,
            working_sets.get(fault.name, {}),
        )
        plan = kinds[fault.kind].plan(fault.params_of(fault.kind), seen)
        if isinstance(plan, Refusal):
            refusals[fault.name] = plan
        else:
            plans[fault.name] = plan
    apart = together(plans)
    if isinstance(apart, Refusal):
        refusals["faults"] = apart
    else:
        plans = apart
    states = {
        f.name: PlannedFault(
            _touches(f, drill_plan),
            plans[f.name].settled.to_wire(),
            plans[f.name].notes,
            planned_touches(plans[f.name].operations, objects),
        )
        for f in drill_plan.faults
        if f.name in plans
    }
    return states, refusals, {name: plan.operations for name, plan in plans.items()}


def _touches(fault: Fault, drill_plan: DrillPlan) -> str:
    if fault.memory_limit:
        return str(fault.memory_limit.target)
    if fault.queue_load:
        return f"Redis {fault.queue_load.redis.name}, {fault.queue_load.key}"
    return f"Alertmanager {drill_plan.alertmanager.name}" if fault.alert else "by hand"


def _labels(namespace: Mapping[str, Any]) -> Mapping[str, str]:
    return dict((namespace.get("metadata") or {}).get("labels") or {})


def _is_active(drill: Mapping[str, Any], uid: str, namespace: str) -> bool:
    phase = ((drill.get("status") or {}).get("machine") or {}).get("phase", "Pending")
    return (
        drill["metadata"]["uid"] != uid and drill["spec"].get("targetNamespace") == namespace and phase not in INACTIVE
    )


def _not_ready(objects: Mapping[Target, Mapping[str, Any]]) -> list[str]:
    """Workloads with fewer ready pods than they want; anything without replicas is not asked."""
    found = []
    for target, body in objects.items():
        spec, status = body.get("spec") or {}, body.get("status") or {}
        if "replicas" not in spec:
            continue
        wanted, ready = int(spec["replicas"]), int(status.get("readyReplicas") or 0)
        if ready < wanted or int(status.get("updatedReplicas") or 0) < wanted:
            found.append(f"{target}: {ready} of {wanted} pods are ready")
    return found

"""What is read around the target before anything is touched, all at once: each answer is a few milliseconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kubedrill.controller.gathering import Probe
from kubedrill.core.machine.phases import TERMINAL, UNTOUCHED
from kubedrill.core.machine.state import PlannedFault
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.core.plan.reconcilers import keepers_of
from kubedrill.core.plan.surroundings import LOOK_BACK, Surroundings, recent
from kubedrill.core.rights import Right
from kubedrill.core.undo.operations import Operation, Refusal, Target, objects_of
from kubedrill.core.undo.record import manager_name, record_name
from kubedrill.core.undo.touches import planned_touches
from kubedrill.kube.client import Answer, Kube, Unreachable
from kubedrill.kube.paths import NAMESPACES, OWN_RIGHTS, PODS
from kubedrill.kube.together import together
from kubedrill.plugins import channels
from kubedrill.plugins.faults import of_drill
from kubedrill.plugins.faults.base import WorkingSet
from kubedrill.plugins.faults.shortfall import labels_of
from kubedrill.protocol.drills import drills_on
from kubedrill.protocol.exclusion import may_lock
from kubedrill.protocol.in_words import planned_in_words
from kubedrill.store.undo_records import Listing

OPT_IN_LABEL = "kubedrill.dev/control-namespace"
MOST_PODS = 50
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
    """What the API server says of what is around the target. None: it could not be read.

    `hidden` are targets that we may not see, so that nothing is known of them.
    """

    namespace: Answer
    rights: tuple[str, ...] | None
    drills: Answer
    objects: Mapping[Target, Mapping[str, Any]]
    hidden: frozenset[Target]
    pods: tuple[Mapping[str, Any], ...] = ()


async def look_around(kube: Kube, control: str, drill_plan: DrillPlan) -> ClusterReadings:
    """Reads everything that the preflight asks the API server about, at once."""
    namespace, rights, drills, (objects, hidden) = await together(
        kube.get(NAMESPACES.one(drill_plan.target_namespace)),
        missing_rights(
            kube, drill_plan.target_namespace, (*of_drill.rights_for(drill_plan), *channels.rights_for(drill_plan))
        ),
        drills_on(kube, control, drill_plan.target_namespace),
        _targets(kube, drill_plan),
    )
    pods = await read_pods(kube, of_drill.looked_into(drill_plan, objects), objects)
    return ClusterReadings(namespace, rights, drills, objects, hidden, pods)


def surroundings(
    found: ClusterReadings,
    control: str,
    drill: Mapping[str, Any],
    drill_plan: DrillPlan,
    records: Listing,
    probe: Probe,
    used: Mapping[str, WorkingSet],
    now: datetime,
) -> PreflightInputs:
    """What the preflight's checks are made of, with every fault planned against what was found."""
    uid, namespace = drill["metadata"]["uid"], found.namespace
    namespace_uid = str((namespace.body.get("metadata") or {}).get("uid", "")) if namespace.ok else ""
    plans, refusals, operations = planned(drill_plan, uid, found.objects, used, found.pods)
    series = {name: recent(s, now) for name, s in probe.steady.items()}
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
        hidden=tuple(sorted(map(str, found.hidden))),
        not_ready=tuple(_not_ready(found.objects)),
        monitoring_error="" if probe.reachable else probe.error or "Prometheus does not answer",
        rules_loaded=frozenset(probe.rules) if probe.reachable else None,
        firing=frozenset(probe.firing) if probe.reachable else None,
        pending=frozenset(probe.pending),
        series=series,
        impact=recent(probe.impact, now),
        announced=drill_plan.announces,
        stops=probe.stops,
        withheld=probe.withheld,
        keepers=keepers_of((o for some in operations.values() for o in some), found.objects, now - LOOK_BACK),
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
    targets = {target for ops in operations.values() for o in ops for target in objects_of(o)}
    return frozenset(manager_name(drill_uid, record_name(t.group, t.kind, space, t.name)) for t in targets)


async def missing_rights(kube: Kube, namespace: str, needed: Iterable[Right]) -> tuple[str, ...] | None:
    """What the operator should be allowed in the target namespace and is not; None when it can't be asked."""
    answer = await kube.call(
        "POST",
        OWN_RIGHTS.all,
        {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace}},
    )
    if not answer.ok:
        return None
    rules = answer.body.get("status", {}).get("resourceRules", [])

    def allowed(right: Right) -> bool:
        return any(
            {right.group, "*"} & set(r.get("apiGroups", []))
            and {right.resource, "*"} & set(r.get("resources", []))
            and {right.verb, "*"} & set(r.get("verbs", []))
            for r in rules
        )

    return tuple(str(right) for right in needed if not allowed(right))


async def read_targets(kube: Kube, drill_plan: DrillPlan) -> dict[Target, dict[str, Any]]:
    """The objects that the faults ask for; without those that are not there, or that we may not see."""
    return (await _targets(kube, drill_plan))[0]


async def _targets(kube: Kube, drill_plan: DrillPlan) -> tuple[dict[Target, dict[str, Any]], frozenset[Target]]:
    """The objects that the faults ask for, and those of them that we may not see."""
    wanted = of_drill.targets_of(drill_plan)
    answers = dict(zip(wanted, await together(*(kube.get(t.path) for t in wanted)), strict=True))
    refused = [a for a in answers.values() if not a.ok and a.status not in (403, 404)]
    if refused:
        raise Unreachable(f"a target can't be read: {refused[0].status} {refused[0].message}")
    seen = {target: answer.body for target, answer in answers.items() if answer.ok}
    return seen, frozenset(target for target, answer in answers.items() if answer.status == 403)


async def read_pods(
    kube: Kube, workloads: Iterable[Target], objects: Mapping[Target, Mapping[str, Any]]
) -> tuple[Mapping[str, Any], ...]:
    """Some pods of each workload, MOST_PODS at most; none of what can't be read."""
    selectors = [(t.namespace, labels_of(objects.get(t, {}))) for t in sorted(workloads, key=str)]
    asked = (
        kube.get(
            PODS.of(namespace),
            query=[
                ("labelSelector", ",".join(f"{k}={v}" for k, v in sorted(labels.items()))),
                ("limit", str(MOST_PODS)),
            ],
        )
        for namespace, labels in selectors
        if labels
    )
    answers = await together(*asked)
    return tuple(pod for answer in answers if answer.ok for pod in answer.body.get("items") or ())


def planned(
    drill_plan: DrillPlan,
    uid: str,
    objects: Mapping[Target, Mapping[str, Any]],
    working_sets: Mapping[str, WorkingSet],
    pods: tuple[Mapping[str, Any], ...] = (),
) -> tuple[dict[str, PlannedFault], dict[str, Refusal], dict[str, tuple[Operation, ...]]]:
    """Every fault's plan or refusal, and what it does."""
    plans, refusals = of_drill.planned(drill_plan, uid, objects, working_sets, pods)
    states = {
        fault.name: PlannedFault(
            plan.touches,
            plan.settled.to_wire(),
            plan.notes,
            planned_touches(plan.operations, objects),
            tuple(planned_in_words(fault, plan, objects)),
        )
        for fault in drill_plan.faults
        if (plan := plans.get(fault.name)) is not None
    }
    return states, refusals, {name: plan.operations for name, plan in plans.items()}


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

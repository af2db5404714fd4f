"""What a drill would meet, read as the person who asks: for `plan` and `doctor`. Nothing is touched.

The same checks and plans as the operator's preflight, fed through the API server's proxy to Services, so that
they can be had before the drill exists.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from kubedrill.api.drill import Drill
from kubedrill.api.environment import DrillEnvironment
from kubedrill.api.roster import DrillRoster
from kubedrill.api.scenario import DrillScenario, ScenarioSpec
from kubedrill.api.stored import understood
from kubedrill.cli.clock import now
from kubedrill.cli.connection import OPT_IN_LABEL, SERVICE_ACCOUNT, CliError, demand, path_of, said_by
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.cli.manifest import Document
from kubedrill.cli.standing import ENDED
from kubedrill.core.evidence.facts import FactKind, Sample, Series
from kubedrill.core.measure.windows import IMPACT
from kubedrill.core.plan.derive import derive
from kubedrill.core.plan.drill_plan import DrillPlan, Endpoint
from kubedrill.core.plan.reconcilers import keepers_of
from kubedrill.core.plan.setting import DrillSetting, out_of_reach
from kubedrill.core.plan.surroundings import LOOK_BACK, StopReading, Surroundings
from kubedrill.core.rights import Right
from kubedrill.core.undo.operations import Refusal, Target
from kubedrill.core.undo.record import UndoRecord
from kubedrill.kube.answers import NoAnswer
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.paths import NAMESPACES, RIGHTS
from kubedrill.plugins import channels
from kubedrill.plugins.conversations import held
from kubedrill.plugins.faults import of_drill
from kubedrill.plugins.faults.base import Plan, WorkingSet
from kubedrill.plugins.sources import of_kind, prometheus, promql
from kubedrill.plugins.sources.base import How
from kubedrill.plugins.sources.polled import (
    AskedServer,
    Conversation,
    Heard,
    KeptSamples,
    Polled,
    Polling,
    PollScope,
    Question,
)
from kubedrill.store.environments import setting_beside
from kubedrill.store.undo_records import RecordError, list_records

UNBORN: Final = "0" * 8
"""In the place of the UID that the API server gives a drill when it is made."""


@dataclass(frozen=True, slots=True)
class PreflightReadings:
    """What was found: the drill with everything derived, what is around it, and each fault's plan.

    `unread` says what of it could not be read by whoever asks; empty: nothing.
    """

    drill_plan: DrillPlan
    around: Surroundings
    plans: Mapping[str, Plan[Any]]
    objects: Mapping[Target, Mapping[str, Any]]
    unread: str = ""


@dataclass(frozen=True, slots=True)
class PrometheusReadings:
    """What Prometheus says; `error` when it says nothing."""

    error: str = ""
    rules: Mapping[str, prometheus.LoadedRule] = field(default_factory=dict)
    firing: frozenset[str] = frozenset()
    pending: frozenset[str] = frozenset()
    stops: tuple[StopReading, ...] = ()
    withheld: tuple[str, ...] = ()


async def scenario_of(kube: Kube, drill: Drill, namespace: str) -> ScenarioSpec:
    """The drill's scenario, its own or the one that it names.

    Raises:
        Trouble: the one that it names can't be read.
    """
    if drill.spec.scenario is not None:
        return drill.spec.scenario
    name = str(drill.spec.scenario_ref)
    body = await demand(kube.get(path_of("drillscenarios", namespace, name)), f"scenario {namespace}/{name}")
    return understood(DrillScenario, body).spec


class SettingRefused(CliError):
    """The drill can't be played with the environments and rosters that there are; `refusal` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.reason}: {refusal.message}", ExitCode.REFUSED)
        self.refusal = refusal


async def setting_of(kube: Kube, drill: Drill, namespace: str, documents: Iterable[Document] = ()) -> DrillSetting:
    """The drill's setting, from the environments and rosters of the cluster and those in the same files.

    Raises:
        SettingRefused: something is wrong with them.
        Trouble: they can't be read.
    """
    given = [d.model for d in documents if isinstance(d.model, DrillEnvironment | DrillRoster)]
    try:
        found = await setting_beside(kube, namespace, drill.spec, *given)
    except Unreachable as error:
        raise CliError(str(error)) from error
    if isinstance(found, Refusal):
        raise SettingRefused(found)
    return found


async def look(
    kube: Kube, drill: Drill, scenario: ScenarioSpec, control: str, setting: DrillSetting
) -> PreflightReadings:
    """Look at everything that a drill's preflight would look at.

    Raises:
        SettingRefused: it wants to reach a Service that its environment does not allow; nobody was asked.
    """
    drill_plan = derive(drill.spec, scenario, of_drill.profile, setting=setting)
    if refusal := out_of_reach(drill_plan):
        raise SettingRefused(refusal)
    monitoring = await _monitoring(kube, drill_plan)
    rules = {name: loaded.rule for name, loaded in monitoring.rules.items()}
    drill_plan = derive(drill.spec, scenario, of_drill.profile, rules, setting)
    records, unread = await _records(kube, control)
    measured = [(IMPACT, drill_plan.impact.query), *((c.name, c.query) for c in drill_plan.steady)]
    namespace, rights, others, objects, used, series = await asyncio.gather(
        kube.get(NAMESPACES.one(drill_plan.target_namespace)),
        _missing_rights(
            kube,
            control,
            drill_plan.target_namespace,
            (*of_drill.rights_for(drill_plan), *channels.rights_for(drill_plan)),
        ),
        kube.get(path_of("drills", control)),
        _objects(kube, drill_plan),
        _working_sets(kube, drill_plan),
        asyncio.gather(*(_value(kube, drill_plan.prometheus, name, query) for name, query in measured)),
    )
    plans, refusals = of_drill.planned(drill_plan, UNBORN, objects, used)
    meta = (namespace.body.get("metadata") or {}) if namespace.ok else {}
    labels, uid = meta.get("labels") or {}, str(meta.get("uid", ""))
    found = True if namespace.ok else False if namespace.status == 404 else None
    around = Surroundings(
        control_namespace=control,
        namespace_found=found,
        namespace_control=labels.get(OPT_IN_LABEL, ""),
        missing_rights=rights,
        other_drills=tuple(_active(others.body.get("items", []), drill, drill_plan.target_namespace)),
        busy_records=tuple(
            f"undo record {record.name} of drill {record.drill.name}"
            for record in records
            if record.is_on(drill_plan.target_namespace, uid)
        ),
        refusals=refusals,
        not_ready=tuple(_not_ready(objects)),
        monitoring_error=monitoring.error,
        rules_loaded=None if monitoring.error else frozenset(monitoring.rules),
        firing=None if monitoring.error else monitoring.firing,
        pending=monitoring.pending,
        series={s.name: s for s in series[1:]},
        impact=series[0],
        announced=drill_plan.announces,
        stops=monitoring.stops,
        withheld=monitoring.withheld,
        keepers=keepers_of((o for plan in plans.values() for o in plan.operations), objects, now() - LOOK_BACK),
    )
    return PreflightReadings(drill_plan, around, plans, objects, unread)


async def asked(kube: Kube, endpoint: Endpoint, path: str, *query: tuple[str, str]) -> Any:
    """The JSON that a Service answers with.

    Raises:
        Unanswered: it does not answer, or with an error that is not Prometheus' own.
    """
    access = endpoint.access
    if endpoint.is_outside or access.tls or access.credentials or access.tenant_header:
        raise NoAnswer(f"{endpoint} is asked by the operator alone, which has the way in: see that it runs")
    return await said_by(kube, endpoint.namespace, endpoint.name, endpoint.port, f"{access.prefix}{path}", query)


async def _monitoring(kube: Kube, drill_plan: DrillPlan) -> PrometheusReadings:
    names = {*(a.name for a in drill_plan.alerts), *(c.alert for c in drill_plan.stop_when if c.alert)}
    try:
        rules = prometheus.alert_rules(
            await asked(kube, drill_plan.prometheus, "/api/v1/rules", *promql.rules_asked_for(names)),
            drill_plan.about,
            names,
        )
        answer = await asked(kube, drill_plan.prometheus, "/api/v1/query", ("query", promql.alerts_now(*names)))
        alerts = [labels for labels, _ in prometheus.vector(answer) if drill_plan.about.holds(labels)]
    except NoAnswer as error:
        return PrometheusReadings(str(error))
    told = await _told(kube, drill_plan, rules)
    firing, pending = (_in_state(alerts, state) for state in ("firing", "pending"))
    stops = tuple(reading for one in told for reading in one.stops)
    withheld = tuple(said for one in told for said in one.withheld)
    return PrometheusReadings("", rules, firing, pending, stops, withheld)


def _in_state(alerts: Iterable[Mapping[str, str]], state: str) -> frozenset[str]:
    return frozenset(labels.get("alertname", "") for labels in alerts if labels.get("alertstate") == state)


async def _value(kube: Kube, endpoint: Endpoint, name: str, query: str) -> Series:
    """What an expression comes to now; no data when it has none, or none can be had."""
    if not query:
        return Series(name)
    try:
        answer = await asked(kube, endpoint, "/api/v1/query", ("query", f"sum({query})"))
        values = [value for _, value in prometheus.vector(answer)]
    except NoAnswer:
        return Series(name)
    return Series(name, tuple(Sample(now(), value) for value in values[:1]))


_LOOKED_FOR: Final = {FactKind.STOP_CONDITION_MET, FactKind.ALERT_SUPPRESSED}


async def _told(kube: Kube, drill_plan: DrillPlan, rules: Mapping[str, prometheus.LoadedRule]) -> list[Polled]:
    """The stop conditions as they are now, and what would hold alerts back, from whatever source tells of them."""
    telling = (s.polling for s in of_kind(How.POLL) if s.facts & _LOOKED_FOR and s.polling)
    return await asyncio.gather(*(_told_by(kube, drill_plan, polling, rules) for polling in telling))


async def _told_by(
    kube: Kube, drill_plan: DrillPlan, polling: Polling, rules: Mapping[str, prometheus.LoadedRule]
) -> Polled:
    is_prometheus = polling.server is AskedServer.PROMETHEUS
    endpoint = drill_plan.prometheus if is_prometheus else drill_plan.alertmanager
    at = now()
    scope = PollScope(drill_plan, at, at, at, timedelta(0), rules, before_start=True)

    async def ask(question: Question) -> Any:
        return question.read(await asked(kube, endpoint, question.path, *question.query), now())

    async def heard(conversation: Conversation) -> Heard:
        try:
            return Heard(await held(conversation, ask), "")
        except NoAnswer as error:
            return Heard(None, str(error))

    poll = polling.begin(_no_room)
    return poll.told(scope, await asyncio.gather(*map(heard, poll.ask(scope))))


def _no_room() -> KeptSamples:
    raise RuntimeError("whoever looks once keeps no samples")


async def _working_sets(kube: Kube, drill_plan: DrillPlan) -> dict[str, WorkingSet]:
    wanted = of_drill.measured_for(drill_plan)
    if not wanted:
        return {}
    try:
        query = promql.working_sets(drill_plan.about, wanted)
        answer = await asked(kube, drill_plan.prometheus, "/api/v1/query", ("query", query))
        latest = prometheus.latest_by(answer, "container")
    except NoAnswer:
        return {}
    return {
        name: WorkingSet(int(value), "Prometheus, container_memory_working_set_bytes") for name, value in latest.items()
    }


async def _objects(kube: Kube, drill_plan: DrillPlan) -> dict[Target, dict[str, Any]]:
    targets = of_drill.targets_of(drill_plan)
    answers = await asyncio.gather(*(kube.get(target.path) for target in targets))
    return {target: a.body for target, a in zip(targets, answers, strict=True) if a.ok}


async def _records(kube: Kube, control: str) -> tuple[tuple[UndoRecord, ...], str]:
    """The undo records; what keeps them from being read, if anything does (they are Secrets)."""
    try:
        listing = await list_records(kube, control)
    except RecordError as trouble:
        return (), f"whether an undo record still holds the namespace: {trouble}"
    unread = ", ".join(one.ref.name for one in listing.unreadable)
    unknown = f"whether an undo record still holds the namespace: {unread} can't be read" if unread else ""
    return tuple(stored.record for stored in listing.readable), unknown


async def _missing_rights(kube: Kube, control: str, namespace: str, needed: Iterable[Right]) -> tuple[str, ...] | None:
    """What the operator's ServiceAccount may not do in the target namespace; None when we may not ask."""
    user = f"system:serviceaccount:{control}:{SERVICE_ACCOUNT}"
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{control}", "system:authenticated"]
    missing = []
    for right in needed:
        attributes = {"namespace": namespace, "group": right.group, "resource": right.resource, "verb": right.verb}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": user, "groups": groups, "resourceAttributes": attributes},
        }
        answer = await kube.call("POST", RIGHTS.all, review)
        if not answer.ok:
            return None
        if not answer.body.get("status", {}).get("allowed"):
            missing.append(str(right))
    return tuple(missing)


def _active(drills: list[Mapping[str, Any]], own: Drill, namespace: str) -> Iterator[str]:
    for drill in drills:
        status = drill.get("status") or {}
        is_on = status.get("startExTime") is not None and status.get("phase") not in ENDED
        if is_on and drill["spec"]["targetNamespace"] == namespace and drill["metadata"]["name"] != own.metadata.name:
            yield str(drill["metadata"]["name"])


def _not_ready(objects: Mapping[Target, Mapping[str, Any]]) -> Iterator[str]:
    for target, body in objects.items():
        wanted = (body.get("spec") or {}).get("replicas")
        ready = (body.get("status") or {}).get("readyReplicas") or 0
        if wanted is not None and ready < wanted:
            yield f"{target}: {ready} of {wanted} pods are ready"

"""The course of the trouble itself, measured over windows: when it began, when it fell, when it was over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from kubedrill.core.evidence.attribution import credited, is_cause, own_revert
from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Series, Source, first
from kubedrill.core.measure.results import By, Milestone, MilestoneName
from kubedrill.core.measure.windows import IMPACT, Edge, Timeline, edges, falling, long_enough, sustained
from kubedrill.core.plan.drill_plan import DrillPlan

DECLARED = {
    MilestoneName.MITIGATED: FactKind.MITIGATED_DECLARED,
    MilestoneName.RECOVERED: FactKind.RESOLVED_DECLARED,
}
STATED = {MilestoneName.MITIGATED: FactKind.IMPACT_FALLING, MilestoneName.RECOVERED: FactKind.STEADY_AGAIN}


@dataclass(frozen=True, slots=True)
class ImpactEvidence:
    """What the course is measured from; `fired` is when the alert that starts the clock fired."""

    facts: tuple[Fact, ...]
    series: Mapping[str, Series]
    drill_plan: DrillPlan
    fired: Interval | None


def course(
    facts: tuple[Fact, ...],
    series: Mapping[str, Series],
    drill_plan: DrillPlan,
    known: tuple[Milestone, ...],
    now: datetime,
) -> tuple[Milestone, ...]:
    """ImpactStarted, Mitigated and Recovered, as far as they were reached by `now`."""
    fired = next((m.at for m in known if m.name is MilestoneName.ALERT_FIRED and not m.level), None)
    seen = ImpactEvidence(facts, series, drill_plan, fired)
    found = (_impact_started(seen, now), *(_over(name, seen, now) for name in STATED))
    return tuple(m for m in found if m is not None)


def _over(name: MilestoneName, seen: ImpactEvidence, now: datetime) -> Milestone | None:
    """Mitigated or Recovered: until the operator's first revert anybody's, after it the operator's."""
    facts, drill_plan = seen.facts, seen.drill_plan
    stated = first((f for f in facts if f.source is not Source.OBSERVER), STATED[name])
    if stated is not None:
        return _stated(name, stated, seen)
    revert = own_revert(facts)
    for until, by in ((revert.at.not_before, None), (now, By.OPERATOR)) if revert else ((now, None),):
        start = _fall(seen, until) if name is MilestoneName.MITIGATED else _steady_again(seen, until)
        if start is not None:
            who, actor = (by, "") if by else credited(facts, drill_plan, start.not_after)
            return Milestone(name, start, Source.PROMETHEUS, _how(name, drill_plan), actor=actor, by=who)
    observed = first(facts, STATED[name]) or (first(facts, DECLARED[name]) if drill_plan.people_only else None)
    return _stated(name, observed, seen) if observed else None


def _stated(name: MilestoneName, fact: Fact, seen: ImpactEvidence) -> Milestone:
    by, actor = credited(seen.facts, seen.drill_plan, fact.at.not_after)
    word = fact.source is Source.OBSERVER or fact.kind is DECLARED[name]
    if word and fact.actor:
        by, actor = (by if by in (By.STRANGER, By.UNKNOWN) else By.PLAYER), fact.actor
    return Milestone(name, fact.at, fact.source, fact.evidence, actor=actor, by=by, declared=word, fact_ids=(fact.id,))


def _how(name: MilestoneName, drill_plan: DrillPlan) -> str:
    if name is MilestoneName.MITIGATED:
        fall = drill_plan.impact
        return (
            f"from here on the impact fell for good, by {fall.amount:g} or {fall.percent:g} % of its peak"
            f" within {fall.window.total_seconds():g} s"
        )
    return (
        f"from here on every check held for {drill_plan.recovered_window.total_seconds():g} s, the cause was"
        " gone and the alert silent"
    )


def _fall(seen: ImpactEvidence, until: datetime) -> Interval | None:
    impact, injected = seen.series.get(IMPACT), first(seen.facts, FactKind.FAULT_INJECTED)
    if impact is None or injected is None:
        return None
    return falling(impact.between(injected.at.not_before, until), seen.drill_plan.impact, until)


def _impact_started(seen: ImpactEvidence, now: datetime) -> Milestone | None:
    """The first steady-state check that ceased to hold after the injection."""
    name = MilestoneName.IMPACT_STARTED
    stated = first(seen.facts, FactKind.IMPACT_STARTED)
    if stated is not None:
        told = (stated.source, stated.evidence)
        return Milestone(name, stated.at, *told, by=By.AUTOMATION, fact_ids=(stated.id,))
    injected = first(seen.facts, FactKind.FAULT_INJECTED)
    if injected is None:
        return None
    broken = [
        (edge.at, check.name)
        for check in seen.drill_plan.steady
        if check.name in seen.series
        for edge in edges(seen.series[check.name], check, now)
        if not edge.holds and edge.at.not_after >= injected.at.not_before
    ]
    if not broken:
        return None
    at, check = min(broken, key=lambda b: (b[0].not_before, b[0].not_after))
    return Milestone(name, at, Source.PROMETHEUS, f"check {check} ceased to hold", by=By.AUTOMATION)


def _steady_again(seen: ImpactEvidence, until: datetime) -> Interval | None:
    """The start of the first window in which all is well, after the alert that starts the clock fired.

    All is well when every check holds, the cause is gone, the alerts are silent and the workloads ready.
    """
    drill_plan, fired = seen.drill_plan, seen.fired
    if fired is None or drill_plan.people_only:
        return None
    known = tuple(f for f in seen.facts if f.at.not_before <= until)
    targets = sorted(drill_plan.workloads)
    window = drill_plan.recovered_window
    lines: list[Timeline] = [(Edge(fired, holds=True),)]
    for check in drill_plan.steady:
        series = seen.series.get(check.name, Series(check.name))
        lines.append(edges(series.between(fired.not_before - series.step * 10, until), check, until))
        window = max(window, long_enough(drill_plan.recovered_window, series.step))
    lines += [_silence(known, alert.name) for alert in drill_plan.alerts if alert.name not in drill_plan.announces]
    lines += [_readiness(known, target) for target in targets]
    lines += [_cause_gone(known, drill_plan)] if drill_plan.has_cause else []
    return sustained(lines, window, until)


def _silence(facts: tuple[Fact, ...], alert: str) -> Timeline:
    """When an alert was silent; Alertmanager's word that it ended counts only where Prometheus is silent."""
    told = [
        f
        for f in facts
        if f.kind in (FactKind.ALERT_FIRING, FactKind.ALERT_RESOLVED)
        and f.detail.get("alert") == alert
        and f.source is not Source.OBSERVER
    ]
    told = [f for f in told if f.source is Source.PROMETHEUS] or told
    start = min((f.at.not_before for f in facts), default=None)
    if start is None:
        return ()
    return (
        Edge(Interval.at(start), holds=True),
        *(Edge(f.at, holds=f.kind is FactKind.ALERT_RESOLVED) for f in told),
    )


def _readiness(facts: tuple[Fact, ...], target: str) -> Timeline:
    """When all of a workload's pods were ready; none wanted is not ready."""
    states = (f for f in facts if f.kind is FactKind.WORKLOAD_STATE and f.detail.get("target") == target)
    return _changes((f.at, _all_ready(f)) for f in states)


def _all_ready(state: Fact) -> bool:
    return bool(state.detail["ready"] >= state.detail["desired"] > 0 and not state.detail["unready"])


def _changes(states: Iterable[tuple[Interval, bool]]) -> Timeline:
    found: list[Edge] = []
    for at, holds in states:
        if not found or found[-1].holds != holds:
            found.append(Edge(at, holds))
    return tuple(found)


def _cause_gone(facts: tuple[Fact, ...], drill_plan: DrillPlan) -> Timeline:
    """From the last time on that somebody changed what the fault had changed."""
    fixes = [f for f in facts if is_cause(f, drill_plan)]
    return (Edge(fixes[-1].at, holds=True),) if fixes else ()

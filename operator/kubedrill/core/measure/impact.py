"""The course of the trouble itself, measured over windows: when it began, when it fell, when it was over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta

from kubedrill.core.evidence.attribution import credited, is_cause, own_revert
from kubedrill.core.evidence.facts import Fact, FactKind, FactSet, Interval, Series, Source, first, in_order
from kubedrill.core.evidence.rule_changes import OtherRule, other_rules, proven_end
from kubedrill.core.measure.crossings import Edges, first_breach, holds_for
from kubedrill.core.measure.emptied import emptied
from kubedrill.core.measure.falls import falling
from kubedrill.core.measure.order import is_confirmed, once_begun, recovered_after_mitigated
from kubedrill.core.measure.results import By, Milestone, MilestoneName
from kubedrill.core.measure.windows import IMPACT, Edge, Timeline, holding_since, long_enough, sustained
from kubedrill.core.plan.drill_plan import DrillPlan, RuleTiming

DECLARED = {
    MilestoneName.MITIGATED: FactKind.MITIGATED_DECLARED,
    MilestoneName.RECOVERED: FactKind.RESOLVED_DECLARED,
}
STATED = {MilestoneName.MITIGATED: FactKind.IMPACT_FALLING, MilestoneName.RECOVERED: FactKind.STEADY_AGAIN}


@dataclass(frozen=True, slots=True)
class ImpactEvidence:
    """What the course is measured from.

    `fired` is when the alert that starts the clock fired, `effect` when the first fault had its effect: where none was
    seen there was nothing to get better.
    """

    facts: FactSet
    series: Mapping[str, Series]
    drill_plan: DrillPlan
    fired: Interval | None
    injected: Interval | None = None
    effect: Interval | None = None

    @property
    def begun(self) -> Interval | None:
        """When the trouble began: with the effect, and not before the injection."""
        if self.injected is None or self.effect is None:
            return self.effect or self.injected
        return Interval(*(max(ends) for ends in zip(astuple(self.injected), astuple(self.effect), strict=True)))


def course(
    facts: FactSet,
    series: Mapping[str, Series],
    drill_plan: DrillPlan,
    known: tuple[Milestone, ...],
    now: datetime,
) -> tuple[Milestone, ...]:
    """ImpactStarted, Mitigated and Recovered, as far as they were reached by `now`."""
    at = {m.name: m.at for m in known if not m.level}
    names = (MilestoneName.ALERT_FIRED, MilestoneName.INJECTED, MilestoneName.FAULT_EFFECTIVE)
    seen = ImpactEvidence(facts, series, drill_plan, *map(at.get, names))
    started = _impact_started(seen, now)
    recovered = _over(MilestoneName.RECOVERED, seen, now)
    mitigated = _over(MilestoneName.MITIGATED, seen, _measured_until(recovered, seen, now))
    in_order_of_time = recovered_after_mitigated(mitigated, recovered, seen.begun, _not_seen_to_fall(seen))
    return (*((started,) if started else ()), *in_order_of_time)


def _measured_until(recovered: Milestone | None, seen: ImpactEvidence, now: datetime) -> datetime:
    """Until when the impact must not rise again: what comes after a recovery is another trouble."""
    if recovered is None or recovered.declared or recovered.by is By.OPERATOR:
        return now
    impact = seen.series.get(IMPACT, Series(IMPACT))
    return min(now, recovered.at.not_after + long_enough(seen.drill_plan.impact.window, impact.step))


def _not_seen_to_fall(seen: ImpactEvidence) -> str:
    """Why a fall of the impact may not have been seen although there was one."""
    impact = seen.series.get(IMPACT)
    return "its impact fell by too little to be seen" if impact and impact.samples else "its impact gave no data"


def _over(name: MilestoneName, seen: ImpactEvidence, now: datetime) -> Milestone | None:
    """Mitigated or Recovered: until the operator's first revert anybody's, after it the operator's."""
    facts, drill_plan = seen.facts, seen.drill_plan
    stated = _first_stated(name, seen, (f for f in in_order(facts, STATED[name]) if f.source is not Source.OBSERVER))
    # what a source tells is a measurement, too: what had no effect can't get better
    if stated is not None and (seen.effect or name is not MilestoneName.MITIGATED):
        return stated
    observed = tuple(f for f in in_order(facts, STATED[name]) if f.source is Source.OBSERVER)
    revert = own_revert(facts)
    for until, by in ((revert.at.not_before, None), (now, By.OPERATOR)) if revert else ((now, None),):
        start = _fall(seen, min(until, now)) if name is MilestoneName.MITIGATED else _steady_again(seen, until)
        if start is not None:
            who, actor = (by, "") if by else credited(facts, drill_plan, start.not_after)
            confirmed = is_confirmed(start, (actor,), observed)
            how = _how(name, drill_plan)
            return Milestone(name, start, Source.PROMETHEUS, how, actor=actor, by=who, confirmed=confirmed)
    return _first_stated(name, seen, (*observed, *_declared(name, seen)))


def _declared(name: MilestoneName, seen: ImpactEvidence) -> tuple[Fact, ...]:
    """What players say of it, where nothing in the cluster is broken; not before the alert of which they speak."""
    if not seen.drill_plan.people_only:
        return ()
    return tuple(f for f in in_order(seen.facts, DECLARED[name]) if seen.fired and once_begun(f.at, seen.fired))


def _first_stated(name: MilestoneName, seen: ImpactEvidence, facts: Iterable[Fact]) -> Milestone | None:
    """What the first of these facts says; one from before there was any trouble is about something else."""
    timely = ((fact, at) for fact in facts if (at := once_begun(fact.at, seen.begun)))
    return next((_stated(name, fact, at, seen) for fact, at in timely), None)


def _stated(name: MilestoneName, fact: Fact, at: Interval, seen: ImpactEvidence) -> Milestone:
    by, actor = credited(seen.facts, seen.drill_plan, at.not_after)
    observed = fact.source is Source.OBSERVER
    word = observed or fact.kind is DECLARED[name]
    if word and fact.actor:
        by, actor = (by if by in (By.STRANGER, By.UNKNOWN) else By.PLAYER), fact.actor
    told = (fact.source, fact.evidence)
    ids = (fact.id,)
    return Milestone(name, at, *told, actor=actor, by=by, declared=word, fact_ids=ids, confirmed=observed)


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
    impact = seen.series.get(IMPACT)
    if impact is None or seen.effect is None or seen.begun is None:
        return None
    empty = tuple(emptied(seen.facts, seen.drill_plan.workloads, until))
    until = min((until, *(since.not_before for since, again in empty if again is None)))
    began = falling(impact, seen.drill_plan.impact, until, since=seen.begun.not_before)
    for since, again in empty:  # what fell while nobody wanted any pods has fallen once they are wanted again
        if began and again and since.not_before <= began.not_after and began.not_before <= again.not_after:
            began = again
    return once_begun(began, seen.begun) if began else None


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
        (breach, check.name)
        for check in seen.drill_plan.steady
        if check.name in seen.series
        and (breach := first_breach(seen.series[check.name], check, injected.at.not_before, now))
    ]
    if not broken:
        return None
    at, check = min(broken, key=lambda b: (b[0].not_before, b[0].not_after))
    return Milestone(name, at, Source.PROMETHEUS, f"check {check} ceased to hold", by=By.AUTOMATION)


def _steady_again(seen: ImpactEvidence, until: datetime) -> Interval | None:
    """The start of the first window in which all is well, after the alert that starts the clock fired."""
    lines, window = _wellness(seen, until)
    return sustained(lines, window, until) if lines else None


def recovering(
    facts: FactSet, series: Mapping[str, Series], drill_plan: DrillPlan, fired: Interval, now: datetime
) -> tuple[Interval, timedelta] | None:
    """Since when all is well so far, and for how long it has to be; nothing while something is not."""
    lines, window = _wellness(ImpactEvidence(facts, series, drill_plan, fired), now)
    since = holding_since(lines)
    return (since, window) if since else None


def well_but_for_rules(
    facts: FactSet, series: Mapping[str, Series], drill_plan: DrillPlan, fired: Interval, now: datetime
) -> tuple[Interval, str] | None:
    """Since when all was well but for alerts whose rules are not the planned ones, and in words which those are.

    Nothing while every rule is as it was planned, or where something else is not well either.
    """
    expected = (alert.name for alert in drill_plan.alerts)
    others = {name: found[-1] for name in expected if (found := other_rules(facts, name, now)) and not found[-1].back}
    if not others:
        return None
    lines, window = _wellness(ImpactEvidence(facts, series, drill_plan, fired), now, unheard=frozenset(others))
    since = sustained(lines, window, now) if lines else None
    words = "; ".join(other.seen.evidence for other in others.values())
    return (since, f"whether {', '.join(others)} has ended is not known: {words}") if since else None


def _wellness(
    seen: ImpactEvidence, until: datetime, unheard: frozenset[str] = frozenset()
) -> tuple[list[Timeline], timedelta]:
    """All that must hold for a recovery, and for how long; nothing where nothing can tell.

    All is well when every check holds, the cause is gone, the alerts (but for `unheard`) are silent and the workloads
    ready.
    """
    drill_plan, fired = seen.drill_plan, seen.fired
    if fired is None or drill_plan.people_only:
        return [], drill_plan.recovered_window
    targets = sorted(drill_plan.workloads)
    checked = [(check, seen.series.get(check.name, Series(check.name))) for check in drill_plan.steady]
    steps = [series.step for _, series in checked]
    window = max((long_enough(drill_plan.recovered_window, s) for s in steps), default=drill_plan.recovered_window)
    lines: list[Timeline] = [(Edge(fired, holds=True),)]
    for check, series in checked:
        lines.append(holds_for(series, check, window, fired.not_before - series.step * 10, until))
    expected = (alert.name for alert in drill_plan.alerts if alert.name not in drill_plan.announces | unheard)
    lines += [_silence(seen.facts, alert, drill_plan, until) for alert in expected]
    lines += [_readiness(seen.facts, target, window, until) for target in targets]
    lines += [_cause_gone(seen.facts, drill_plan, until)] if drill_plan.has_cause else []
    return lines, window


def is_silent(facts: FactSet, alert: str, drill_plan: DrillPlan, now: datetime) -> bool:
    """Whether an alert that was heard of fires no more, as far as is known."""
    line = _silence(facts, alert, drill_plan, now)
    return bool(line) and line[-1].holds


def are_ready(facts: FactSet, drill_plan: DrillPlan, now: datetime) -> bool:
    """Whether all pods of the drilled workloads have been ready for as long as a recovery takes."""
    states = {f.detail.get("target"): f for f in in_order(facts, FactKind.WORKLOAD_STATE)}
    found = [states.get(target) for target in drill_plan.workloads]
    since = now - drill_plan.recovered_window
    return bool(found) and all(f is not None and _all_ready(f) and f.at.not_after <= since for f in found)


def _silence(facts: FactSet, alert: str, drill_plan: DrillPlan, until: datetime) -> Timeline:
    """When an alert was silent: nothing fires that it is about. Its rule's `keep_firing_for` is no trouble any more.

    Alertmanager's word that it ended counts only where Prometheus is silent.
    """
    told = [
        f
        for f in in_order(facts, FactKind.ALERT_FIRING, FactKind.ALERT_RESOLVED)
        if f.detail.get("alert") == alert and f.source is not Source.OBSERVER and f.at.not_before <= until
    ]
    told = [f for f in told if f.source is Source.PROMETHEUS] or told
    if not facts or facts.in_order[0].at.not_before > until:
        return ()
    timing, firing = drill_plan.timing_of(alert), set[str]()
    others = other_rules(facts, alert, until)
    edges = [Edge(Interval.at(facts.in_order[0].at.not_before), holds=True)]
    for fact in told:
        about = str(sorted((fact.detail.get("labels") or {}).items()))
        if fact.kind is FactKind.ALERT_FIRING:
            firing.add(about)
            edges.append(Edge(fact.at, holds=False))
            continue
        firing = set() if fact.detail.get("all") else firing - {about}
        if not firing:
            edges += _ended(fact, told, others, timing)
    return tuple(edges)


def _ended(resolved: Fact, told: Iterable[Fact], others: Iterable[OtherRule], timing: RuleTiming) -> Iterator[Edge]:
    """The end of an alert's trouble; none while its rule is another one, nor where it fires again under its own."""
    ended = proven_end(resolved.at, others, timing)
    if ended == resolved.at:
        yield Edge(_no_longer_true(ended, timing), holds=True)
    elif ended is not None:
        later = (f.at for f in told if f.kind is FactKind.ALERT_FIRING and f.at.not_before > resolved.at.not_before)
        if not any(at.not_before <= ended.not_after for at in later):
            yield Edge(ended, holds=True)


def _no_longer_true(ended: Interval, timing: RuleTiming) -> Interval:
    """When the condition of an alert ceased that was kept firing until then."""
    if not timing.lingers:
        return ended
    return Interval(ended.not_before - timing.lingers - timing.every, ended.not_after - timing.lingers)


def _readiness(facts: FactSet, target: str, window: timedelta, until: datetime) -> Timeline:
    """When all of a workload's pods were ready, for a window at least; none wanted is not ready."""
    asked = ("readiness", target, window)
    if asked not in facts.remembered:
        states = (f for f in in_order(facts, FactKind.WORKLOAD_STATE) if f.detail.get("target") == target)
        lasting = Edges(window)
        for edge in _changes((f.at, _all_ready(f)) for f in states):
            lasting.add(edge)
        facts.remembered[asked] = lasting.timeline
    return tuple(edge for edge in facts.remembered[asked] if edge.at.not_before <= until)


def _all_ready(state: Fact) -> bool:
    return bool(state.detail["ready"] >= state.detail["desired"] > 0 and not state.detail["unready"])


def _changes(states: Iterable[tuple[Interval, bool]]) -> Timeline:
    found: list[Edge] = []
    for at, holds in states:
        if not found or found[-1].holds != holds:
            found.append(Edge(at, holds))
    return tuple(found)


def _cause_gone(facts: FactSet, drill_plan: DrillPlan, until: datetime) -> Timeline:
    """From the last time on that somebody changed what the fault had changed."""
    changes = in_order(facts, FactKind.TARGET_CHANGED)
    fixes = [f for f in changes if f.at.not_before <= until and is_cause(f, drill_plan)]
    return (Edge(fixes[-1].at, holds=True),) if fixes else ()

"""Milestones from facts: which instants of the drill are known, how well, and from what.

Several sources of one event are intersected; where they contradict each other the milestone covers both and
is marked. The first of several events is bounded by the least of each bound. What an observer entered counts
only where no machine saw anything. Those that are measured over a window are in `course`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from kubedrill.core.evidence.alert_onset import without_older_alerts
from kubedrill.core.evidence.attribution import SAID, changes_of_players, is_cause
from kubedrill.core.evidence.facts import Fact, FactKind, FactSet, Interval, Series, Source, in_order
from kubedrill.core.measure.diagnosis import names_the_cause
from kubedrill.core.measure.effect import with_effect
from kubedrill.core.measure.impact import course
from kubedrill.core.measure.milestone_table import MILESTONES, Charged
from kubedrill.core.measure.order import ABOUT, ALERTS, Reached, early, is_confirmed, of_this_drill
from kubedrill.core.measure.results import By, Milestone, MilestoneName
from kubedrill.core.plan.drill_plan import DrillPlan

MOST_LEVELS: Final = 15
"""Of so many levels of an escalation there are milestones: anybody who plays may make up any number."""
Wanted = Callable[[Fact, DrillPlan], bool]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One thing that happened, as all its sources together tell it."""

    at: Interval
    facts: tuple[Fact, ...]
    conflict: bool


def _any(_fact: Fact, _drill_plan: DrillPlan) -> bool:
    return True


def _by_player(fact: Fact, drill_plan: DrillPlan) -> bool:
    """An automation's acknowledgement is nobody's."""
    return fact.actor in {p.name for p in drill_plan.players} if drill_plan.players else bool(fact.actor)


def _of_clock_alert(fact: Fact, drill_plan: DrillPlan) -> bool:
    return bool(fact.detail.get("alert", drill_plan.clock_alert) == drill_plan.clock_alert)


def severity_rank(severity: object) -> int | None:
    """P1 is 1, the worst; None for what is no severity."""
    text = str(severity).strip().upper()
    return int(text[1:]) if text[:1] == "P" and text[1:].isdigit() else None


def _severe_enough(fact: Fact, drill_plan: DrillPlan) -> bool:
    said, right = severity_rank(fact.detail.get("severity")), severity_rank(drill_plan.severity)
    return _by_player(fact, drill_plan) and said is not None and (right is None or said <= right)


SEEN: Mapping[MilestoneName, Wanted] = {
    MilestoneName.INJECTED: _any,
    MilestoneName.FAULT_EFFECTIVE: _any,
    MilestoneName.ALERT_PENDING: _of_clock_alert,
    MilestoneName.ALERT_FIRED: _of_clock_alert,
    MilestoneName.NOTIFIED: _of_clock_alert,
    MilestoneName.ACKNOWLEDGED: _by_player,
    MilestoneName.SEVERITY_ASSESSED: _severe_enough,
    MilestoneName.COMMAND_ASSUMED: _by_player,
    MilestoneName.CLIENT_COMPLAINED: _any,
    MilestoneName.CLIENT_NOTIFIED: _any,
    MilestoneName.CAUSE_IDENTIFIED: names_the_cause,
    MilestoneName.MITIGATED_DECLARED: _any,
    MilestoneName.RESOLVED_DECLARED: _any,
    MilestoneName.ALL_CLEAR_SENT: _any,
}
"""Those that the first fact of their kind reaches, and which of these facts count."""
OF_LEVELS = tuple(kind for kind in MILESTONES.values() if kind.has_level)


def milestones(
    facts: Iterable[Fact], series: Mapping[str, Series], drill_plan: DrillPlan, now: datetime
) -> tuple[Milestone, ...]:
    """All milestones that were reached by `now`, in order of time.

    `facts` have their actors already; `series` maps the names of steady checks, and `impact`, to samples.
    """
    seen = of_this_drill(without_older_alerts(FactSet.of(facts), drill_plan))
    known = _together(_seen(name, seen, drill_plan, {}) for name in SEEN if name not in ABOUT)
    known += _together((_paged(seen, drill_plan), *_other_alerts(seen, drill_plan)))
    known = tuple(with_effect(known, seen, drill_plan))
    known += course(seen, series, drill_plan, known, now)
    reached = {m.name: m.at for m in known if not m.level and not m.early}
    known += _together(_seen(name, seen, drill_plan, reached) for name in SEEN if name in ABOUT)
    known += _together(_levels(seen, drill_plan, reached))
    known += _together((_first_containment(seen, reached), _fix(seen, drill_plan, reached)))
    order = list(MilestoneName)
    return tuple(sorted(known, key=lambda m: (m.at.not_before, m.at.not_after, order.index(m.name), m.level)))


def _together(found: Iterable[Milestone | None]) -> tuple[Milestone, ...]:
    return tuple(m for m in found if m is not None)


def _seen(name: MilestoneName, facts: FactSet, drill_plan: DrillPlan, reached: Reached) -> Milestone | None:
    wanted, all_of_it = SEEN[name], in_order(facts, MILESTONES[name].fact)
    return _reached(name, (f for f in all_of_it if wanted(f, drill_plan)), reached=reached, observed=all_of_it)


def occurrences(facts: Iterable[Fact]) -> tuple[Occurrence, ...]:
    """The facts joined to events: the same word or change, or each source's n-th firing of one alert."""
    groups: dict[str, list[Fact]] = {}
    counts: dict[tuple[str, Source], int] = {}
    for fact in in_order(facts):
        key = str(fact.detail.get("change") or fact.id)
        if fact.kind in ALERTS:
            alert = str(fact.detail.get("alert", ""))
            counts[alert, fact.source] = counts.get((alert, fact.source), 0) + 1
            key = f"{alert}/{counts[alert, fact.source]}"
        groups.setdefault(key, []).append(fact)
    return tuple(_joined(group) for group in groups.values())


def _joined(group: list[Fact]) -> Occurrence:
    at: Interval | None = group[0].at
    hull = group[0].at
    for fact in group[1:]:
        at = at.intersection(fact.at) if at else None
        hull = hull.hull(fact.at)
    return Occurrence(at or hull, tuple(group), conflict=at is None and not _of_replicas(group))


def _of_replicas(group: list[Fact]) -> bool:
    """Whether the facts differ by no more than replicas of one Prometheus do, which evaluate at different instants."""
    apart = max(float(fact.detail.get("apart") or 0) for fact in group)
    gap = max(fact.at.not_before for fact in group) - min(fact.at.not_after for fact in group)
    return gap <= timedelta(seconds=apart)


def _reached(
    name: MilestoneName,
    facts: Iterable[Fact],
    level: str = "",
    reached: Reached | None = None,
    observed: Iterable[Fact] = (),
) -> Milestone | None:
    """The first of the events: not before the least lower bound, not after the least upper one.

    What was too early for what it is about counts only where nothing else is there, or where one of `observed` is the
    facilitator's word for it.
    """
    given, reached = tuple(facts), reached or {}
    if not given:
        return None
    words = tuple(f for f in (*given, *observed) if f.source is Source.OBSERVER)
    told = occurrences(f for f in given if f.source is not Source.OBSERVER)
    timely = tuple(e for e in told if not early(name, e.at, reached) or _is_confirmed(e, words))
    events = timely or occurrences(f for f in given if f.source is Source.OBSERVER) or told
    if not events:
        return None
    lead = min(events, key=lambda e: (e.at.not_before, e.at.not_after))
    at = Interval(lead.at.not_before, min(e.at.not_after for e in events))
    fact = lead.facts[0]
    confirmed = _is_confirmed(lead, words)
    too_early = "" if confirmed else early(name, at, reached)
    return Milestone(
        name,
        at,
        fact.source,
        f"{fact.evidence}; early: {too_early}" if too_early else fact.evidence,
        level=level,
        actor=next((f.actor for f in lead.facts if f.actor), ""),
        by=By.PLAYER if MILESTONES[name].who is Charged.PEOPLE else By.AUTOMATION,
        conflict=lead.conflict,
        declared=all(_is_word(f) for f in lead.facts),
        fact_ids=tuple(f.id for e in events if e.at.not_before <= at.not_after for f in e.facts),
        early=too_early,
        confirmed=confirmed,
    )


def _is_confirmed(event: Occurrence, observed: Iterable[Fact]) -> bool:
    return is_confirmed(event.at, (f.actor for f in event.facts), observed)


def _is_word(fact: Fact) -> bool:
    """Whether only a person's word stands behind the fact."""
    told = fact.kind in SAID and fact.source is Source.PLAYER_ACTION
    return told or fact.source is Source.OBSERVER or bool(fact.detail.get("declared"))


def _paged(facts: FactSet, drill_plan: DrillPlan) -> Milestone | None:
    """A receiver for people was reached: as somebody saw, or as Alertmanager told of one that the environment names."""
    told = in_order(facts, FactKind.PAGE_SENT, FactKind.NOTIFIED)
    of_people = (
        f for f in told if f.kind is FactKind.PAGE_SENT or f.detail.get("receiver") in drill_plan.people_receivers
    )
    return _reached(MilestoneName.PAGED, (f for f in of_people if _of_clock_alert(f, drill_plan)))


def _other_alerts(facts: FactSet, drill_plan: DrillPlan) -> list[Milestone | None]:
    fired = in_order(facts, FactKind.ALERT_FIRING)
    names = [a.name for a in drill_plan.alerts if a.name != drill_plan.clock_alert]
    return [
        _reached(MilestoneName.ALERT_FIRED, (f for f in fired if f.detail.get("alert") == alert), alert)
        for alert in names
    ]


def _levels(facts: FactSet, drill_plan: DrillPlan, reached: Reached) -> list[Milestone | None]:
    """Escalations, one milestone a level; who engages without naming a level engages as what they play."""
    roles = {p.name: p.role for p in drill_plan.players}
    found = []
    for kind in OF_LEVELS:
        groups: dict[str, list[Fact]] = {}
        for fact in in_order(facts, kind.fact):
            own = roles.get(fact.actor, "") if kind.name is MilestoneName.ESCALATION_ENGAGED else ""
            groups.setdefault(str(fact.detail.get("level") or own), []).append(fact)
        wanted = {o.level for o in drill_plan.objectives} | set(roles.values())
        # those that anything asks for first, then as they were called; the facts of the others stay evidence
        chosen = sorted(groups, key=lambda level: level not in wanted)[:MOST_LEVELS]
        found += [_reached(kind.name, groups[level], level, reached) for level in chosen]
    return found


def _first_containment(facts: FactSet, reached: Reached) -> Milestone | None:
    """The first change by a player; without any, the first one that a player spoke of."""
    said = in_order(facts, *SAID)
    return _reached(MilestoneName.FIRST_CONTAINMENT, changes_of_players(facts) or said, "", reached, said)


def _fix(facts: FactSet, drill_plan: DrillPlan, reached: Reached) -> Milestone | None:
    """The first change by a player to what the fault had changed; without any, the fix they spoke of."""
    fixes = tuple(f for f in changes_of_players(facts) if is_cause(f, drill_plan))
    said = in_order(facts, FactKind.FIX_APPLIED)
    return _reached(MilestoneName.FIX_APPLIED, fixes or said, "", reached, said)

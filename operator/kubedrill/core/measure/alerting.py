"""What the monitoring owes to people: that the alert is about the fault, and that somebody is told of it.

People's clocks start with the alert. Where they were told later (`group_wait`), or not at all (muted, silenced,
inhibited), the time until then is the monitoring's: an objective that is not met from the alert on is judged from when
somebody was told, or from the first thing that a player did. Where it isn't known when people were told, neither counts
for sure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from kubedrill.api.durations import format_duration
from kubedrill.core.evidence.alert_onset import NotThisDrills, not_this_drills
from kubedrill.core.evidence.attribution import first_cause_change, taken_out_in_words
from kubedrill.core.evidence.facts import Fact, FactKind, FactSet, Interval, in_order
from kubedrill.core.measure.milestone_table import Charged, of
from kubedrill.core.measure.order import of_this_drill
from kubedrill.core.measure.results import Milestone, MilestoneName
from kubedrill.core.plan.drill_plan import DrillPlan

SIGNS: Final = of(Charged.PEOPLE)
"""What a player does or says who knows of the alert, whoever told them."""
ON_ITS_WAY: Final = timedelta(seconds=10)
"""What a notification takes after it is due."""
NOT_OF_PEOPLE: Final = of(Charged.MONITORING)


@dataclass(frozen=True, slots=True)
class PeopleTold:
    """When people were told: `at`, counted from the milestone `since`.

    `sure` is false where only the operator's own notification is known, and people have receivers of their own.
    """

    since: MilestoneName
    at: Interval
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Alerting:
    """What is known of the alerts of a drill, as it bears on its objectives.

    `not_ours` says of expected alerts that fired, but not about the fault, why they do not count. `told` is when people
    were told; None: that is not known, or (`withheld` says why) nobody was.
    `awaited_until` is when somebody is told at the latest, as Alertmanager's routes have it. `taken_out` is when
    somebody first took a fault out, and in words who: an alert that was due later may not have come because of it.
    """

    not_ours: Mapping[str, NotThisDrills] = field(default_factory=dict)
    told: PeopleTold | None = None
    withheld: str = ""
    awaited_until: datetime | None = None
    taken_out: tuple[datetime, str] | None = None


NOTHING_KNOWN: Final = Alerting()


def alerting(facts: FactSet, milestones: tuple[Milestone, ...], drill_plan: DrillPlan) -> Alerting:
    """What the facts say of the alerting."""
    known = {m.name: m for m in milestones if not m.level}
    fired = {m.level or drill_plan.clock_alert for m in milestones if m.name is MilestoneName.ALERT_FIRED}
    silent = (alert.name for alert in drill_plan.alerts if alert.name not in fired)
    not_ours = {name: why for name in silent if (why := not_this_drills(name, facts, drill_plan)) is not None}
    known_of_all = Alerting(
        not_ours, taken_out=_taken_out(facts, drill_plan) if len(fired) < len(drill_plan.alerts) else None
    )
    if MilestoneName.ALERT_FIRED not in known:
        return known_of_all
    told, suppressed = _told(facts, known, drill_plan), withheld(facts, drill_plan)
    awaited = _awaited_until(facts, known[MilestoneName.ALERT_FIRED].at, drill_plan)
    if told is None and suppressed is None:
        return replace(known_of_all, awaited_until=awaited)
    sign = _first_sign(milestones, known[MilestoneName.ALERT_FIRED].at)
    if sign and (told is None or sign.at.not_after < told.at.not_before):
        told = PeopleTold(sign.name, sign.at)
    held = suppressed.evidence if suppressed and told is None else ""
    return replace(known_of_all, told=told, withheld=held, awaited_until=awaited)


def _taken_out(facts: FactSet, drill_plan: DrillPlan) -> tuple[datetime, str] | None:
    of_it = of_this_drill(facts)
    change = first_cause_change(of_it, drill_plan)
    return (change.at.not_before, taken_out_in_words(change, of_it)) if change else None


def _first_sign(milestones: Iterable[Milestone], fired: Interval) -> Milestone | None:
    """The first that shows that a player knew of the alert."""
    signs = (m for m in milestones if m.name in SIGNS and m.actor and m.at.not_after >= fired.not_before)
    return min(signs, key=lambda m: m.at, default=None)


def _awaited_until(facts: FactSet, fired: Interval, drill_plan: DrillPlan) -> datetime | None:
    """When somebody has been told at the latest, by what Alertmanager's routes wait for."""
    waits = [float(f.detail.get("waits") or 0) for f in of_clock_alert(facts, drill_plan, FactKind.ALERT_ROUTED)]
    return fired.not_after + timedelta(seconds=max(waits)) + ON_ITS_WAY if waits else None


def _told(facts: FactSet, known: Mapping[MilestoneName, Milestone], drill_plan: DrillPlan) -> PeopleTold | None:
    paged, notified = known.get(MilestoneName.PAGED), known.get(MilestoneName.NOTIFIED)
    if paged is not None:
        return PeopleTold(MilestoneName.PAGED, paged.at)
    if notified is None:
        return None
    heard = {f.detail.get("receiver") for f in of_clock_alert(facts, drill_plan, FactKind.NOTIFIED)}
    routed = of_clock_alert(facts, drill_plan, FactKind.ALERT_ROUTED)
    receivers = {name for f in routed for name in f.detail.get("receivers") or ()}
    return PeopleTold(MilestoneName.NOTIFIED, notified.at, sure=bool(receivers) and receivers <= heard)


def withheld(facts: FactSet, drill_plan: DrillPlan) -> Fact | None:
    """What kept Alertmanager from telling anybody of the alert that starts the clock; None where it told somebody."""
    for suppressed in of_clock_alert(facts, drill_plan, FactKind.ALERT_SUPPRESSED):
        silent = suppressed.detail.get("receivers")  # those that it holds for; all of them where it names none
        told = of_clock_alert(facts, drill_plan, FactKind.NOTIFIED, FactKind.PAGE_SENT)
        if not any(silent is None or f.detail.get("receiver") in silent for f in told):
            return suppressed
    return None


def of_clock_alert(facts: FactSet, drill_plan: DrillPlan, *kinds: FactKind) -> tuple[Fact, ...]:
    """The facts of these kinds about the alert that starts the clock, in order."""
    chosen = in_order(facts, *kinds)
    return tuple(f for f in chosen if f.detail.get("alert") == drill_plan.clock_alert)


def counted_from(told: PeopleTold, fired: Interval) -> str:
    """Why an objective is not counted from the alert."""
    late = told.at.not_before - fired.not_after
    after = format_duration(timedelta(seconds=max(0, round(late.total_seconds()))))
    if told.since in NOT_OF_PEOPLE:
        return f"counted from {told.since}: it came {after} after the alert, which is the monitoring's time"
    return f"counted from {told.since}: nobody had been told of the alert in the {after} before"

"""What the facts of a drill say: milestones, objectives, findings, score. The one place that assesses.

A live drill is assessed anew at every turn, and whatever is told at that turn (status, report, Events) takes it from
there. The last assessment, that of the turn in which the report is written, is the one that stands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from kubedrill.core.evidence.attribution import own_revert
from kubedrill.core.evidence.facts import Fact, FactKind, FactSet, Interval, Series, first
from kubedrill.core.findings.rules import findings
from kubedrill.core.measure.alerting import alerting
from kubedrill.core.measure.impact import recovering, well_but_for_rules
from kubedrill.core.measure.milestones import milestones
from kubedrill.core.measure.objectives import Grounds, judge
from kubedrill.core.measure.order import of_this_drill
from kubedrill.core.measure.results import Finding, Milestone, MilestoneName, ObjectiveResult
from kubedrill.core.measure.windows import IMPACT
from kubedrill.core.plan.drill_plan import DrillPlan


@dataclass(frozen=True, slots=True)
class Assessment:
    """Milestones that were reached, objectives as measured so far; the findings once play has ended.

    `recovery_at` is when the recovery is confirmed if all that is well now stays so; None while something is not well.
    """

    milestones: tuple[Milestone, ...] = ()
    objectives: tuple[ObjectiveResult, ...] = ()
    findings: tuple[Finding, ...] = ()
    recovery_at: datetime | None = None

    def milestone(self, name: MilestoneName, level: str = "") -> Milestone | None:
        """A milestone, or nothing while it was not reached. Without a level: the one that has none."""
        return next((m for m in self.milestones if m.name is name and m.level == level), None)


def assess(
    drill_plan: DrillPlan,
    facts: Iterable[Fact],
    series: Mapping[str, Series],
    *,
    now: datetime,
    ended: datetime | None = None,
    unread: Collection[str] = (),
    name: str = "",
    without_effect: bool = False,
) -> Assessment:
    """What is known at `now` of a drill whose play ended at `ended` (None: it goes on).

    Nothing counts after the operator's own first revert, and nothing is measured after the end of play: whoever looks
    hours later must not take the silence for a recovery. `unread` says what of the evidence can't be read. `name` is
    the drill's. `without_effect`: it ended because none was had, whatever an alert seemed to show.
    """
    known, now = FactSet.of(facts), min(ended or now, now)
    reached = milestones(known, series, drill_plan, now)
    if without_effect and first(known, FactKind.FAULT_EFFECTIVE) is None:
        reached = tuple(m for m in reached if m.name is not MilestoneName.FAULT_EFFECTIVE)
    reverted, fired = own_revert(known), _not_recovered_since(reached)
    counts, until = of_this_drill(known), min(now, reverted.at.not_before) if reverted else now
    well_at = _recovery_at(counts, series, drill_plan, fired, now) if fired else None
    judged = judge(
        reached,
        drill_plan,
        Grounds(
            now=now,
            ended=ended,
            censored_at=reverted.at.not_before if reverted else None,
            unread=bool(unread),
            alerts=alerting(known, reached, drill_plan),
            impact=series.get(IMPACT, Series(IMPACT)),
            recovering=drill_plan.people_only or well_at is not None,
            but_for_rules=well_but_for_rules(counts, series, drill_plan, fired, until) if fired else None,
        ),
    )
    found = findings(known, reached, judged, drill_plan, drill=name, unread=bool(unread)) if ended else ()
    return Assessment(reached, judged, found, well_at)


def _not_recovered_since(reached: Iterable[Milestone]) -> Interval | None:
    """When the alert that starts the clock fired; None before it has, and once all has recovered."""
    at = {m.name: m.at for m in reached if not m.level}
    return None if MilestoneName.RECOVERED in at else at.get(MilestoneName.ALERT_FIRED)


def _recovery_at(
    facts: FactSet, series: Mapping[str, Series], drill_plan: DrillPlan, fired: Interval, now: datetime
) -> datetime | None:
    so_far = recovering(facts, series, drill_plan, fired, now)
    return so_far[0].not_after + so_far[1] if so_far else None

"""The record of a drill, assembled from its design and its facts: all that a report knows.

Live drills and transcripts are assembled by the same code: a transcript shows what a live drill would say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kubedrill.core.evidence.facts import Fact, FactSet, Series, in_order
from kubedrill.core.measure.assessment import Assessment
from kubedrill.core.measure.results import DrillRecord, MilestoneName, Player, Restoration
from kubedrill.core.measure.verdicts import DrillVerdict
from kubedrill.core.measure.windows import IMPACT
from kubedrill.core.plan.drill_plan import DrillPlan


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a record says of a drill beside its design and its facts.

    `ended` is when play was over, None while it goes on. `unread` says what of its evidence can't be read,
    `corrections` what is said otherwise than before. `impact_threshold_is` names the line in the curve.
    """

    name: str
    namespace: str
    started: datetime | None = None
    ended: datetime | None = None
    live: bool = True
    impact_threshold: float | None = None
    impact_threshold_is: str = "threshold"
    restoration: Restoration | None = None
    measurement: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    corrections: tuple[str, ...] = field(default=())


def assemble(
    drill_plan: DrillPlan,
    facts: Iterable[Fact],
    series: Mapping[str, Series],
    so_far: Assessment,
    verdict: DrillVerdict | None,
    around: Circumstances,
) -> DrillRecord:
    """The record of what was assessed, and of the verdict that was given (None while play goes on)."""
    fired = so_far.milestone(MilestoneName.ALERT_FIRED)
    return DrillRecord(
        name=around.name,
        namespace=around.namespace,
        title=drill_plan.title,
        narrative=drill_plan.narrative,
        team=tuple(Player(p.name, p.role, p.kind) for p in drill_plan.players),
        facilitator=drill_plan.facilitator,
        live=around.live,
        pace=drill_plan.pace,
        started=around.started,
        ended=around.ended,
        clock_start=fired.at if fired else None,
        verdict=verdict.verdict if verdict else None,
        verdict_reason=verdict.reason if verdict else "",
        verdict_message=verdict.message if verdict else "",
        milestones=so_far.milestones,
        objectives=so_far.objectives,
        findings=so_far.findings,
        facts=in_order(FactSet.of(facts)),
        impact=series.get(IMPACT, Series(IMPACT)),
        impact_threshold=around.impact_threshold,
        impact_threshold_is=around.impact_threshold_is,
        restoration=around.restoration,
        score=verdict.score if verdict else "",
        measurement=(*around.measurement, *map(missing_from_times, around.unread)),
        corrections=around.corrections,
    )


def missing_from_times(unread: str) -> str:
    """What evidence that can't be read means to a reader."""
    return f"{unread}. What rests on them is missing in what is measured"

"""The record of a drill, assembled from its design and its facts: all that a report knows.

Live drills and transcripts are assembled by the same code: a transcript shows what a live drill would say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kubedrill.core.evidence.attribution import own_revert
from kubedrill.core.evidence.facts import Fact, FactSet, Series, in_order
from kubedrill.core.findings.rules import findings
from kubedrill.core.measure.milestones import milestones
from kubedrill.core.measure.objectives import judge
from kubedrill.core.measure.results import (
    DrillRecord,
    MilestoneName,
    ObjectiveResult,
    ObjectiveVerdict,
    Player,
    Restoration,
    Verdict,
)
from kubedrill.core.measure.score import score_line
from kubedrill.core.measure.verdicts import roll_up
from kubedrill.core.measure.windows import IMPACT
from kubedrill.core.plan.drill_plan import DrillPlan


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a record says of a drill beside its design and its facts.

    `ended` is when play was over, None while it goes on. `decided` is a verdict that the ending settles
    (Error, Stopped), with its `reason` and `message`. `unread` says what of its evidence can't be read.
    """

    name: str
    namespace: str
    now: datetime
    started: datetime | None = None
    ended: datetime | None = None
    live: bool = True
    decided: Verdict | None = None
    reason: str = ""
    message: str = ""
    impact_threshold: float | None = None
    restoration: Restoration | None = None
    measurement: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    corrections: tuple[str, ...] = field(default=())


def assemble(
    drill_plan: DrillPlan, facts: Iterable[Fact], series: Mapping[str, Series], around: Circumstances
) -> DrillRecord:
    """The record with milestones, objectives, findings, score; no verdict while play goes on."""
    known = FactSet.of(facts)
    seen = in_order(known)
    reached = milestones(known, series, drill_plan, around.now)
    revert = own_revert(known)
    judged = judge(
        reached,
        drill_plan,
        now=around.now,
        ended=around.ended,
        censored_at=revert.at.not_before if revert else None,
        unread=bool(around.unread),
    )
    found = findings(known, reached, judged, drill_plan)
    verdict = roll_up(judged, around.decided) if around.ended else None
    reason, message = _why(verdict, judged, around)
    fired = next((m for m in reached if m.name is MilestoneName.ALERT_FIRED and not m.level), None)
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
        verdict=verdict,
        verdict_reason=reason,
        verdict_message=message,
        milestones=reached,
        objectives=judged,
        findings=found,
        facts=seen,
        impact=series.get(IMPACT, Series(IMPACT)),
        impact_threshold=around.impact_threshold,
        restoration=around.restoration,
        score=score_line(judged, found),
        measurement=(*around.measurement, *map(missing_from_times, around.unread)),
        corrections=around.corrections,
    )


def missing_from_times(unread: str) -> str:
    """What evidence that can't be read means to a reader."""
    return f"{unread}. What rests on them is missing in what is measured"


def _why(verdict: Verdict | None, judged: tuple[ObjectiveResult, ...], around: Circumstances) -> tuple[str, str]:
    """One word and one sentence: the ending's own, or the objectives that settle it."""
    if verdict is None:
        return "", ""
    if verdict is around.decided:
        return around.reason, around.message
    worst = {
        Verdict.FAILED: ("ObjectiveMissed", (ObjectiveVerdict.MISSED,), "missed"),
        Verdict.INCONCLUSIVE: (
            "ObjectiveIndeterminate",
            (ObjectiveVerdict.INDETERMINATE, ObjectiveVerdict.PENDING, ObjectiveVerdict.NOT_STARTED),
            "could not be judged",
        ),
    }
    if verdict not in worst:
        return "AllObjectivesMet", "every objective was met"
    reason, verdicts, word = worst[verdict]
    names = ", ".join(o.name for o in judged if o.verdict in verdicts)
    return reason, f"{word}: {names}" if names else "nothing was measured"

"""The drawn timeline as geometry: faults, alert, impact curve with threshold, milestones with bounds.

Everything shares one time axis in scenario time, T+0 marked. Units are those of the SVG's view box. The
template prints what stands here and decides nothing but colours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from kubedrill.core.evidence.facts import FactKind, Interval, in_order
from kubedrill.core.measure.milestone_table import MILESTONES, Charged
from kubedrill.core.measure.results import DrillRecord, Milestone, MilestoneName, ObjectiveResult, ObjectiveVerdict
from kubedrill.core.measure.score import is_of_monitoring
from kubedrill.plugins.reports.axis import LEFT, RIGHT, WIDTH, Bar, Scale, Tick, ticks, time_scale
from kubedrill.plugins.reports.curve import Curve, impact_curve
from kubedrill.plugins.reports.sections import milestones
from kubedrill.plugins.reports.wording import clock_of, measured, milestone_words, printable, sentence_case

LANE: Final = 26.0
ROW: Final = 24.0


@dataclass(frozen=True, slots=True)
class TimelineLane:
    """A row of bars with its label at the left."""

    y: float
    label: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A milestone: its bar between its bounds, its words, and the limit of its objective where it has one."""

    y: float
    label: str
    bar: Bar | None
    words: str
    words_x: float
    words_end: bool
    limit: Bar | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """The whole picture. `zero` is T+0's place, nothing when the alert never fired."""

    width: float
    height: float
    left: float
    right: float
    axis_y: float
    ticks: tuple[Tick, ...]
    zero: float | None
    lanes: tuple[TimelineLane, ...]
    curve: Curve | None
    rows: tuple[Row, ...]


def draw(record: DrillRecord) -> Drawing | None:
    """The picture of a drill; nothing when there is no time to draw."""
    scale = time_scale(record)
    if scale is None:
        return None
    y = 34.0
    lanes = []
    for label, bars in (("Fault", _fault_bars(scale)), ("Alert", _alert_bars(scale))):
        lanes.append(TimelineLane(y, label, tuple(bars)))
        y += LANE
    curve = impact_curve(scale, y + 14)
    y = curve.bottom + 22 if curve else y + 10
    rows = tuple(_rows(scale, y))
    height = y + ROW * len(rows) + 8
    zero = scale.x(record.clock_start.not_before) if record.clock_start else None
    return Drawing(WIDTH, height, LEFT, WIDTH - RIGHT, 22.0, tuple(ticks(scale)), zero, tuple(lanes), curve, rows)


def _fault_bars(scale: Scale) -> Iterable[Bar]:
    facts = in_order(scale.record.facts, FactKind.FAULT_INJECTED, FactKind.FAULT_REVERTED)
    injected = [f for f in facts if f.kind is FactKind.FAULT_INJECTED]
    starts = injected or in_order(scale.record.facts, FactKind.FAULT_EFFECTIVE)[:1]
    for fact in starts:
        name = str(fact.detail.get("fault", ""))
        reverted = [f for f in facts if f.kind is FactKind.FAULT_REVERTED and str(f.detail.get("fault", "")) == name]
        end = reverted[-1].at.not_after if reverted else _end(scale, MilestoneName.FIX_APPLIED)
        at = Interval(fact.at.not_before, max(end, fact.at.not_before))
        title = f"{printable(name) or 'Fault'}: {clock_of(scale.record, at)}"
        yield scale.bar(at, "fault", title)


def _end(scale: Scale, name: MilestoneName) -> datetime:
    """When something was over of which no end is on record: with this milestone, or not in the picture."""
    reached = next((m for m in scale.record.milestones if m.name is name), None)
    return max(reached.at.not_after, scale.first) if reached else scale.last


def _alert_bars(scale: Scale) -> Iterable[Bar]:
    record = scale.record
    resolved = in_order(record.facts, FactKind.ALERT_RESOLVED)
    for kind, colour in ((FactKind.ALERT_PENDING, "pending"), (FactKind.ALERT_FIRING, "firing")):
        for fact in in_order(record.facts, kind):
            alert = fact.detail.get("alert")
            ends = [
                f.at.not_before
                for f in resolved
                if f.detail.get("alert") == alert and f.at.not_before >= fact.at.not_after
            ]
            end = min(ends, default=_end(scale, MilestoneName.RECOVERED))
            at = Interval(fact.at.not_before, max(end, fact.at.not_before))
            yield scale.bar(at, colour, f"{printable(str(alert or 'Alert'))} {colour}: {clock_of(record, at)}")


def _rows(scale: Scale, top: float) -> Iterable[Row]:
    record = scale.record
    judged = {o.stop: o for o in record.objectives}
    reached = milestones(record)
    y = top
    for m in reached:
        yield _reached(scale, y, m, judged.get(m.key))
        y += ROW
    for o in record.objectives:
        if all(m.key != o.stop for m in reached) and o.verdict is not ObjectiveVerdict.NOT_STARTED:
            words = f"not reached ({measured(o, record.pace)})" if o.lower is not None else "not reached"
            limit = _limit(scale, o)
            yield Row(
                y,
                milestone_words(o.stop),
                None,
                words,
                (limit.x + limit.width if limit else LEFT) + 8,
                words_end=False,
                limit=limit,
                verdict=str(o.verdict),
            )
            y += ROW


def _reached(scale: Scale, y: float, m: Milestone, objective: ObjectiveResult | None) -> Row:
    title = f"{milestone_words(m.key)}: {clock_of(scale.record, m.at)}, {m.source}. {printable(m.evidence)}"
    who = MILESTONES[m.name].who
    kind = Charged.PEOPLE if who is Charged.CLIENT else who
    bar = scale.bar(m.at, kind, title)
    words = clock_of(scale.record, m.at) + (f" · {printable(m.actor)}" if m.actor else "")
    limit = _limit(scale, objective) if objective else None
    end = max(bar.x + bar.width, limit.x + limit.width if limit else 0.0)
    at_left = end > WIDTH * 0.74
    return Row(
        y,
        milestone_words(m.key),
        bar,
        words,
        bar.x - 8 if at_left else end + 8,
        at_left,
        limit,
        str(objective.verdict) if objective else "",
    )


def _limit(scale: Scale, o: ObjectiveResult) -> Bar | None:
    start = next((m for m in scale.record.milestones if m.key == o.start), None)
    if start is None or is_of_monitoring(o):
        return None
    at = Interval(start.at.not_before, start.at.not_before + o.limit)
    title = f"{sentence_case(o.name)}: limit {clock_of(scale.record, Interval.at(at.not_after))}, {o.verdict}"
    return scale.bar(at, str(o.verdict), title)

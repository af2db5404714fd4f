"""How a drill was measured and scored, in sentences."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from kubedrill.core.evidence.facts import Interval
from kubedrill.core.measure.results import DrillRecord
from kubedrill.plugins.reports.wording import length, printable

SCORE_FORMULA: Final = (
    "Score: objectives met, divided by objectives that apply (whose clock started). All weigh the same,"
    " Indeterminate counts as not met, the monitoring's own limits are judged beside and not scored, and a"
    " critical finding means not ready whatever the share. It speaks of one drill and these people."
)
_INTERVALS: Final = "Each time is an interval: the truth lies inside, and its width says how well it is known."
_VERDICTS: Final = (
    "Met: the upper bound is within the limit. Missed: the lower bound is over it, or it was never reached."
    " Indeterminate: the limit lies between the bounds, or the evidence is missing; that is never a pass."
)


def ran_for(record: DrillRecord) -> str:
    """How long the drill ran: in scenario time, with the real time when pace > 1."""
    if not record.started or not record.ended:
        return "still running"
    real = record.ended - record.started
    if record.pace > 1:
        return f"{length(real * record.pace)} of scenario time in {length(real)}"
    return length(real)


def how_measured(record: DrillRecord) -> tuple[str, ...]:
    """How the times came about; the drill's own notes first."""
    rules = [_INTERVALS, _VERDICTS]
    if record.pace > 1:
        rules.append(
            f"Pace {record.pace:g}: offsets, limits and windows were divided by it, and times are shown"
            " multiplied by it. What the cluster and the monitoring do by themselves was not sped up: their"
            " share looks longer than it is in an incident."
        )
    if record.clock_start:
        rules.append(f"T+0 is the firing of the expected alert{_known_to(record.clock_start)}.")
    return (*(printable(m) for m in record.measurement), *rules)


def _known_to(at: Interval) -> str:
    return f", known to within {length(at.width)}" if at.width > timedelta(seconds=1) else ""

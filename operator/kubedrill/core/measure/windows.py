"""Where sustained conditions start.

A condition counts once it has held for a window, and its time is where that window *starts*. Samples and states
don't show what happened between them, so each start is an interval. Missing data never holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from kubedrill.core.evidence.facts import Interval

IMPACT = "impact"
"""Name of the impact's series; checks have their own names."""
MIN_SAMPLES = 15
MAX_GAP_STEPS = 3


@dataclass(frozen=True, slots=True)
class Edge:
    """A change of state: from here on a condition holds, or does not. Before the first edge it does not."""

    at: Interval
    holds: bool


Timeline = tuple[Edge, ...]


def sustained(timelines: Iterable[Timeline], window: timedelta, now: datetime) -> Interval | None:
    """The start of the first window in which all conditions hold, once `now` shows that it lasted.

    Several conditions that begin to hold at overlapping times give one start: not before the last of their
    lower ends, not after the last of their upper ends.
    """
    lines = tuple(timelines)
    holding: dict[int, Interval] = {}
    start: Interval | None = None
    changes = ((number, edge) for number, line in enumerate(lines) for edge in line)
    for number, edge in sorted(changes, key=lambda change: change[1].at.not_after):
        if edge.holds:
            holding[number] = edge.at
            if len(holding) == len(lines):
                start = Interval(
                    max(at.not_before for at in holding.values()),
                    max(at.not_after for at in holding.values()),
                )
            continue
        if start and edge.at.not_before - start.not_after >= window:
            return start
        holding.pop(number, None)
        start = None
    return start if start and now - start.not_after >= window else None


def holding_since(timelines: Iterable[Timeline]) -> Interval | None:
    """Since when all conditions hold by what is known; nothing while one of them does not."""
    last = [line[-1] if line else None for line in timelines]
    starts = [edge.at for edge in last if edge is not None and edge.holds]
    if not last or len(starts) < len(last):
        return None
    return Interval(max(at.not_before for at in starts), max(at.not_after for at in starts))


def long_enough(window: timedelta, step: timedelta) -> timedelta:
    """The window, or the time that 15 samples take where that is longer (a fast pace)."""
    return max(window, step * (MIN_SAMPLES - 1))

"""The drawing's time axis: instants to places, with marks at round offsets from T+0."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from kubedrill.core.evidence.facts import Interval
from kubedrill.core.measure.results import DrillRecord
from kubedrill.plugins.reports.wording import clock, offset

WIDTH: Final = 1000.0
LEFT: Final = 222.0
RIGHT: Final = 16.0
_STEPS: Final = tuple(
    timedelta(seconds=s)
    for s in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 14400, 43200, 86400)
)
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis: where, and what it says."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time: from `x`, `width` wide; `kind` names its colour; `title` is said on hovering."""

    x: float
    width: float
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Scale:
    """The stretch of time that is drawn."""

    record: DrillRecord
    first: datetime
    last: datetime

    def x(self, at: datetime) -> float:
        """The place of an instant; what lies outside is drawn at the edge."""
        inside = min(max(at, self.first), self.last)
        part = (inside - self.first) / (self.last - self.first)
        return round(LEFT + part * (WIDTH - LEFT - RIGHT), 1)

    def bar(self, at: Interval, kind: str, title: str) -> Bar:
        """An interval as a bar."""
        x, end = self.x(at.not_before), self.x(at.not_after)
        # A point must stay visible: nothing is drawn narrower than 4 units.
        return Bar(x - max(0.0, (4 - (end - x)) / 2), max(end - x, 4.0), kind, title)


def time_scale(record: DrillRecord) -> Scale | None:
    """All that is known of a drill, with a little room at both ends; nothing when there is nothing."""
    ends = [t for m in record.milestones for t in (m.at.not_before, m.at.not_after)]
    ends += [t for t in (record.started, record.ended) if t]
    if record.restoration and record.restoration.at:
        ends.append(record.restoration.at.not_after)
    if not ends:
        return None
    first, last = min(ends), max(ends)
    pad = max((last - first) / 50, timedelta(seconds=1))
    return Scale(record, first - pad, last + pad)


def ticks(scale: Scale) -> Iterable[Tick]:
    """At most ten marks or so, in scenario time."""
    record, pace = scale.record, scale.record.pace
    low, high = offset(record, scale.first), offset(record, scale.last)
    step = next((s for s in _STEPS if (high - low) / s <= 10), _STEPS[-1])
    number = math.ceil(low / step)
    while step * number <= high:
        at = scale.first + (step * number - low) / pace
        label = (
            clock(step * number) if step < _MINUTE else f"T{'−' if number < 0 else '+'}{abs(step * number) // _MINUTE}"
        )
        yield Tick(scale.x(at), label)
        number += 1

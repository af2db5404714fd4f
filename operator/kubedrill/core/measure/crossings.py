"""When a steady-state check begins and ceases to hold: where the smoothed curve crosses its threshold.

A gap of more than three steps ends it, and so do samples that ended longer ago than that. The interval of a crossing
is where the curve is as near to the threshold as its own error there, three quarters of a step wider on either side;
the error comes from how rough the fifteen samples on either side are. Crossings that no sample tells apart, because
the curve stays that near between them, are one: it ends on the other side, or it touched and is where it was.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterator
from copy import copy
from datetime import datetime, timedelta
from typing import Final, Generic, Protocol, Self, TypeVar

from kubedrill.core.evidence.facts import Interval, Series
from kubedrill.core.evidence.samples import ALWAYS, Samples, instant, microseconds
from kubedrill.core.measure.progress import progressed
from kubedrill.core.measure.smoothing import MARGIN_STEPS, error_of_mean, mean_around, reached, span, width_of
from kubedrill.core.measure.windows import MAX_GAP_STEPS, MIN_SAMPLES, Edge, Timeline
from kubedrill.core.plan.drill_plan import SteadyCheck

AROUND: Final = MIN_SAMPLES
"""Samples on either side from which the curve's error is known, and whether things are counted."""
LEFT_BEHIND: Final = 64
"""So many samples that are done with are let go at a time."""
Point = tuple[int, float]
Crossing = tuple[int, int, bool]
"""Between which instants the curve passed, and whether the check holds since."""


class Collected(Protocol):
    """What becomes of the edges."""

    def add(self, edge: Edge) -> None:
        """The next edge."""

    def copy(self) -> Self:
        """Another one with the same edges."""


class Edges:
    """The edges, without holds that are surely shorter than a window: no window starts in one of those."""

    def __init__(self, window: timedelta | None = None, found: Timeline = ()) -> None:
        self._window, self._found = window, list(found)

    def add(self, edge: Edge) -> None:
        """The next edge."""
        before = self._found[-1] if self._found else edge
        if self._window and before.holds > edge.holds and edge.at.not_after - before.at.not_after < self._window:
            self._found.pop()
        elif before.holds or edge.holds or not self._window or not self._found:
            self._found.append(edge)

    def copy(self) -> Edges:
        """Another one with the same edges."""
        return Edges(self._window, tuple(self._found))

    @property
    def timeline(self) -> Timeline:
        """The edges in order."""
        return tuple(self._found)


class FirstBreach:
    """The first edge at which the check ceased to hold, and that may not have been before an instant."""

    def __init__(self, since: datetime, first: Interval | None = None) -> None:
        self._since, self.first = since, first

    def add(self, edge: Edge) -> None:
        """The next edge."""
        if not edge.holds and edge.at.not_after >= self._since and (self.first is None or edge.at < self.first):
            self.first = edge.at

    def copy(self) -> FirstBreach:
        """Another one with the same edge."""
        return FirstBreach(self._since, self.first)


C = TypeVar("C", bound=Collected)


class Passages:
    """Where one unbroken curve passes a threshold, point by point.

    A passage begins where the curve was last out of the threshold's reach (its error), and ends where it is again, or
    where the curve ends. Nothing tells the crossings in between apart.
    """

    def __init__(self, *, below: bool) -> None:
        self._below = below
        self.holds = False
        self._out: Point | None = None
        self._then: Point | None = None
        self._last_two: tuple[Point, Point] | None = None
        self._crossed: tuple[bool, ...] = ()
        self._level = self._error = 0.0

    def begin(self, point: Point, level: float) -> bool:
        """The first point: whether the check holds there."""
        self._out, self._then, self._last_two = point, None, (point, point)
        self.holds = (point[1] < level) == self._below
        return self.holds

    def add(self, point: Point, level: float, error: float) -> Iterator[Crossing]:
        """The next point, where the threshold is `level` and the curve is known to within `error`."""
        self._then = self._then or point
        self._last_two = (self._last_two[1] if self._last_two else point, point)
        holds = (point[1] < level) == self._below
        if holds is not self.holds:
            if not self._crossed:
                self._level, self._error = level, error
            self.holds = holds
            self._crossed = (*self._crossed[:1], holds)
        if abs(point[1] - level) > error:
            yield from self.run_out()
            self._out, self._then = point, None

    def run_out(self) -> Iterator[Crossing]:
        """What was passed up to the newest point: once, or twice where the curve is back where it was."""
        if not self._crossed or self._out is None or self._then is None or self._last_two is None:
            return
        entered = reached(self._out, self._then, self._edge_towards(self._out))
        left = reached(*self._last_two, self._edge_towards(self._last_two[1]))
        for holds in dict.fromkeys(self._crossed):
            yield entered, left, holds
        self._crossed = ()

    def _edge_towards(self, point: Point) -> float:
        return self._level + (self._error if point[1] >= self._level else -self._error)


class Crossings(Generic[C]):
    """The edges of one check, found sample by sample, and given to `collected` once nothing can change them."""

    def __init__(self, check: SteadyCheck, step: timedelta, width: int, collected: C) -> None:
        self._below = check.below is not None
        self._threshold = float((check.below if self._below else check.above) or 0.0)
        self._step, self._width, self.collected = span(step), width, collected
        self._margin, self._longest = span(step * MARGIN_STEPS), span(step * MAX_GAP_STEPS)
        self._seen_until: int | None = None
        self._begin()

    def _begin(self) -> None:
        """An unbroken stretch: its samples, how each bends the line, and the first that is not on the curve yet."""
        self._times: list[int] = []
        self._values: list[float] = []
        self._bends: list[float] = []
        self._next, self._first = 0, 0
        self._passages: Passages | None = None

    def copy(self) -> Crossings[C]:
        """Another one that has come as far."""
        other = copy(self)
        vars(other).update(
            collected=self.collected.copy(),
            _passages=copy(self._passages),
            _times=self._times.copy(),
            _values=self._values.copy(),
            _bends=self._bends.copy(),
        )
        return other

    def feed(self, at: int, value: float) -> None:
        """The next sample."""
        if self._times and at - self._times[-1] > self._longest:
            self._run_out()
            self._seen_until = self._times[-1]
            self._lose(self._seen_until)
            self._begin()
        self._first = self._first if self._times else at
        self._times.append(at)
        self._values.append(value)
        bent = self._values[-3:]
        self._bends.append(abs((bent[2] - bent[1]) - (bent[1] - bent[0])) if len(bent) == 3 else 0.0)
        while self._next + AROUND < len(self._times) and at - self._times[self._next] >= self._width // 2:
            self._point()
        if self._next > LEFT_BEHIND:
            self._let_go()

    def ended(self, now: datetime) -> C:
        """The edges as they are where no more samples come. This one goes no further."""
        if self._times:
            self._run_out()
            if microseconds(now) - self._times[-1] > self._longest:
                self._lose(self._times[-1])
        return self.collected

    def _run_out(self) -> None:
        while self._next < len(self._times):
            self._point()
        if self._passages is not None:
            self._collect(self._passages.run_out())

    def _lose(self, seen_until: int) -> None:
        """Nothing was seen from here on. As late as an edge may be that was found right here, and so behind it."""
        self.collected.add(Edge(Interval(instant(seen_until), instant(seen_until + self._margin)), holds=False))

    def _point(self) -> None:
        """The next point of the curve."""
        number, at = self._next, self._times[self._next]
        reach = min(self._width // 2, at - self._first, self._times[-1] - at)
        point = (at, mean_around(self._times, self._values, number, reach))
        level, error = self._nearby(number)
        if self._passages is None:
            self._passages = Passages(below=self._below)
            before = at - self._step if self._seen_until is None else self._seen_until
            start = Interval(instant(before), instant(at + self._margin))
            self.collected.add(Edge(start, self._passages.begin(point, level)))
        else:
            self._collect(self._passages.add(point, level, error))
        self._next += 1

    def _nearby(self, number: int) -> tuple[float, float]:
        """The threshold at a sample, and the curve's error: from the samples on either side."""
        low, high = max(0, number - AROUND), min(len(self._times) - 1, number + AROUND)
        bends = high - low - 1
        error = 0.0
        if bends > 0:
            spacing = (self._times[high] - self._times[low]) / (high - low)
            error = error_of_mean(sum(self._bends[low + 2 : high + 1]), bends, self._width, spacing)
        if all(map(float.is_integer, self._values[low : high + 1])):
            # things that are counted: below 20 is 19 or less, and the curve crosses in the middle between them
            return self._threshold + (-0.5 if self._below else 0.5), error
        return self._threshold, error

    def _collect(self, crossings: Iterator[Crossing]) -> None:
        for entered, left, holds in crossings:
            at = Interval(instant(entered - self._margin), instant(left + self._margin))
            self.collected.add(Edge(at, holds))

    def _let_go(self) -> None:
        """Samples that no later point of the curve needs."""
        needed = bisect_right(self._times, self._times[self._next] - self._width // 2) - 1
        done = max(0, min(needed, self._next - AROUND))
        del self._times[:done], self._values[:done], self._bends[:done]
        self._next -= done


def edges(series: Series, check: SteadyCheck, now: datetime, smoothing: timedelta | None = None) -> Timeline:
    """All edges of a check, as far as they are known by `now`."""
    return _found(series, check, Edges(), "edges", now, smoothing=smoothing).timeline


def holds_for(series: Series, check: SteadyCheck, window: timedelta, since: datetime, until: datetime) -> Timeline:
    """The edges of a check between two instants, without holds that are surely shorter than a window."""
    return _found(series, check, Edges(window), ("holds", window), until, since, until).timeline


def first_breach(series: Series, check: SteadyCheck, since: datetime, now: datetime) -> Interval | None:
    """When a check first ceased to hold, and may not have done so before an instant."""
    return _found(series, check, FirstBreach(since), ("breach", since), now).first


def _found(
    series: Series,
    check: SteadyCheck,
    collected: C,
    asked: Hashable,
    now: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
    smoothing: timedelta | None = None,
) -> C:
    width = width_of(series, smoothing)
    crossings = progressed(
        Samples.of(series.samples),
        (asked, check, series.step, width),
        lambda: Crossings(check, series.step, width, collected),
        since=ALWAYS if since is None else microseconds(since),
        until=-ALWAYS if until is None else microseconds(until),
    )
    return crossings.ended(now)

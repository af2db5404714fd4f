"""When the impact began to fall for good: how that is defined, and why, is told by docs/decisions/0006."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from copy import copy
from datetime import datetime, timedelta
from typing import Final

from kubedrill.core.evidence.facts import Interval, Series
from kubedrill.core.evidence.samples import ALWAYS, Samples, instant, microseconds
from kubedrill.core.measure.highs import Highs
from kubedrill.core.measure.progress import progressed
from kubedrill.core.measure.smoothing import MARGIN_STEPS, error_of_mean, mean_around, reached, span, width_of
from kubedrill.core.measure.windows import MIN_SAMPLES, long_enough
from kubedrill.core.plan.drill_plan import ImpactFall

LEFT_BEHIND: Final = 64
"""So many samples that are done with are let go at a time."""


class Descent:
    """A curve that may have begun to fall, sample by sample: its heights and the samples', its roughness, its gaps."""

    def __init__(self, step: timedelta, width: int) -> None:
        self._step, self._half, self._width = step, width // 2, width
        self._gap = 1.5 * span(step)
        self._times: list[int] = []
        self._values: list[float] = []
        self._next = 0
        self._first, self._count, self._roughness = 0, 0, 0.0
        self._highs, self._own = Highs(), Highs()
        self._gap_starts, self._gap_ends = array("q"), array("q")

    def copy(self) -> Descent:
        """Another one that has come as far."""
        other = copy(self)
        vars(other).update(
            _times=self._times.copy(),
            _values=self._values.copy(),
            _highs=self._highs.copy(),
            _own=self._own.copy(),
            _gap_starts=self._gap_starts[:],
            _gap_ends=self._gap_ends[:],
        )
        return other

    def feed(self, at: int, value: float) -> None:
        """The next sample."""
        if not self._count:
            self._first = at
        elif at - self._times[-1] > self._gap:
            self._gap_starts.append(self._times[-1])
            self._gap_ends.append(at)
        self._count += 1
        self._times.append(at)
        self._values.append(value)
        self._own.add(at, value)
        bent = self._values[-3:]
        if len(bent) == 3:
            self._roughness += abs((bent[2] - bent[1]) - (bent[1] - bent[0]))
        while at - self._times[self._next] >= self._half:
            self._point()
        if self._next > LEFT_BEHIND:
            self._let_go()

    def _point(self) -> None:
        at = self._times[self._next]
        reach = min(self._half, at - self._first, self._times[-1] - at)
        self._highs.add(at, mean_around(self._times, self._values, self._next, reach))
        self._next += 1

    def _let_go(self) -> None:
        """Samples that no later point of the curve needs."""
        reach = self._times[min(self._next, len(self._times) - 1)] - self._half
        done = max(0, min(bisect_left(self._times, reach) - 1, len(self._times) - 3))
        del self._times[:done], self._values[:done]
        self._next -= done

    def started(self, fall: ImpactFall) -> Interval | None:
        """When it began to fall for good, or nothing while that is not confirmed. This one goes no further."""
        if self._count < MIN_SAMPLES:
            return None
        newest = self._times[-1]
        while self._next < len(self._times):
            self._point()
        peak, now = self._highs.peak, self._highs.newest
        amount = max(fall.amount, fall.percent / 100 * peak)
        window = long_enough(fall.window, self._step)
        spacing = (newest - self._first) / (self._count - 1)
        error = error_of_mean(self._roughness, self._count - 2, self._width, spacing)
        possible: Interval | None = None
        level = peak
        while amount > 0 and level - amount >= now:
            start = self._left_for_good(level - amount / 4, error)
            end = self._left_for_good(level - amount, error)
            if start is None or end is None:
                return None
            if end.not_before - start.not_after <= window:
                possible = possible.hull(start) if possible else start
                if end.not_after - start.not_before <= window:
                    confirmed = instant(newest) - start.not_after >= window
                    return self._with_sampling(self._dated(possible, level - amount / 4, amount)) if confirmed else None
            level -= amount / 4
        return None

    def _left_for_good(self, level: float, error: float) -> Interval | None:
        """When the curve was last at or above a level that is known to within `error`; nothing if it still is."""
        earliest, latest = self._highs.last_at(level + error), self._highs.last_at(level - error)
        if latest is None:
            return None
        begun = self._first if earliest is None else reached(*earliest, level + error)
        return Interval(instant(begun), instant(reached(*latest, level - error)))

    def _dated(self, curve: Interval, level: float, amount: float) -> Interval:
        """When it really began, where the curve alone says too early: before a step its mean falls already.

        A step is where the samples themselves leave the level for the last time, and by all that is asked for at once.
        One that only a later blip hides was within the curve's reach.
        """
        left = self._own.last_at(level)
        if left is None or left[0][1] - left[1][1] < amount:
            return curve
        step = Interval(instant(left[0][0]), instant(left[1][0]))
        latest = curve.not_after + timedelta(microseconds=self._half) + self._step
        return step if step.not_before <= latest else Interval(curve.not_before, latest)

    def _with_sampling(self, interval: Interval) -> Interval:
        """Three quarters of a step on either side, and all of any gap in which the curve was not seen."""
        margin = self._step * MARGIN_STEPS
        wide = Interval(interval.not_before - margin, interval.not_after + margin)
        first = bisect_left(self._gap_ends, microseconds(wide.not_before) + 1)
        for starts, ends in zip(self._gap_starts[first:], self._gap_ends[first:], strict=True):
            if instant(starts) >= wide.not_after:
                break
            wide = wide.hull(Interval(instant(starts), instant(ends)))
        return wide


def falling(
    series: Series,
    fall: ImpactFall,
    until: datetime,
    smoothing: timedelta | None = None,
    *,
    since: datetime | None = None,
) -> Interval | None:
    """When the impact began to fall for good, or nothing while that is not confirmed.

    The curve is the centred mean over `smoothing` (five steps when not given: a recorder with another step
    must name the same time), from `since` on. From its peak it must fall by the wanted amount, taking `fall.window`
    (never under 15 samples) at the most for the last three quarters, and not come back up to `until`. The fall
    starts where the curve leaves the level a quarter of the amount under the peak for the last time. A fall
    too slow at first is looked for again from a quarter further down. One that is a single step is dated by the two
    samples around it.

    The interval covers what sampling leaves open: the curve's own error, three quarters of a step, and gaps.
    """
    width = width_of(series, smoothing)
    descent = progressed(
        Samples.of(series.samples),
        ("fall", series.step, width),
        lambda: Descent(series.step, width),
        since=ALWAYS if since is None else microseconds(since),
        until=microseconds(until),
    )
    return descent.started(fall)

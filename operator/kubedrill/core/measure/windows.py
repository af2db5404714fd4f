"""Where sustained conditions start: in samples, in states, and in the impact's own curve.

A condition counts once it has held for a window, and its time is where that window *starts*. Samples can't
show what happened between them, so each start is an interval: around where the smoothed curve crosses, three
quarters of a step wide on either side, and more where the curve is flat. Missing data never holds.

How the start of a fall is defined, and why so: docs/decisions/0006-when-the-impact-falls.md.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from kubedrill.core.evidence.facts import Interval, Sample, Series
from kubedrill.core.plan.drill_plan import ImpactFall, SteadyCheck

IMPACT = "impact"
"""Name of the impact's series; checks have their own names."""
MIN_SAMPLES = 15
MAX_GAP_STEPS = 3
SMOOTHING_STEPS = 5
MARGIN_STEPS = 0.75
"""How far off, in steps, sampling alone may put a crossing of the smoothed curve (measured: 0.67)."""
ERROR_FACTOR = 0.2
"""The curve's error as a share of the samples' roughness: twice what simulated queues showed."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A change of state: from here on a condition holds, or does not. Before the first edge it does not."""

    at: Interval
    holds: bool


Timeline = tuple[Edge, ...]


def edges(series: Series, check: SteadyCheck, now: datetime, smoothing: timedelta | None = None) -> Timeline:
    """When a check begins and ceases to hold: where the smoothed curve crosses its threshold.

    A gap of more than three steps ends it, and so do samples that ended longer ago than that.
    """
    margin, longest = series.step * MARGIN_STEPS, series.step * MAX_GAP_STEPS
    found: list[Edge] = []
    seen_until: datetime | None = None
    for stretch in _unbroken(series.samples, longest):
        if seen_until is not None:
            found.append(Edge(Interval.at(seen_until), holds=False))
        start = Interval(seen_until or stretch[0].at - series.step, stretch[0].at + margin)
        found += _crossings(stretch, check, start, smoothing or series.step * SMOOTHING_STEPS, margin)
        seen_until = stretch[-1].at
    if seen_until is not None and now - seen_until > longest:
        found.append(Edge(Interval.at(seen_until), holds=False))
    return tuple(found)


def _unbroken(samples: Sequence[Sample], longest: timedelta) -> Iterator[tuple[Sample, ...]]:
    start = 0
    for number, (before, after) in enumerate(pairwise(samples), 1):
        if after.at - before.at > longest:
            yield tuple(samples[start:number])
            start = number
    if samples:
        yield tuple(samples[start:])


def _crossings(
    samples: Sequence[Sample], check: SteadyCheck, start: Interval, smoothing: timedelta, margin: timedelta
) -> Iterator[Edge]:
    curve = _smooth(samples, smoothing)
    error = _sampling_error(samples, smoothing)
    below = check.below is not None
    level = float((check.below if below else check.above) or 0.0)
    if all(s.value == int(s.value) for s in samples):
        # things that are counted: below 20 is 19 or less, and the curve crosses in the middle between them
        level += -0.5 if below else 0.5
    holds = (curve[0].value < level) == below
    yield Edge(start, holds)
    for number in range(1, len(curve)):
        if ((curve[number].value < level) == below) == holds:
            continue
        holds = not holds
        first, last = number - 1, number
        while first > 0 and abs(curve[first].value - level) <= error:
            first -= 1
        while last < len(curve) - 1 and abs(curve[last].value - level) <= error:
            last += 1
        rising = curve[last].value > curve[first].value
        entered = _reached(curve[first], curve[first + 1], level - error if rising else level + error)
        left = _reached(curve[last - 1], curve[last], level + error if rising else level - error)
        yield Edge(Interval(entered - margin, left + margin), holds)


def _reached(before: Sample, after: Sample, level: float) -> datetime:
    """When the straight line between two samples is nearest to a level."""
    if before.value == after.value:
        return before.at
    share = (level - before.value) / (after.value - before.value)
    return before.at + min(max(share, 0.0), 1.0) * (after.at - before.at)


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


def long_enough(window: timedelta, step: timedelta) -> timedelta:
    """The window, or the time that 15 samples take where that is longer (a fast pace)."""
    return max(window, step * (MIN_SAMPLES - 1))


def falling(series: Series, fall: ImpactFall, until: datetime, smoothing: timedelta | None = None) -> Interval | None:
    """When the impact began to fall for good, or nothing while that is not confirmed.

    The curve is the centred mean over `smoothing` (five steps when not given: a recorder with another step
    must name the same time). From its peak it must fall by the wanted amount, taking `fall.window` (never
    under 15 samples) at the most for the last three quarters, and not come back up to `until`. The fall
    starts where the curve leaves the level a quarter of the amount under the peak for the last time. A fall
    too slow at first is looked for again from a quarter further down.

    The interval covers what sampling leaves open: the curve's own error, three quarters of a step, and gaps.
    """
    samples = tuple(s for s in series.samples if s.at <= until)
    if len(samples) < MIN_SAMPLES:
        return None
    curve = _smooth(samples, smoothing or series.step * SMOOTHING_STEPS)
    peak = max(s.value for s in curve)
    amount = max(fall.amount, fall.percent / 100 * peak)
    window = long_enough(fall.window, series.step)
    error = _sampling_error(samples, smoothing or series.step * SMOOTHING_STEPS)
    possible: Interval | None = None
    level = peak
    while amount > 0 and level - amount >= curve[-1].value:
        start = _left_for_good(curve, level - amount / 4, error)
        end = _left_for_good(curve, level - amount, error)
        if start is None or end is None:
            return None
        if end.not_before - start.not_after <= window:
            possible = possible.hull(start) if possible else start
            if end.not_after - start.not_before <= window:
                confirmed = samples[-1].at - start.not_after >= window
                return _with_sampling(possible, samples, series.step) if confirmed else None
        level -= amount / 4
    return None


def _smooth(samples: Sequence[Sample], width: timedelta) -> tuple[Sample, ...]:
    """The centred mean over `width` of the straight lines between the samples, at each sample."""
    origin = samples[0].at
    times = [(s.at - origin).total_seconds() for s in samples]
    areas = [0.0]
    for before, after in pairwise(range(len(samples))):
        mean = (samples[before].value + samples[after].value) / 2
        areas.append(areas[-1] + mean * (times[after] - times[before]))

    def area(time: float) -> float:
        left = min(bisect_right(times, time), len(times) - 1) - 1
        share = (time - times[left]) / (times[left + 1] - times[left])
        value = samples[left].value + share * (samples[left + 1].value - samples[left].value)
        return areas[left] + (samples[left].value + value) / 2 * (time - times[left])

    half = width.total_seconds() / 2
    means = []
    for sample, time in zip(samples, times, strict=True):
        reach = min(half, time - times[0], times[-1] - time)
        value = (area(time + reach) - area(time - reach)) / (2 * reach) if reach > 0 else sample.value
        means.append(Sample(sample.at, value))
    return tuple(means)


def _sampling_error(samples: Sequence[Sample], width: timedelta) -> float:
    """How far the mean of samples may be off that of the thing sampled, from how rough the samples are."""
    if len(samples) < 3:
        return 0.0
    steps = [after.value - before.value for before, after in pairwise(samples)]
    roughness = sum(abs(after - before) for before, after in pairwise(steps)) / (len(steps) - 1)
    per_width = width / ((samples[-1].at - samples[0].at) / len(steps))
    return float(ERROR_FACTOR * roughness / per_width**0.5)


def _left_for_good(curve: Sequence[Sample], level: float, error: float) -> Interval | None:
    """When the curve was last at or above a level that is known to within `error`; nothing if it still is."""
    earliest = _last_crossing(curve, level + error)
    latest = _last_crossing(curve, level - error)
    return None if latest is None else Interval(earliest or curve[0].at, latest)


def _last_crossing(curve: Sequence[Sample], level: float) -> datetime | None:
    for number in range(len(curve) - 1, 0, -1):
        before, after = curve[number - 1], curve[number]
        if after.value >= level:
            return None
        if before.value >= level:
            return _reached(before, after, level)
    return None


def _with_sampling(interval: Interval, samples: Sequence[Sample], step: timedelta) -> Interval:
    """Half a step on either side, and all of any gap in which the curve was not seen."""
    margin = step * MARGIN_STEPS
    wide = Interval(interval.not_before - margin, interval.not_after + margin)
    for before, after in pairwise(samples):
        gap = after.at - before.at > 1.5 * step
        if gap and before.at < wide.not_after and after.at > wide.not_before:
            wide = wide.hull(Interval(before.at, after.at))
    return wide

"""What is measured, by its definition: over the whole list of samples, with no thought of what it costs.

The operator measures sample by sample and remembers how far it came. Both must say the same, to the microsecond.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby, pairwise

from kubedrill.core.evidence.facts import Interval, Sample
from kubedrill.core.evidence.samples import instant, microseconds
from kubedrill.core.measure.smoothing import error_of_mean, mean_around, reached, span
from kubedrill.core.measure.windows import Edge, long_enough
from kubedrill.core.plan.drill_plan import ImpactFall, SteadyCheck

AROUND = 15
Points = list[tuple[int, float]]


def points(samples: Sequence[Sample]) -> Points:
    return [(microseconds(s.at), s.value) for s in samples]


def curve(samples: Points, width: int) -> Points:
    times, values = [t for t, _ in samples], [v for _, v in samples]
    return [
        (t, mean_around(times, values, n, min(width // 2, t - times[0], times[-1] - t))) for n, t in enumerate(times)
    ]


def error(samples: Points, width: int) -> float:
    slopes = [after - before for (_, before), (_, after) in pairwise(samples)]
    bends = [abs(after - before) for before, after in pairwise(slopes)]
    return error_of_mean(sum(bends), len(bends), width, (samples[-1][0] - samples[0][0]) / max(1, len(slopes)))


def unbroken(samples: Points, longest: int) -> Iterator[Points]:
    start = 0
    for number, (before, after) in enumerate(pairwise(samples), 1):
        if after[0] - before[0] > longest:
            yield samples[start:number]
            start = number
    if samples:
        yield samples[start:]


def edges(samples: Sequence[Sample], step: timedelta, check: SteadyCheck, now: datetime) -> tuple[Edge, ...]:
    margin, longest, width = span(step * 0.75), span(step * 3), span(step * 5)
    found: list[Edge] = []
    seen_until: int | None = None

    def edge(first: int, last: int, *, holds: bool) -> None:
        found.append(Edge(Interval(instant(first), instant(last)), holds))

    for stretch in unbroken(points(samples), longest):
        if seen_until is not None:
            edge(seen_until, seen_until + margin, holds=False)
        first = stretch[0][0]
        passages = list(crossings(stretch, check, width))
        edge(first - span(step) if seen_until is None else seen_until, first + margin, holds=passages[0][2])
        for entered, left, holds in passages[1:]:
            edge(entered - margin, left + margin, holds=holds)
        seen_until = stretch[-1][0]
    if seen_until is not None and microseconds(now) - seen_until > longest:
        edge(seen_until, seen_until + margin, holds=False)
    return tuple(found)


def crossings(samples: Points, check: SteadyCheck, width: int) -> Iterator[tuple[int, int, bool]]:
    """First whether the check holds at the first sample, then each passage of the threshold."""
    line = curve(samples, width)
    below = check.below is not None
    levels, errors = [], []
    for n in range(len(samples)):
        near = samples[max(0, n - AROUND) : n + AROUND + 1]
        counted = all(v == int(v) for _, v in near)
        levels.append(float((check.below if below else check.above) or 0) + (0.5 - below if counted else 0))
        errors.append(error(near, width))
    holds = [(v < level) == below for (_, v), level in zip(line, levels, strict=True)]
    apart = [abs(v - level) > e for (_, v), level, e in zip(line, levels, errors, strict=True)]

    def out_of_reach_before(n: int) -> int:
        return next((m for m in range(n - 1, 0, -1) if apart[m]), 0)

    yield line[0][0], line[0][0], holds[0]
    crossed = [n for n in range(1, len(line)) if holds[n] is not holds[n - 1]]
    for first, together in groupby(crossed, key=out_of_reach_before):
        numbers = list(together)
        last = next((m for m in range(numbers[0], len(line)) if apart[m]), len(line) - 1)
        level, e = levels[numbers[0]], errors[numbers[0]]
        entered = reached(line[first], line[first + 1], level + (e if line[first][1] >= level else -e))
        left = reached(line[last - 1], line[last], level + (e if line[last][1] >= level else -e))
        yield entered, left, holds[numbers[0]]
        if len(numbers) % 2 == 0:
            yield entered, left, holds[numbers[-1]]


def falling(samples: Sequence[Sample], step: timedelta, fall: ImpactFall) -> Interval | None:
    if len(samples) < 15:
        return None
    width = span(step * 5)
    line, off = curve(points(samples), width), error(points(samples), width)
    peak = max(v for _, v in line)
    amount, window = max(fall.amount, fall.percent / 100 * peak), long_enough(fall.window, step)
    possible: Interval | None = None
    level = peak
    while amount > 0 and level - amount >= line[-1][1]:
        start, end = left_for_good(line, level - amount / 4, off), left_for_good(line, level - amount, off)
        if start is None or end is None:
            return None
        if end.not_before - start.not_after <= window:
            possible = possible.hull(start) if possible else start
            if end.not_after - start.not_before <= window:
                confirmed = samples[-1].at - start.not_after >= window
                began = dated(possible, points(samples), level - amount / 4, amount, width // 2 + span(step))
                return with_gaps(began, samples, step) if confirmed else None
        level -= amount / 4
    return None


def dated(on_curve: Interval, samples: Points, level: float, amount: float, reach: int) -> Interval:
    steps = [(before, after) for before, after in pairwise(samples) if before[1] >= level > after[1]]
    if not steps or samples[-1][1] >= level or steps[-1][0][1] - steps[-1][1][1] < amount:
        return on_curve
    before, after = steps[-1]
    latest = on_curve.not_after + timedelta(microseconds=reach)
    within = instant(before[0]) <= latest
    return Interval(instant(before[0]), instant(after[0])) if within else Interval(on_curve.not_before, latest)


def left_for_good(line: Points, level: float, off: float) -> Interval | None:
    earliest, latest = last_crossing(line, level + off), last_crossing(line, level - off)
    return None if latest is None else Interval(instant(earliest or line[0][0]), instant(latest))


def last_crossing(line: Points, level: float) -> int | None:
    for before, after in reversed(list(pairwise(line))):
        if after[1] >= level:
            return None
        if before[1] >= level:
            return reached(before, after, level)
    return None


def with_gaps(interval: Interval, samples: Sequence[Sample], step: timedelta) -> Interval:
    wide = Interval(interval.not_before - step * 0.75, interval.not_after + step * 0.75)
    for before, after in pairwise(samples):
        gap = after.at - before.at > 1.5 * step
        if gap and before.at < wide.not_after and after.at > wide.not_before:
            wide = wide.hull(Interval(before.at, after.at))
    return wide

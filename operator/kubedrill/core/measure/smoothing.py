"""The smoothed curve: the centred mean of the straight lines between samples, and how far it may be off.

Times are microseconds since 1970, so that nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from kubedrill.core.evidence.facts import Series

SMOOTHING_STEPS: Final = 5
MARGIN_STEPS: Final = 0.75
"""How far off, in steps, sampling alone may put a crossing of the smoothed curve (measured: 0.67)."""
ERROR_FACTOR: Final = 0.2
"""The curve's error as a share of the samples' roughness: twice what simulated queues showed."""
_MICROSECOND: Final = timedelta(microseconds=1)


def span(duration: timedelta) -> int:
    """A duration in microseconds."""
    return duration // _MICROSECOND


def width_of(series: Series, smoothing: timedelta | None) -> int:
    """Over how many microseconds the curve is a mean: five steps where nothing else is asked for."""
    return span(smoothing or series.step * SMOOTHING_STEPS)


def mean_around(times: Sequence[int], values: Sequence[float], at: int, reach: int) -> float:
    """The mean of the straight lines between samples, up to `reach` on either side of sample `at`."""
    if reach <= 0:
        return values[at]
    begin, end, area = times[at] - reach, times[at] + reach, 0.0
    number = at
    while times[number] > begin:
        early, late = times[number - 1], times[number]
        first, last = values[number - 1], values[number]
        if early < begin:
            first += (begin - early) / (late - early) * (last - first)
            early = begin
        area += (first + last) / 2 * (late - early)
        number -= 1
    number = at
    while times[number] < end:
        early, late = times[number], times[number + 1]
        first, last = values[number], values[number + 1]
        if late > end:
            last = first + (end - early) / (late - early) * (last - first)
            late = end
        area += (first + last) / 2 * (late - early)
        number += 1
    return area / (2 * reach)


def error_of_mean(roughness: float, bends: int, width: int, spacing: float) -> float:
    """How far the mean over `width` of samples `spacing` apart may be off that of the thing sampled.

    `roughness` is the sum of the changes of slope at so many `bends`.
    """
    return float(ERROR_FACTOR * roughness / bends / (width / spacing) ** 0.5) if bends > 0 and spacing > 0 else 0.0


def reached(before: tuple[int, float], after: tuple[int, float], level: float) -> int:
    """When the straight line between two points is nearest to a level."""
    if before[1] == after[1]:
        return before[0]
    share = (level - before[1]) / (after[1] - before[1])
    return before[0] + round(min(max(share, 0.0), 1.0) * (after[0] - before[0]))

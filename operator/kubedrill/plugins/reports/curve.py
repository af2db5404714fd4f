"""The drawn impact curve: what hurt the client, over time, with the alert's threshold."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from kubedrill.core.evidence.facts import Sample, Series
from kubedrill.core.evidence.samples import PAGE
from kubedrill.plugins.reports.axis import Scale, Tick
from kubedrill.plugins.reports.wording import printable

HEIGHT: Final = 170.0
POINTS: Final = 700


@dataclass(frozen=True, slots=True)
class Curve:
    """Lines (one a stretch without gaps), areas under them, lone samples as dots, threshold, values."""

    top: float
    bottom: float
    lines: tuple[str, ...]
    areas: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    threshold_y: float | None
    threshold_label: str
    ticks: tuple[Tick, ...]
    peak: str


def impact_curve(scale: Scale, top: float) -> Curve | None:
    """The curve below `top`; nothing when no sample was taken."""
    series = scale.record.impact.between(scale.first, scale.last)
    samples = [s for s in series.samples if math.isfinite(s.value)]
    if not samples:
        return None
    threshold = scale.record.impact_threshold
    highest = max([s.value for s in samples] + ([threshold] if threshold is not None else []) + [1.0])
    step = _nice(highest / 4)
    bottom, head = top + HEIGHT, step * math.ceil(highest * 1.04 / step)

    def y(value: float) -> float:
        return round(bottom - max(value, 0.0) / head * HEIGHT, 1)

    lines, areas, dots = [], [], []
    for stretch in _unbroken(samples, series):
        points = [(scale.x(s.at), y(s.value)) for s in _thinned(stretch)]
        if len(points) == 1:
            dots += points
            continue
        line = "M" + "L".join(f"{px:g} {py:g}" for px, py in points)
        lines.append(line)
        areas.append(f"{line}L{points[-1][0]:g} {bottom:g}L{points[0][0]:g} {bottom:g}Z")
    ticks = tuple(Tick(y(step * n), f"{step * n:g}") for n in range(round(head / step) + 1))
    return Curve(
        top,
        bottom,
        tuple(lines),
        tuple(areas),
        tuple(dots),
        y(threshold) if threshold is not None else None,
        f"{printable(scale.record.impact_threshold_is)} {threshold:g}" if threshold is not None else "",
        ticks,
        f"{max(s.value for s in samples):.4g}",
    )


def _nice(value: float) -> float:
    size = 10 ** math.floor(math.log10(value))
    return float(next(size * n for n in (1, 2, 2.5, 5, 10) if size * n >= value * 0.999))


def _unbroken(samples: Sequence[Sample], series: Series) -> Iterable[Sequence[Sample]]:
    """The stretches without a gap of more than three steps: no line is drawn over time that nobody saw.

    Where samples were thinned they are up to a page apart, and that is no gap.
    """
    longest, start = 3 * series.step, 0
    for index, (before, after) in enumerate(pairwise(samples), 1):
        thinned = series.thinned_until is not None and after.at <= series.thinned_until
        if after.at - before.at > (longest + PAGE * series.step if thinned else longest):
            yield samples[start:index]
            start = index
    yield samples[start:]


def _thinned(samples: Sequence[Sample]) -> Sequence[Sample]:
    """At most twice `POINTS` samples: the lowest and the highest of each group, so no peak is lost."""
    size = math.ceil(len(samples) / POINTS)
    if size == 1:
        return samples
    kept: list[Sample] = []
    for start in range(0, len(samples), size):
        group = samples[start : start + size]
        kept += sorted({min(group, key=_value), max(group, key=_value)}, key=lambda s: s.at)
    return kept


def _value(sample: Sample) -> float:
    return sample.value

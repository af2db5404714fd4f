"""The drawn impact curve: what hurt the client, over time, with the alert's threshold."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from statistics import median
from typing import Final

from kubedrill.core.facts import Sample
from kubedrill.reports.axis import Scale, Tick

HEIGHT: Final = 170.0
POINTS: Final = 700


@dataclass(frozen=True, slots=True)
class Curve:
    """Lines (one a stretch without gaps), filled areas, where the threshold is, values at the left."""

    top: float
    bottom: float
    lines: tuple[str, ...]
    areas: tuple[str, ...]
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

    lines, areas = [], []
    for stretch in _unbroken(samples, series.step):
        points = [(scale.x(s.at), y(s.value)) for s in _thinned(stretch)]
        line = "M" + "L".join(f"{px:g} {py:g}" for px, py in points)
        lines.append(line)
        areas.append(f"{line}L{points[-1][0]:g} {bottom:g}L{points[0][0]:g} {bottom:g}Z")
    ticks = tuple(Tick(y(step * n), f"{step * n:g}") for n in range(round(head / step) + 1))
    return Curve(
        top,
        bottom,
        tuple(lines),
        tuple(areas),
        y(threshold) if threshold is not None else None,
        f"threshold {threshold:g}" if threshold is not None else "",
        ticks,
        f"{max(s.value for s in samples):g}",
    )


def _nice(value: float) -> float:
    size = 10 ** math.floor(math.log10(value))
    return float(next(size * n for n in (1, 2, 2.5, 5, 10) if size * n >= value * 0.999))


def _unbroken(samples: Sequence[Sample], step: timedelta) -> Iterable[Sequence[Sample]]:
    """The stretches without a gap, which is three times what lies between samples as a rule.

    No line is drawn over time in which nothing was seen.
    """
    apart = [(b.at - a.at).total_seconds() for a, b in pairwise(samples)]
    limit = 3 * max(step.total_seconds(), median(apart) if apart else 0.0)
    start = 0
    for index, gap in enumerate(apart, 1):
        if gap > limit:
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

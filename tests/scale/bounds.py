"""Bounds and figures: what was measured, what it had to be, and whether it was."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Bound:
    """One figure that must not be above a most (or, `least`, below a least)."""

    name: str
    figure: float
    most: float
    unit: str

    @property
    def held(self) -> bool:
        """Whether it held."""
        return self.figure <= self.most

    def __str__(self) -> str:
        """One line."""
        word = "held    " if self.held else "NOT HELD"
        return f"{word}  {self.name}: {self.figure:.4g} {self.unit} (at most {self.most:g})"


@dataclass
class Findings:
    """All bounds, printed as they are found, and figures that are only stated."""

    bounds: list[Bound] = field(default_factory=list)

    def bound(self, name: str, figure: float, most: float, unit: str) -> None:
        """A bound with its figure."""
        self.bounds.append(Bound(name, figure, most, unit))
        print(self.bounds[-1], flush=True)

    def stated(self, text: str) -> None:
        """A figure without a bound, or what is being done."""
        print(f"          {text}", flush=True)

    def verdict(self) -> str:
        """The last line."""
        return f"at size: {sum(b.held for b in self.bounds)} of {len(self.bounds)} bounds held"


def p99(values: Sequence[float]) -> float:
    """The 99th percentile: of fewer than a hundred, the greatest."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]


def spread(values: Sequence[float]) -> str:
    """Median, 99th percentile and range of seconds, in milliseconds."""
    ms = [1000 * v for v in values]
    return f"p50 {statistics.median(ms):.0f}, p99 {p99(ms):.0f}, {min(ms):.0f} to {max(ms):.0f} ms (n = {len(ms)})"

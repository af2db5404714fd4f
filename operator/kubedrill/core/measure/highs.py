"""The points of a curve that are higher than all after them: by them is known when it was last at any level."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import Final, NamedTuple

BLOCK: Final = 128


class Block(NamedTuple):
    """Points in order of time, each with the one that came right after it."""

    times: array[int]
    values: array[float]
    times_after: array[int]
    values_after: array[float]

    @classmethod
    def empty(cls) -> Block:
        """No points."""
        return cls(array("q"), array("d"), array("q"), array("d"))

    def copy(self) -> Block:
        """The same points once more."""
        return self.cut(0, len(self.times))

    def cut(self, first: int, last: int) -> Block:
        """Some of the points."""
        chosen = slice(first, last)
        return Block(self.times[chosen], self.values[chosen], self.times_after[chosen], self.values_after[chosen])

    def add(self, at: int, value: float) -> None:
        """One more point, after which nothing is known yet."""
        self.times.append(at)
        self.values.append(value)
        self.times_after.append(at)
        self.values_after.append(value)

    def drop(self) -> None:
        """The newest point goes."""
        for column in (self.times, self.times_after):
            column.pop()
        for values in (self.values, self.values_after):
            values.pop()


class Highs:
    """Descending from the peak to the newest point. Full blocks never change, so that copies share them."""

    def __init__(self) -> None:
        self._full: list[Block] = []
        self._top = Block.empty()

    def copy(self) -> Highs:
        """Another one with the same points."""
        other = Highs()
        other._full, other._top = self._full.copy(), self._top.copy()
        return other

    def add(self, at: int, value: float) -> None:
        """The next point of the curve."""
        if self._top.times:  # the newest point is always there
            self._top.times_after[-1], self._top.values_after[-1] = at, value
        while self._lowest_is_under(value):
            self._top.drop()
        self._top.add(at, value)
        if len(self._top.times) == 2 * BLOCK:
            self._full.append(self._top.cut(0, BLOCK))
            self._top = self._top.cut(BLOCK, 2 * BLOCK)

    def _lowest_is_under(self, value: float) -> bool:
        while not self._top.times and self._full:
            block = self._full.pop()
            if block.values[0] > value:
                self._top = block.copy()
        return bool(self._top.values) and self._top.values[-1] <= value

    @property
    def peak(self) -> float:
        """The highest value of the curve."""
        return (self._full[0] if self._full else self._top).values[0]

    @property
    def newest(self) -> float:
        """The value of the newest point."""
        return self._top.values[-1]

    def last_at(self, level: float) -> tuple[tuple[int, float], tuple[int, float]] | None:
        """The last point at a level or above, and the one after it; nothing if that is the newest, or never was."""
        if self.newest >= level:
            return None
        for block in (self._top, *reversed(self._full)):
            number = bisect_right(block.values, -level, key=float.__neg__) - 1
            if number >= 0:
                return (
                    (block.times[number], block.values[number]),
                    (block.times_after[number], block.values_after[number]),
                )
        return None

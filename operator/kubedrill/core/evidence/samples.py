"""Samples of one value, kept small: sixteen bytes each, in pages that are shared by everything that is made of them.

`Samples` never change. What is read later gives new ones, which share every page but the newest with the old ones, so
that a turn costs the same after eight hours as after ten minutes. A page remembers how far measurement had come at
its end (`core.measure.progress`): it starts there the next time.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final, overload

from kubedrill.core.evidence.facts import Sample

PAGE: Final = 64
"""Samples in a page. The newest page has up to twice as many: what is read again once more is there, and not closed."""
PAGES_KEPT_WHOLE: Final = 12
"""The newest ones are never thinned: a milestone that is only known now is looked for in all of their samples."""
GAP_STEPS: Final = 3
ALWAYS: Final = -(1 << 62)
"""Before every sample, in microseconds."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """An instant as microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def instant(at: int) -> datetime:
    """The instant so many microseconds after 1970."""
    return _EPOCH + at * _MICROSECOND


class SamplePage:
    """Some samples in order of time. `measured`: what measurement had come to at the page's end, by what was asked."""

    __slots__ = ("measured", "thinned", "times", "values")

    def __init__(self, times: array[int], values: array[float], *, thinned: bool = False) -> None:
        self.times, self.values, self.thinned = times, values, thinned
        self.measured: dict[Hashable, Any] = {}

    @property
    def last(self) -> int:
        """The time of its last sample, in microseconds."""
        return self.times[-1]

    def thin(self) -> SamplePage:
        """Its first and last, its lowest and highest sample, and those beside a gap."""
        steps = sorted(after - before for before, after in pairwise(self.times))
        longest = steps[len(steps) // 2] * GAP_STEPS if steps else 0
        value = self.values.__getitem__
        kept = {0, len(self.times) - 1, min(range(len(self.times)), key=value), max(range(len(self.times)), key=value)}
        for number, (before, after) in enumerate(pairwise(self.times)):
            if after - before > longest:
                kept |= {number, number + 1}
        chosen = sorted(kept)
        page = SamplePage(
            array("q", (self.times[n] for n in chosen)), array("d", (self.values[n] for n in chosen)), thinned=True
        )
        page.measured = self.measured
        return page


class Samples(Sequence[Sample]):
    """Samples in order of time, one an instant, from `begins` on (microseconds)."""

    __slots__ = ("begins", "pages")

    def __init__(self, pages: tuple[SamplePage, ...] = (), begins: int = ALWAYS) -> None:
        self.pages, self.begins = pages, begins

    @classmethod
    def of(cls, samples: Iterable[Sample]) -> Samples:
        """These samples; the same object where they are kept small already."""
        return samples if isinstance(samples, Samples) else cls().united(samples)

    def united(self, read: Iterable[Sample]) -> Samples:
        """With what was read later: of two samples of one instant the later read one.

        What is told of a time whose samples are thinned already comes too late, and is left out.
        """
        thinned = self.thinned_until
        new = {microseconds(s.at): s.value for s in read if thinned is None or s.at > thinned}
        if not new:
            return self
        earliest = min(new)
        whole = max(0, len(self.pages) - 1)
        while whole and self.pages[whole - 1].last >= earliest:
            whole -= 1
        known = {at: value for page in self.pages[whole:] for at, value in zip(page.times, page.values, strict=True)}
        return Samples(self.pages[:whole] + tuple(_paged(known | new)), self.begins)

    def starting(self, since: datetime) -> Samples:
        """Those from an instant on. Pages that are wholly before it are given up."""
        begins = microseconds(since)
        if begins == self.begins:
            return self
        first = next((n for n, page in enumerate(self.pages) if page.last >= begins), len(self.pages))
        return Samples(self.pages[first:], begins)

    def thinned(self, most: int) -> Samples:
        """No more than so many, or as few as there can be: old pages are thinned first, then the oldest given up.

        What was measured of a page before it was thinned stays measured.
        """
        pages = list(self.pages)
        excess = sum(len(page.times) for page in pages) - most
        for number, page in enumerate(pages[:-PAGES_KEPT_WHOLE]):
            if excess <= 0:
                break
            if not page.thinned:
                pages[number] = page.thin()
                excess -= len(page.times) - len(pages[number].times)
        while excess > 0 and len(pages) > 1:
            excess -= len(pages.pop(0).times)
        return Samples(tuple(pages), self.begins)

    @property
    def thinned_until(self) -> datetime | None:
        """Before this instant only some samples are left."""
        thinned = bisect_left(self.pages, 1, key=lambda page: not page.thinned)
        return instant(self.pages[thinned - 1].last) if thinned else None

    def __iter__(self) -> Iterator[Sample]:
        for page in self.pages:
            for at, value in zip(page.times, page.values, strict=True):
                if at >= self.begins:
                    yield Sample(instant(at), value)

    def __bool__(self) -> bool:
        return bool(self.pages)

    def __len__(self) -> int:
        return sum(len(page.times) for page in self.pages) - self._before() if self.pages else 0

    def _before(self) -> int:
        """How many samples of the first page are not told."""
        return bisect_left(self.pages[0].times, self.begins)

    @overload
    def __getitem__(self, which: int) -> Sample: ...
    @overload
    def __getitem__(self, which: slice) -> tuple[Sample, ...]: ...
    def __getitem__(self, which: int | slice) -> Sample | tuple[Sample, ...]:
        if isinstance(which, slice):
            return tuple(self)[which]
        number = which + len(self) if which < 0 else which
        if number < 0 or not self.pages:
            raise IndexError("there is no such sample")
        number += self._before()
        for page in self.pages:
            if number < len(page.times):
                return Sample(instant(page.times[number]), page.values[number])
            number -= len(page.times)
        raise IndexError("there is no such sample")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # compared like the tuple that they stand for, but never a key


def _paged(samples: Mapping[int, float]) -> Iterator[SamplePage]:
    times = array("q", sorted(samples))
    values = array("d", (samples[at] for at in times))
    start = 0
    while len(times) - start >= 2 * PAGE:
        yield SamplePage(times[start : start + PAGE], values[start : start + PAGE])
        start += PAGE
    yield SamplePage(times[start:], values[start:])

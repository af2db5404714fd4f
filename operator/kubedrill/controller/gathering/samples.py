"""Samples read so far of one query, so that each probe asks for the newest only.

What a stranger's Prometheus tells is kept for as long as the drill is on, so it has an end: all drills of this
process share room for so many samples, each an equal part of it, and each query an equal part of its drill's. Where
that is not enough the old samples are thinned. What was measured of them stays as it was.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from weakref import WeakSet

from kubedrill.core.evidence.samples import Samples
from kubedrill.plugins.sources.prometheus import RawSeries

LOG = logging.getLogger(__name__)
OVERLAP: Final = timedelta(seconds=15)
"""Samples appear a little after their own stamp (the scrape takes its time): the last ones are read again."""
LONGEST: Final = timedelta(hours=12)
SAMPLES_OF_ALL: Final = 1_200_000
"""At 21 bytes each 25 MiB. Fifty drills that scrape four series each second keep the last 100 minutes in full."""
SAMPLES_OF_ONE: Final = 180_000
"""Of one drill: four series of one sample a second, for twelve hours."""
SERIES_OF_ONE: Final = 400
"""Of one query. Alerts have as many as there are things that they fire about; what is summed up is one series."""
SIGNS_OF_LABELS: Final = 2_000


class Shelves:
    """The room for samples in one process, and the drills that share it."""

    def __init__(self, samples: int = SAMPLES_OF_ALL) -> None:
        self._samples = samples
        self._shelves: WeakSet[Shelf] = WeakSet()

    def one_more(self) -> Shelf:
        """A drill's part; it is given back when nobody holds it any more."""
        shelf = Shelf(self)
        self._shelves.add(shelf)
        return shelf

    @property
    def samples_of_one(self) -> int:
        """How many samples a drill may keep now."""
        return min(SAMPLES_OF_ONE, self._samples // max(1, len(self._shelves)))


class Shelf:
    """One drill's part of the room, shared by its queries."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves
        self._histories: WeakSet[SeriesHistory] = WeakSet()

    def add(self, history: SeriesHistory) -> None:
        """One more query of this drill."""
        self._histories.add(history)

    @property
    def samples_of_one(self) -> int:
        """How many samples a query may keep now."""
        return self._shelves.samples_of_one // max(1, len(self._histories))


SHELVES: Final = Shelves()


class SeriesHistory:
    """The samples of every series that one query gave. `raw` while its raw samples are what is asked for."""

    def __init__(self, shelf: Shelf | None = None) -> None:
        self._shelf = shelf or Shelves().one_more()
        self._shelf.add(self)
        self._series: dict[tuple[tuple[str, str], ...], Samples] = {}
        self._read: datetime | None = None
        self._since: datetime | None = None
        self._cut = False
        self.raw = True
        self.step = timedelta(seconds=1)

    def restart(self, *, raw: bool, step: timedelta) -> None:
        """Forgets everything: the query is asked in another way from now on."""
        self._series, self._read, self._since = {}, None, None
        self.raw, self.step = raw, step

    def seconds_to_read(self, since: datetime, now: datetime) -> int:
        """How far back must be asked to know everything since `since`."""
        if self._read is None or self._since is None or since < self._since:
            self._read, self._since = None, since
            return _seconds(min(now - since, LONGEST) + OVERLAP)
        return _seconds(now - self._read + OVERLAP)

    def merge(self, series: Iterable[RawSeries], now: datetime) -> None:
        """Takes over what was read at `now`, once what was there before has room for it.

        What is new is measured in full by the turn that reads it, whatever room there is; only then it is thinned.
        """
        self._make_room(self._shelf.samples_of_one)
        for one in series:
            labels = tuple(sorted(one.labels.items()))
            if labels in self._series or self._has_room_for(labels):
                self._series[labels] = self._series.get(labels, Samples()).united(one.samples)
        self._read = now

    def since(self, since: datetime) -> tuple[RawSeries, ...]:
        """Every series with its samples from `since` on. What was before is given up, and read again if asked for."""
        if self._since is not None:
            self._since = max(self._since, since)
        told = {labels: known.starting(since) for labels, known in self._series.items()}
        self._series = {labels: known for labels, known in told.items() if known}
        return tuple(RawSeries(dict(labels), known) for labels, known in self._series.items())

    def _has_room_for(self, labels: tuple[tuple[str, str], ...]) -> bool:
        size = sum(len(name) + len(value) for name, value in labels)
        if len(self._series) < SERIES_OF_ONE and size <= SIGNS_OF_LABELS:
            return True
        self._tell("series with more labels, or more series, than are kept are passed over")
        return False

    def _make_room(self, most: int) -> None:
        kept = sum(map(len, self._series.values()))
        if kept <= most:
            return
        LOG.debug("of %d samples of one query about %d are kept: old ones are thinned", kept, most)
        each = most // len(self._series)
        self._series = {labels: known.thinned(each) for labels, known in self._series.items()}

    def _tell(self, what: str) -> None:
        if not self._cut:
            LOG.warning("Prometheus answers with more than there is room for: %s", what)
        self._cut = True


def _seconds(span: timedelta) -> int:
    return max(1, math.ceil(span.total_seconds()))

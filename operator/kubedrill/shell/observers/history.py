"""Samples read so far of one query, so that each probe asks for the newest only."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from kubedrill.core.facts import Sample
from kubedrill.signals.prometheus import RawSeries

OVERLAP: Final = timedelta(seconds=15)
"""Samples appear a little after their own stamp (the scrape takes its time): the last ones are read again."""
LONGEST: Final = timedelta(hours=12)


class SeriesHistory:
    """The samples of every series that one query gave. `raw` while its raw samples are what is asked for."""

    def __init__(self) -> None:
        self._series: dict[tuple[tuple[str, str], ...], dict[datetime, float]] = {}
        self._read: datetime | None = None
        self._since: datetime | None = None
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
        """Takes over what was read at `now`."""
        for one in series:
            known = self._series.setdefault(tuple(sorted(one.labels.items())), {})
            known.update((s.at, s.value) for s in one.samples)
        self._read = now

    def since(self, since: datetime) -> tuple[RawSeries, ...]:
        """Every series with its samples from `since` on."""
        return tuple(
            RawSeries(dict(labels), tuple(Sample(at, known[at]) for at in sorted(known) if at >= since))
            for labels, known in self._series.items()
        )


def _seconds(span: timedelta) -> int:
    return max(1, math.ceil(span.total_seconds()))

"""When something was seen: the receipt of an event, and how a source's own coarse stamp narrows it.

Whole-second stamps of the API server and the kubelet are truncated: the thing happened within the second
after the stamp, and not after it was seen (20 of 20 kills with known instants lay there; receipt alone lags
by 0.4 to 1.3 s).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from kubedrill.core.evidence.facts import Interval

SECOND = timedelta(seconds=1)
NO_ERROR = timedelta(0)


def instant(text: str) -> datetime:
    """A time as Kubernetes, Prometheus and Alertmanager write it (RFC 3339, up to nanoseconds).

    Raises:
        ValueError: it is none, or it has no time zone.
    """
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError(f"a time without a zone: {text}")
    return parsed


@dataclass(frozen=True, slots=True)
class Received:
    """An event was received at `at`; what it tells of happened after `since`.

    `error` is how far the clocks may be apart (receiver, node, API server), added to both ends.
    """

    at: datetime
    since: datetime
    error: timedelta = NO_ERROR

    def interval(self) -> Interval:
        """What the receipt alone says."""
        return _widened(min(self.since, self.at), self.at, self.error)

    def of_second(self, stamp: datetime) -> Interval:
        """What a stamp in truncated whole seconds says, bounded by the receipt."""
        return _widened(stamp, max(stamp, min(self.at, stamp + SECOND)), self.error)

    def after(self, stamp: datetime) -> Interval:
        """Between a stamp of something that came before and the receipt."""
        return _widened(min(stamp, self.at), self.at, self.error)

    def narrowed(self, stamp: datetime | None) -> Interval:
        """The receipt's interval, narrowed by a whole-second stamp where both can be true."""
        seen = self.interval()
        if stamp is None:
            return seen
        return seen.intersection(self.of_second(stamp)) or seen


def _widened(start: datetime, end: datetime, error: timedelta) -> Interval:
    return Interval(start - error, end + error)

"""What the watchdog has done and can't do, as metrics."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from kubedrill import __version__

MOST_RECORDS: Final = 100
LOOKED: Final = "kubedrill_watchdog_last_look_timestamp_seconds"
REVERTS: Final = "kubedrill_watchdog_reverts_total"
STUCK: Final = "kubedrill_watchdog_undo_stuck"
BUILD: Final = "kubedrill_watchdog_build_info"
FAMILIES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    LOOKED: ("When the last look succeeded, by the API server's clock.", ()),
    REVERTS: ("Undo records that the watchdog restored, by why.", ("reason",)),
    STUCK: ("1 for an undo record that the watchdog can't restore.", ("record",)),
    BUILD: ("1, with the watchdog's version.", ("version",)),
}


class Tally:
    """The watchdog's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._looked = Gauge(LOOKED, *FAMILIES[LOOKED], registry=self._registry)
        self._reverts = Counter(REVERTS, *FAMILIES[REVERTS], registry=self._registry)
        self._stuck = Gauge(STUCK, *FAMILIES[STUCK], registry=self._registry)
        Gauge(BUILD, *FAMILIES[BUILD], registry=self._registry).labels(__version__).set(1)

    def looked(self, now: datetime, stuck: Collection[str]) -> None:
        """A look has succeeded; `stuck` are the names of the records that are stuck by then."""
        self._looked.set(now.timestamp())
        self._stuck.clear()
        for record in sorted(stuck)[:MOST_RECORDS]:
            self._stuck.labels(record).set(1)

    def reverted(self, reason: str) -> None:
        """A record was put back."""
        self._reverts.labels(reason).inc()

    def text(self) -> bytes:
        """In the text format of Prometheus."""
        return generate_latest(self._registry)

"""Expected alerts that fire about another namespace than the target: what they say, where ours say nothing.

An exporter that is scraped without `honorLabels` has the application's namespace in another label, so that the alert on
it seems to be about the exporter's. "It did not fire" would be wrong then.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.plugins.sources.prometheus import RawSeries

MOST: Final = 5
"""Of so many namespaces and labels a drill is told: it must know that there are others, not which."""


class FiringElsewhere:
    """Remembers the first firing about each other namespace. An alert that names none is about ours."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str, str], Fact] = {}
        self._last: dict[tuple[str, str, str], datetime] = {}

    def hear(self, series: Iterable[RawSeries], about: About, error: timedelta) -> None:
        """Takes over what an answer tells."""
        for one in series:
            if one.labels.get("alertstate") != "firing" or about.holds(one.labels) or not one.samples:
                continue
            namespace, under = one.labels[about.label], _naming(one, about)
            key = one.labels.get("alertname", ""), namespace, under
            if key not in self._told and len(self._told) >= (2 * MOST if under else MOST):
                continue
            self._last[key] = max(one.samples[-1].at, self._last.get(key, one.samples[-1].at))
            if key not in self._told:
                self._told[key] = _fact(*key, about, one.samples[0].at, error)

    def since(self, since: datetime) -> tuple[Fact, ...]:
        """Those that still fired after that, those that name the target under another label first."""
        found = [fact for key, fact in self._told.items() if self._last[key] >= since]
        return tuple(sorted(found, key=lambda f: not f.detail["under"]))[:MOST]


def _naming(one: RawSeries, about: About) -> str:
    """The label, another than it should be, that names the target namespace."""
    return next((k for k, v in sorted(one.labels.items()) if v == about.namespace and k != about.label), "")


def _fact(alert: str, namespace: str, under: str, about: About, at: datetime, error: timedelta) -> Fact:
    ours = f", {under}={about.namespace}" if under else ""
    return Fact(
        FactKind.ALERT_ELSEWHERE,
        Interval.at(at, error),
        Source.PROMETHEUS,
        f"prometheus/elsewhere/{alert}/{namespace[:63]}/{under[:100]}",
        evidence=f"Prometheus: ALERTS{{alertname={alert}, {about.label}={namespace[:63]}{ours}}} firing",
        detail={"alert": alert, "namespace": namespace[:63], "under": under[:100]},
    )

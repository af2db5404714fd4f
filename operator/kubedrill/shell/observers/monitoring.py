"""The probe: everything that a turn wants to know of Prometheus and Alertmanager, asked at once.

Samples that were read are kept, so a probe a second asks for the last seconds only. What a probe tells is
always the whole since `since`: alerts' history as facts, and the series of the impact and of every check.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from kubedrill.core.conduct import Conduct, StopCondition
from kubedrill.core.derive import AlertRule
from kubedrill.core.facts import Fact, Series
from kubedrill.core.safety import StopReading
from kubedrill.faults.base import WorkingSet
from kubedrill.kube.client import Unreachable
from kubedrill.kube.clock import ServerClock
from kubedrill.shell.observers.history import SeriesHistory
from kubedrill.shell.prometheus import Fetch
from kubedrill.signals import alertmanager, prometheus, promql, stop_conditions
from kubedrill.signals.prometheus import LoadedRule, Look, RawSeries

IMPACT: Final = "impact"


@dataclass(frozen=True, slots=True)
class Probe:
    """What monitoring says now.

    `reachable` is false when any of Prometheus' answers is missing (`error` tells which); the series then
    hold what was read before. `stops` are the stop conditions as they are now; `unchecked` says of those that
    there is no answer for when there was one last, or when they were first asked for.
    """

    at: datetime
    reachable: bool
    error: str = ""
    alertmanager_error: str = ""
    facts: tuple[Fact, ...] = ()
    impact: Series = field(default_factory=lambda: Series(IMPACT))
    steady: Mapping[str, Series] = field(default_factory=dict)
    rules: Mapping[str, AlertRule] = field(default_factory=dict)
    pending: frozenset[str] = frozenset()
    firing: frozenset[str] = frozenset()
    working_sets: Mapping[str, WorkingSet] = field(default_factory=dict)
    stops: tuple[StopReading, ...] = ()
    unchecked: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def series(self) -> Mapping[str, Series]:
        """The impact (`impact`) and every steady-state check, by name."""
        return {**self.steady, IMPACT: self.impact}


class Monitoring:
    """Asks one drill's Prometheus and Alertmanager."""

    def __init__(self, fetch: Fetch, clock: ServerClock) -> None:
        self._fetch, self._clock = fetch, clock
        self._rules: dict[str, LoadedRule] = {}
        self._alerts = SeriesHistory()
        self._series: dict[str, SeriesHistory] = {}
        self._stops_known: dict[str, datetime] = {}

    async def probe(self, conduct: Conduct, since: datetime) -> Probe:
        """Asks everything in parallel; never raises. `since` is how far back a turn must look."""
        now = self._clock.now()
        impact = self._impact_query(conduct)
        queries = {c.name: c.query for c in conduct.steady} | ({IMPACT: impact} if impact else {})
        errors, (paged, paging_error), working_sets, stops = await asyncio.gather(
            self._read(conduct, queries.values(), since, now),
            self._alertmanager(conduct),
            self._working_sets(conduct),
            asyncio.gather(*(self._stop_reading(conduct, condition) for condition in conduct.stop_when)),
        )
        met = (stop_conditions.fact_of(r, now - self._clock.error, self._clock.now() + self._clock.error)
               for r in stops if r.met)
        announced = announced_by(conduct)
        look = Look(conduct.target_namespace, since, self._clock.now(), self._clock.error, self._rules, announced)
        history = prometheus.alert_history(self._alerts.since(since), look)
        series = {name: self._told(name, query, since) for name, query in queries.items()}
        return Probe(
            at=now,
            reachable=not errors,
            error="; ".join(errors)[:500],
            alertmanager_error=paging_error,
            facts=(*history.facts, *paged, *met),
            impact=series.pop(IMPACT, Series(IMPACT)),
            steady=series,
            rules={name: loaded.rule for name, loaded in self._rules.items()},
            pending=history.pending,
            firing=history.firing | _firing_of_own(paged, announced),
            working_sets=working_sets,
            stops=tuple(stops),
            unchecked=self._unchecked(stops, now),
        )

    def _unchecked(self, stops: Iterable[StopReading], now: datetime) -> dict[str, datetime]:
        unchecked = {}
        for reading in stops:
            known = self._stops_known.setdefault(reading.name, now)
            if reading.met is None:
                unchecked[reading.name] = known
            else:
                self._stops_known[reading.name] = now
        return unchecked

    async def _stop_reading(self, conduct: Conduct, condition: StopCondition) -> StopReading:
        wrong = stop_conditions.unaskable(condition)
        if wrong:
            return wrong
        try:
            answer = await self._query(conduct, stop_conditions.query_of(condition))
            return stop_conditions.read(condition, answer, conduct.target_namespace)
        except (Unreachable, ValueError, KeyError, TypeError) as error:
            return stop_conditions.unanswered(condition, str(error) or repr(error))

    async def _read(self, conduct: Conduct, queries: Iterable[str], since: datetime, now: datetime) -> tuple[str, ...]:
        """Reads rules, alerts and series of Prometheus in parallel; returns what went wrong."""
        errors = await asyncio.gather(
            _tried(self._read_alerts(conduct, since, now)),
            *(_tried(self._read_series(conduct, q, since, now)) for q in dict.fromkeys(queries)),
        )
        return tuple(dict.fromkeys(e for e in errors if e))

    def _impact_query(self, conduct: Conduct) -> str:
        """The impact, or while it is not derived yet the left side of the alert that starts the clock."""
        loaded = self._rules.get(conduct.clock_alert)
        return conduct.impact.query or (loaded.rule.left if loaded else "")

    async def _query(self, conduct: Conduct, query: str) -> Mapping[str, Any]:
        return (await self._fetch(conduct.prometheus, "/api/v1/query", [("query", query)])).body

    async def _read_alerts(self, conduct: Conduct, since: datetime, now: datetime) -> None:
        """Rules first: what they were evaluated until is then surely in the history that is read after them.

        Both are taken over or neither, or an alert whose newest samples are missing would seem to have ended.
        """
        answer = await self._fetch(conduct.prometheus, "/api/v1/rules", [("type", "alert")])
        rules = prometheus.alert_rules(answer.body)
        query = promql.alert_history((a.name for a in conduct.alerts), self._alerts.seconds_to_read(since, now))
        history = prometheus.matrix(await self._query(conduct, query))
        self._rules = rules
        self._alerts.merge(history, now)

    async def _read_series(self, conduct: Conduct, query: str, since: datetime, now: datetime) -> None:
        """Raw samples where they are the expression's value, else the expression at every scrape."""
        history = self._series.setdefault(query, SeriesHistory())
        seconds = history.seconds_to_read(since, now)
        selectors = promql.raw_selectors(query) if history.raw else ()
        if selectors:
            asked = (self._query(conduct, promql.raw_samples(s, seconds)) for s in selectors)
            found = [prometheus.matrix(answer) for answer in await asyncio.gather(*asked)]
            total = prometheus.raw_total(found, bare=selectors == (query,))
            if total is not None:
                history.merge([RawSeries({}, total)], now)
                return
            # Several series of different scrapes: only Prometheus can tell what they come to.
            every = prometheus.spacing([s for one in found[0][:1] for s in one.samples], history.step)
            history.restart(raw=False, step=every)
            seconds = history.seconds_to_read(since, now)
        history.raw = False
        step = max(1, round(history.step.total_seconds()))
        answer = await self._query(conduct, promql.evaluated(query, seconds, step))
        history.merge([RawSeries({}, prometheus.evaluated_total(prometheus.matrix(answer), step))], now)

    def _told(self, name: str, query: str, since: datetime) -> Series:
        history = self._series.get(query) or SeriesHistory()
        samples = next((s.samples for s in history.since(since)), ())
        return Series(name, samples, prometheus.spacing(samples, history.step))

    async def _alertmanager(self, conduct: Conduct) -> tuple[tuple[Fact, ...], str]:
        try:
            answer = await self._fetch(conduct.alertmanager, "/api/v2/alerts", [("active", "true")])
        except Unreachable as error:
            return (), str(error)
        if not answer.ok:
            return (), f"Alertmanager answers {answer.status}: {answer.message}"
        alerts = [a for a in answer.body.get("items") or () if isinstance(a, dict)]
        return alertmanager.active(
            alerts,
            namespace=conduct.target_namespace,
            error=self._clock.error,
            announced=announced_by(conduct),
        ), ""

    async def _working_sets(self, conduct: Conduct) -> dict[str, WorkingSet]:
        """What containers use, where a fault needs it and somebody measures it: the least of their pods."""
        wanted = {f.memory_limit.target.name for f in conduct.faults if f.memory_limit and not f.memory_limit.limit}
        if not wanted:
            return {}
        try:
            answer = await self._query(conduct, promql.working_sets(conduct.target_namespace, wanted))
            return {
                name: WorkingSet(int(value), "Prometheus, container_memory_working_set_bytes")
                for name, value in prometheus.latest_by(answer, "container").items()
            }
        except (Unreachable, ValueError):
            return {}


def announced_by(conduct: Conduct) -> frozenset[str]:
    """The alerts that the drill fires itself."""
    return frozenset(f.alert.alert for f in conduct.faults if f.alert)


def _firing_of_own(facts: Iterable[Fact], announced: frozenset[str]) -> frozenset[str]:
    """Alerts that the drill announced itself are known to Alertmanager alone."""
    return frozenset(str(f.detail["alert"]) for f in facts) & announced


async def _tried(asked: Awaitable[None]) -> str:
    try:
        await asked
    except (Unreachable, ValueError, KeyError, TypeError) as error:
        return str(error) or repr(error)
    return ""

"""The probe: everything that a turn wants to know of Prometheus and Alertmanager, asked at once.

Samples that were read are kept, so a probe a second asks for the last seconds only. What a probe tells is
always the whole since `since`: alerts' history as facts, and the series of the impact and of every check.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from kubedrill.controller.gathering.samples import SHELVES, SeriesHistory, Shelf
from kubedrill.controller.http_client import ALERTS, MOST_OF_ALERTS, Fetch, Read, Turn
from kubedrill.core.evidence.facts import Fact, Interval, Sample, Series
from kubedrill.core.evidence.samples import Samples
from kubedrill.core.plan.derive import AlertRule
from kubedrill.core.plan.drill_plan import DrillPlan, PlannedStop
from kubedrill.core.plan.preflight import StopReading
from kubedrill.kube.answers import NoAnswer, TooMuch
from kubedrill.kube.client import Unreachable
from kubedrill.kube.clock import ServerClock
from kubedrill.plugins.faults.base import WorkingSet
from kubedrill.plugins.faults.of_drill import measured_for
from kubedrill.plugins.sources import alertmanager, prometheus, promql, stop_conditions
from kubedrill.plugins.sources.alert_history import Look, alert_history
from kubedrill.plugins.sources.prometheus import LoadedRule, RawSeries

LOG = logging.getLogger(__name__)
T = TypeVar("T")
IMPACT: Final = "impact"
SECOND: Final = timedelta(seconds=1)
COARSEST: Final = timedelta(minutes=1)
PROBE_EVERY: Final = timedelta(seconds=0.9)
MOST_FACTS: Final = 300
"""Of one drill, from its monitoring. An expected alert that fires and ends has three."""
MOST_OF_STOPS: Final = 1 << 20
VALUES_OF_STOPS: Final = 50_000
VALUES_OF_ALERTS: Final = 50_000
"""Stop conditions and alerts have their own share of a turn: what a query for rules brings leaves theirs alone."""


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
    stops: tuple[StopReading, ...] = ()
    unchecked: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def series(self) -> Mapping[str, Series]:
        """The impact (`impact`) and every steady-state check, by name."""
        return {**self.steady, IMPACT: self.impact}


class MonitoringProbe:
    """Asks one drill's Prometheus and Alertmanager."""

    def __init__(self, fetch: Fetch, clock: ServerClock, shelf: Shelf | None = None) -> None:
        self._fetch, self._clock = fetch, clock
        self._rules: dict[str, LoadedRule] = {}
        self._shelf = shelf or SHELVES.one_more()
        self._alerts = SeriesHistory(self._shelf)
        self._series: dict[str, SeriesHistory] = {}
        self._facts_told: set[str] = set()
        self._stops_known: dict[str, datetime] = {}
        self._measured: datetime | None = None
        self.last: Probe | None = None

    async def look(self, drill_plan: DrillPlan, since: datetime) -> Probe:
        """Asks everything, and keeps it as what is known."""
        self.last = await self.probe(drill_plan, since)
        return self.last

    async def measure(self, drill_plan: DrillPlan, since: datetime) -> Probe | None:
        """Asks everything, unless it was measured a moment ago."""
        now = self._clock.now()
        if self._measured is not None and now - self._measured < PROBE_EVERY:
            return None
        probe, self._measured = await self.look(drill_plan, since), now
        return probe

    async def probe(self, drill_plan: DrillPlan, since: datetime) -> Probe:
        """Asks everything in parallel; never raises. `since` is how far back a turn must look."""
        now, turn, turn_of_stops = self._clock.now(), Turn(), Turn(MOST_OF_STOPS, VALUES_OF_STOPS)
        impact = self._impact_query(drill_plan)
        queries = {c.name: c.query for c in drill_plan.steady} | ({IMPACT: impact} if impact else {})
        errors, (paged, paging_error), stops = await asyncio.gather(
            self._read(drill_plan, queries.values(), since, now, turn),
            self._alertmanager(drill_plan, since),
            asyncio.gather(*(self._stop_reading(drill_plan, c, turn_of_stops) for c in drill_plan.stop_when)),
        )
        met = (
            stop_conditions.fact_of(r, now - self._clock.error, self._clock.now() + self._clock.error)
            for r in stops
            if r.met
        )
        announced = drill_plan.announces
        look = Look(drill_plan.about, since, self._clock.now(), self._clock.error, self._rules, announced)
        history = alert_history(self._alerts.since(since), look)
        series = {name: self._told(name, query, since) for name, query in queries.items()}
        return Probe(
            at=now,
            reachable=not errors,
            error="; ".join(errors)[:500],
            alertmanager_error=paging_error,
            facts=(*met, *self._new_or_known((*history.facts, *paged))),
            impact=series.pop(IMPACT, Series(IMPACT)),
            steady=series,
            rules={name: loaded.rule for name, loaded in self._rules.items()},
            pending=history.pending,
            firing=history.firing | _firing_of_own(paged, announced),
            stops=tuple(stops),
            unchecked=self._unchecked(stops, now),
        )

    async def working_sets(self, drill_plan: DrillPlan) -> dict[str, WorkingSet]:
        """What containers use (the least of their pods), where a fault must know it and somebody measures it."""
        wanted = measured_for(drill_plan)
        if not wanted:
            return {}
        query = promql.working_sets(drill_plan.about, wanted)
        found, _ = await _guarded(
            self._query(drill_plan, query, lambda answer: prometheus.latest_by(answer, "container"), Turn())
        )
        return {
            name: WorkingSet(int(value), "Prometheus, container_memory_working_set_bytes")
            for name, value in (found or {}).items()
        }

    def _new_or_known(self, facts: Iterable[Fact]) -> tuple[Fact, ...]:
        """The facts, but of one drill never more than MOST_FACTS: each is kept for good, here and in the cluster."""
        told = []
        for fact in facts:
            if len(self._facts_told) < MOST_FACTS or fact.id in self._facts_told:
                self._facts_told.add(fact.id)
                told.append(fact)
        return tuple(told)

    def _unchecked(self, stops: Iterable[StopReading], now: datetime) -> dict[str, datetime]:
        unchecked = {}
        for reading in stops:
            known = self._stops_known.setdefault(reading.name, now)
            if reading.met is None:
                unchecked[reading.name] = known
            else:
                self._stops_known[reading.name] = now
        return unchecked

    async def _stop_reading(self, drill_plan: DrillPlan, condition: PlannedStop, turn: Turn) -> StopReading:
        wrong = stop_conditions.unaskable(condition)
        if wrong:
            return wrong

        def read(answer: Any) -> StopReading:
            return stop_conditions.read(condition, answer, drill_plan.about)

        reading, error = await _guarded(self._query(drill_plan, stop_conditions.query_of(condition), read, turn))
        return reading or stop_conditions.unanswered(condition, error)

    async def _read(
        self, drill_plan: DrillPlan, queries: Iterable[str], since: datetime, now: datetime, turn: Turn
    ) -> tuple[str, ...]:
        """Reads rules, alerts and series of Prometheus in parallel; returns what went wrong."""
        outcomes = await asyncio.gather(
            _guarded(self._read_alerts(drill_plan, since, now, turn)),
            *(_guarded(self._read_series(drill_plan, q, since, now, turn)) for q in dict.fromkeys(queries)),
        )
        return tuple(dict.fromkeys(error for _, error in outcomes if error))

    def _impact_query(self, drill_plan: DrillPlan) -> str:
        """The impact, or while it is not derived yet the left side of the alert that starts the clock."""
        loaded = self._rules.get(drill_plan.clock_alert)
        return drill_plan.impact.query or (loaded.rule.left if loaded else "")

    async def _query(self, drill_plan: DrillPlan, query: str, read: Read[T], turn: Turn) -> T:
        return await self._fetch(drill_plan.prometheus, "/api/v1/query", [("query", query)], read, turn)

    async def _read_alerts(self, drill_plan: DrillPlan, since: datetime, now: datetime, turn: Turn) -> None:
        """Rules first: what they were evaluated until is then surely in the history that is read after them.

        Both are taken over or neither, or an alert whose newest samples are missing would seem to have ended.
        """
        names = rules_wanted(drill_plan)
        rules = await self._fetch(
            drill_plan.prometheus,
            "/api/v1/rules",
            promql.rules_asked_for(names),
            lambda answer: prometheus.alert_rules(answer, names),
            turn,
        )
        query = promql.alert_history((a.name for a in drill_plan.alerts), self._alerts.seconds_to_read(since, now))
        history = await self._query(drill_plan, query, prometheus.matrix, turn)
        self._rules = rules
        self._alerts.merge((s for s in history if drill_plan.about.holds(s.labels)), now)

    async def _read_series(self, drill_plan: DrillPlan, query: str, since: datetime, now: datetime, turn: Turn) -> None:
        """Raw samples where they are the expression's value, else the expression at every scrape.

        What is too much to be read is asked for in coarser steps at the next probe.
        """
        history = self._series.setdefault(query, SeriesHistory(self._shelf))
        try:
            if history.raw and await self._read_raw(drill_plan, query, history, since, now, turn):
                return
            await self._read_evaluated(drill_plan, query, history, since, now, turn)
        except TooMuch:
            history.restart(raw=False, step=min(2 * history.step, COARSEST))
            raise

    async def _read_raw(
        self, drill_plan: DrillPlan, query: str, history: SeriesHistory, since: datetime, now: datetime, turn: Turn
    ) -> bool:
        """Whether raw samples could tell the value."""
        selectors = promql.raw_selectors(query)
        if not selectors:
            return False
        seconds = history.seconds_to_read(since, now)
        asked = (self._query(drill_plan, promql.raw_samples(s, seconds), prometheus.matrix, turn) for s in selectors)
        found = await asyncio.gather(*asked)
        total = prometheus.raw_total(found, bare=selectors == (query,))
        if total is not None:
            history.merge([RawSeries({}, total)], now)
            return True
        # Several series of different scrapes: only Prometheus can tell what they come to.
        every = prometheus.spacing([s for one in found[0][:1] for s in one.samples], history.step)
        history.restart(raw=False, step=every)
        return False

    async def _read_evaluated(
        self, drill_plan: DrillPlan, query: str, history: SeriesHistory, since: datetime, now: datetime, turn: Turn
    ) -> None:
        history.raw = False
        seconds, step = history.seconds_to_read(since, now), max(1, round(history.step.total_seconds()))

        def total_of(answer: Any) -> tuple[Sample, ...]:
            return prometheus.evaluated_total(prometheus.matrix(answer), step)

        evaluated = await self._query(drill_plan, promql.evaluated(query, seconds, step), total_of, turn)
        history.merge([RawSeries({}, evaluated)], now)

    def _told(self, name: str, query: str, since: datetime) -> Series:
        history = self._series.get(query)
        samples = Samples.of(next((s.samples for s in history.since(since)), ()) if history else ())
        step = prometheus.spacing(samples, history.step if history else SECOND)
        return Series(name, samples, step, samples.thinned_until)

    async def _alertmanager(self, drill_plan: DrillPlan, since: datetime) -> tuple[tuple[Fact, ...], str]:
        def read(answer: Any) -> tuple[Fact, ...]:
            return alertmanager.active(
                answer,
                about=drill_plan.about,
                looked=Interval(min(since, self._clock.now()), self._clock.now()),
                error=self._clock.error,
                announced=drill_plan.announces,
            )

        asked = alertmanager.asked_for(drill_plan.about)
        turn = Turn(MOST_OF_ALERTS, VALUES_OF_ALERTS)
        facts, error = await _guarded(self._fetch(drill_plan.alertmanager, ALERTS, asked, read, turn))
        return facts or (), error


def rules_wanted(drill_plan: DrillPlan) -> frozenset[str]:
    """The alerts of which a drill must know the rules."""
    return frozenset([*(a.name for a in drill_plan.alerts), *(c.alert for c in drill_plan.stop_when if c.alert)])


def _firing_of_own(facts: Iterable[Fact], announced: frozenset[str]) -> frozenset[str]:
    """Alerts that the drill announced itself are known to Alertmanager alone."""
    return frozenset(str(f.detail["alert"]) for f in facts) & announced


async def _guarded(asked: Awaitable[T]) -> tuple[T | None, str]:
    """What one source says, or why it says nothing: whatever it is, the other sources are read."""
    try:
        return await asked, ""
    except (Unreachable, NoAnswer) as error:
        return None, str(error)
    except Exception as error:
        LOG.exception("an answer could not be read")
        return None, f"an answer could not be read ({type(error).__name__}): the operator's log says more"

"""The probe: everything that a turn wants to know of Prometheus and Alertmanager, asked at once.

What is asked, and what the answers come to, the polled sources say (`plugins.sources.polled`); here it is asked.

Samples that were read are kept, so a probe a second asks for the last seconds only. What a probe tells is
always the whole since `since`: alerts' history as facts, and the series of the impact and of every check.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar

from kubedrill.controller.gathering.samples import SHELVES, SeriesHistory, Shelf
from kubedrill.controller.http_client import Fetch, Turn
from kubedrill.core.evidence.facts import Fact, Series
from kubedrill.core.measure.windows import IMPACT
from kubedrill.core.plan.drill_plan import DrillPlan, Endpoint
from kubedrill.core.plan.surroundings import StopReading
from kubedrill.core.plan.trouble import AlertRule
from kubedrill.kube.answers import NoAnswer
from kubedrill.kube.client import Unreachable
from kubedrill.kube.clock import ServerClock
from kubedrill.plugins.conversations import held
from kubedrill.plugins.faults.base import WorkingSet
from kubedrill.plugins.faults.of_drill import measured_for
from kubedrill.plugins.registry import DefectiveMemberError
from kubedrill.plugins.sources import of_kind, prometheus, promql
from kubedrill.plugins.sources.base import How, SourceKind
from kubedrill.plugins.sources.polled import (
    AskedServer,
    Conversation,
    Heard,
    Polled,
    Polling,
    PollScope,
    Question,
    Share,
)
from kubedrill.plugins.sources.prometheus import LoadedRule

LOG = logging.getLogger(__name__)
T = TypeVar("T")
PROBE_EVERY: Final = timedelta(seconds=0.9)
MOST_FACTS: Final = 300
"""Of one drill, from its monitoring. An expected alert that fires and ends has three."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What monitoring says now.

    `reachable` is false when any of Prometheus' answers is missing (`error` tells which); the series then
    hold what was read before. `stops` are the stop conditions as they are now; `unchecked` says of those that
    there is no answer for when there was one last, or when they were first asked for. `withheld` is known before the
    start alone.
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
    withheld: tuple[str, ...] = ()
    unchecked: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def series(self) -> Mapping[str, Series]:
        """The impact (`impact`) and every steady-state check, by name."""
        return {**self.steady, IMPACT: self.impact}


class MonitoringProbe:
    """Asks one drill's Prometheus and Alertmanager."""

    def __init__(self, fetch: Fetch, clock: ServerClock, shelf: Shelf | None = None) -> None:
        self._fetch, self._clock = fetch, clock
        self._rules: Mapping[str, LoadedRule] = {}
        self._fired: Mapping[str, tuple[Mapping[str, str], ...]] | None = None
        kept = partial(SeriesHistory, shelf or SHELVES.one_more())
        self._polls = {source.name: _polling(source).begin(kept) for source in of_kind(How.POLL)}
        self._facts_told: set[str] = set()
        self._stops_known: dict[str, datetime] = {}
        self._measured: datetime | None = None
        self.last: Probe | None = None

    async def look(self, drill_plan: DrillPlan, since: datetime, *, before_start: bool = False) -> Probe:
        """Asks everything, and keeps it as what is known."""
        self.last = await self.probe(drill_plan, since, before_start=before_start)
        return self.last

    async def measure(self, drill_plan: DrillPlan, since: datetime) -> Probe | None:
        """Asks everything, unless it was measured a moment ago."""
        now = self._clock.now()
        if self._measured is not None and now - self._measured < PROBE_EVERY:
            return None
        probe, self._measured = await self.look(drill_plan, since), now
        return probe

    async def probe(self, drill_plan: DrillPlan, since: datetime, *, before_start: bool = False) -> Probe:
        """Asks everything in parallel; never raises. `since` is how far back a turn must look.

        Whose trouble a derived impact is, is known once its alert has fired: then it is asked once more.
        """
        used = self._fired_of(drill_plan)
        probe = await self._probed(drill_plan, since, before_start=before_start)
        known = self._fired_of(drill_plan)
        if drill_plan.impact.alert and known is None:
            return replace(probe, impact=Series(IMPACT))
        return probe if known == (used or ()) else await self._probed(drill_plan, since, before_start=before_start)

    def _fired_of(self, drill_plan: DrillPlan) -> tuple[Mapping[str, str], ...] | None:
        """What fired of the alert that the impact is derived from; None while that is not known."""
        return None if self._fired is None else self._fired.get(drill_plan.impact.alert, ())

    async def _probed(self, drill_plan: DrillPlan, since: datetime, *, before_start: bool) -> Probe:
        now = self._clock.now()
        scope = PollScope(drill_plan, since, now, now, self._clock.error, self._rules, self._fired, before_start)
        turns = {share: Turn(share.most_bytes, share.most_values) for share in _shares()}
        asked = _asked_first_to_last()
        heard = dict(zip(asked, await asyncio.gather(*(self._hear(one, scope, turns) for one in asked)), strict=True))
        scope = replace(scope, now=self._clock.now())
        told = {one: self._polls[one.name].told(scope, heard[one]) for one in of_kind(How.POLL)}
        self._rules = {name: rule for one in told.values() for name, rule in one.rules.items()}
        self._fired = next((one.fired for one in told.values() if one.fired is not None), self._fired)
        stops = tuple(reading for one in told.values() for reading in one.stops)
        series = {name: found for one in told.values() for name, found in one.series.items()}
        errors = _errors(told, AskedServer.PROMETHEUS)
        return Probe(
            at=now,
            reachable=not errors,
            error="; ".join(errors)[:500],
            alertmanager_error="; ".join(_errors(told, AskedServer.ALERTMANAGER)),
            facts=(
                *(fact for one in told.values() for fact in one.decisive),
                *self._new_or_known(fact for one in told.values() for fact in one.facts),
            ),
            impact=series.pop(IMPACT, Series(IMPACT)),
            steady=series,
            rules={name: loaded.rule for name, loaded in self._rules.items()},
            pending=frozenset(name for one in told.values() for name in one.pending),
            firing=frozenset(name for one in told.values() for name in one.firing),
            stops=stops,
            withheld=tuple(said for one in told.values() for said in one.withheld),
            unchecked=self._unchecked(stops, now),
        )

    async def _hear(self, source: SourceKind, scope: PollScope, turns: Mapping[Share, Turn]) -> list[Heard]:
        """What each conversation with a source comes to, all at once: one that fails holds up no other."""
        polling = _polling(source)
        plan = scope.drill_plan
        servers = (plan.prometheus,) if polling.server is AskedServer.PROMETHEUS else plan.alertmanagers
        asked = ((one, server) for server in servers for one in self._polls[source.name].ask(scope))
        told = (_guarded(self._held(one, server, turns[polling.share])) for one, server in asked)
        return [Heard(found, error) for found, error in await asyncio.gather(*told)]

    async def _held(self, conversation: Conversation, endpoint: Endpoint, turn: Turn) -> Any:
        async def asked(question: Question) -> Any:
            def read(answer: Any) -> Any:
                return question.read(answer, self._clock.now())

            return await self._fetch(endpoint, question.path, question.query, read, turn)

        return await held(conversation, asked)

    async def working_sets(self, drill_plan: DrillPlan) -> dict[str, WorkingSet]:
        """What containers use (the least of their pods), where a fault must know it and somebody measures it."""
        wanted = measured_for(drill_plan)
        if not wanted:
            return {}
        query = [("query", promql.working_sets(drill_plan.about, wanted))]

        def read(answer: Any) -> dict[str, float]:
            return prometheus.latest_by(answer, "container")

        found, _ = await _guarded(self._fetch(drill_plan.prometheus, "/api/v1/query", query, read, Turn()))
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


def _polling(source: SourceKind) -> Polling:
    if source.polling is None:
        raise DefectiveMemberError(f"sources/{source.name}.py is polled, and declares no polling")
    return source.polling


def _asked_first_to_last() -> list[SourceKind]:
    """Those with the least share first: what may stop a drill waits behind nobody's bulk."""
    servers = list(AskedServer)

    def place(source: SourceKind) -> tuple[int, int]:
        polling = _polling(source)
        return polling.share.most_bytes, servers.index(polling.server)

    return sorted(of_kind(How.POLL), key=place)


def _shares() -> frozenset[Share]:
    return frozenset(_polling(source).share for source in of_kind(How.POLL))


def _errors(told: Mapping[SourceKind, Polled], server: AskedServer) -> tuple[str, ...]:
    of_server = (one for source, one in told.items() if _polling(source).server is server)
    return tuple(dict.fromkeys(error for one in of_server for error in one.errors))


async def _guarded(asked: Awaitable[T]) -> tuple[T | None, str]:
    """What one source says, or why it says nothing: whatever it is, the other sources are read."""
    try:
        return await asked, ""
    except (Unreachable, NoAnswer) as error:
        return None, str(error)
    except Exception as error:
        LOG.exception("an answer could not be read")
        return None, f"an answer could not be read ({type(error).__name__}): the operator's log says more"

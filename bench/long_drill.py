"""What one turn costs after ten minutes of a drill and after eight hours of it, and what a series takes of memory.

`python -m bench.long_drill`, without a cluster: the clock and Prometheus are played, one sample a second of the impact,
of two checks and of the firing alert; one check flaps all the time and nothing ever falls for good. A turn is what
monitoring tells, read and measured: the answers' JSON is made beforehand, and the API server is not asked. CPU time.
"""

from __future__ import annotations

import asyncio
import gc
import math
import statistics
import sys
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from tests.measure.builders import drill_plan, limit

from kubedrill.controller.gathering.known_facts import KnownFacts
from kubedrill.controller.gathering.probe import MonitoringProbe, Probe
from kubedrill.controller.http_client import Read, Turn
from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.reducer import reduce
from kubedrill.core.machine.state import Observation, State
from kubedrill.core.plan.drill_plan import AlertWanted, DrillPlan, Endpoint, ImpactFall, SteadyCheck
from kubedrill.kube.clock import ServerClock

T = TypeVar("T")
START: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
TEN_MINUTES, EIGHT_HOURS = 600, 8 * 3600
TURNS: Final = 150
MIB: Final = 1 << 20
SERIES: Final = 4
MOST_MS, MOST_TIMES, MOST_MIB = 30.0, 1.3, 1.0
RULE: Final = {"type": "alerting", "name": "QueueLong", "query": "queue > 50", "lastEvaluation": START.isoformat()}


@dataclass(frozen=True, slots=True)
class Figures:
    """CPU time of a turn in milliseconds (the median of many), and memory of a series in MiB."""

    after_ten_minutes: float
    after_eight_hours: float
    mib_a_series: float

    @property
    def held(self) -> bool:
        """Whether all bounds are held."""
        slower = self.after_eight_hours / self.after_ten_minutes
        return self.after_eight_hours <= MOST_MS and slower <= MOST_TIMES and self.mib_a_series <= MOST_MIB


class PlayedMonitoring:
    """A Prometheus with one sample a second since the start, and an Alertmanager with nothing to say."""

    def __init__(self) -> None:
        self.seconds, self.spent = 0.0, 0.0

    def value(self, query: str, second: int) -> float:
        """A queue that grows with a swing and some noise; a check that flaps; one that holds."""
        noise = (second * 7919) % 13 - 6
        if query.startswith("queue"):
            return 400 + second // 60 + 40 * math.sin(second / 200) // 1 + noise
        return 20 + 15 * math.sin(second / 20) // 1 if query.startswith("flapping") else 5 + noise % 2

    def points(self, query: str, span: int) -> list[list[Any]]:
        """Values of the last so many seconds, as Prometheus writes them."""
        last, start = int(self.seconds), START.timestamp()
        return [[start + n, f"{self.value(query, n):g}"] for n in range(max(0, last - span), last)]

    async def fetch(
        self,
        endpoint: Endpoint,  # noqa: ARG002  all of a drill's monitoring is this one
        path: str,
        query: Sequence[tuple[str, str]],
        read: Read[T],
        turn: Turn,  # noqa: ARG002  nothing that it tells is too much
    ) -> T:
        """Answers like the operator's web client; making the answer is no part of what is measured."""
        begun = time.process_time()
        answer = self._answer(path, dict(query).get("query", ""))
        self.spent += time.process_time() - begun
        return read(answer)

    def _answer(self, path: str, asked: str) -> Any:
        if path.endswith("/alerts"):
            return []
        if path.endswith("/rules"):
            now = (START + timedelta(seconds=self.seconds)).isoformat()
            return {
                "status": "success",
                "data": {"groups": [{"interval": 1, "rules": [RULE | {"lastEvaluation": now}]}]},
            }
        span = int(asked[asked.rindex("[") + 1 : asked.rindex("s]")].split("s:", maxsplit=1)[0])
        labels = {"__name__": asked.split("[", maxsplit=1)[0]}
        if asked.startswith("ALERTS"):
            labels = {"__name__": "ALERTS", "alertname": "QueueLong", "alertstate": "firing"}
        result = [{"metric": labels, "values": self.points(asked, span)}]
        return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def played_plan() -> DrillPlan:
    """A drill with an impact, two checks and an alert, that goes on for a day."""
    ever = timedelta(days=1)
    return drill_plan(
        *(limit(f"to-{to}", to, ever.total_seconds()) for to in ("Acknowledged", "Mitigated", "Recovered")),
        steady=(SteadyCheck("flapping", "flapping", below=20), SteadyCheck("calm", "calm", below=10)),
        alerts=(AlertWanted("QueueLong", starts_clock=True, within=timedelta(minutes=5)),),
        impact=ImpactFall("queue", timedelta(minutes=2), 10, 10),
        recovered_window=timedelta(minutes=2),
        max_duration=ever,
    )


def states() -> list[Fact]:
    """Every ten seconds one of a workload's pods is ready, or not any more: thousands of facts in the end."""
    found = []
    for number in range((EIGHT_HOURS + TURNS) // 10):
        ready = 4 + number % 2
        counts = {"ready": ready, "desired": 5, "unready": 5 - ready, "killed": number}
        found.append(
            _fact(FactKind.WORKLOAD_STATE, number * 10, f"state/{number}", target="Deployment/worker", **counts)
        )
    return found


def _fact(kind: FactKind, second: int, name: str, **detail: Any) -> Fact:
    return Fact(kind, Interval.at(START + timedelta(seconds=second)), Source.POD_WATCH, name, detail=detail)


class LongDrill:
    """One drill whose turns are played at any second."""

    def __init__(self) -> None:
        self.monitoring, self._drill_plan = PlayedMonitoring(), played_plan()
        clock = ServerClock(
            timedelta(milliseconds=20),
            wall=lambda: START + timedelta(seconds=self.monitoring.seconds),
            monotonic=lambda: self.monitoring.seconds,
        )
        self._probe = MonitoringProbe(self.monitoring.fetch, clock)
        self._states, self._known, self._stored = states(), KnownFacts(), frozenset[Fact]()
        self._state = State(phase=Phase.IN_PLAY, since=START, start_ex=START, deadline=START + timedelta(days=1))

    def turn(self, second: int) -> tuple[Probe, float]:
        """What monitoring told, and the CPU milliseconds that it took to read and measure it."""
        self.monitoring.seconds = second + 0.5
        if len(self._stored) != second // 10 + 1:
            injected = _fact(FactKind.FAULT_INJECTED, 20, "injected", fault="limit", target="Deployment/worker")
            self._stored = frozenset([injected, *self._states[: second // 10]])
        self.monitoring.spent = 0.0
        begun = time.process_time()
        probe = asyncio.run(self._probe.probe(self._drill_plan, START))
        facts = self._known.of(self._stored, probe.facts, START, self._drill_plan)
        now = START + timedelta(seconds=second + 0.5)
        reduce(self._state, Observation(now, self._drill_plan, finalizer=True, facts=facts, series=probe.series))
        return probe, (time.process_time() - begun - self.monitoring.spent) * 1000


def measure() -> Figures:
    """Plays the drill."""
    old, young = LongDrill(), LongDrill()
    gc.collect()
    tracemalloc.start()
    for second in range(TEN_MINUTES, EIGHT_HOURS + 1, TEN_MINUTES):
        old.turn(second)
    gc.collect()
    taken = tracemalloc.get_traced_memory()[0] / SERIES / MIB
    tracemalloc.stop()
    after_eight_hours = statistics.median(old.turn(EIGHT_HOURS + n)[1] for n in range(1, TURNS))
    young.turn(TEN_MINUTES)
    after_ten_minutes = statistics.median(young.turn(TEN_MINUTES + n)[1] for n in range(1, TURNS))
    return Figures(after_ten_minutes, after_eight_hours, taken)


def main() -> int:
    """Prints the figures; 1 when one of them is over its bound."""
    figures = measure()
    slower = figures.after_eight_hours / figures.after_ten_minutes
    print(f"a turn after ten minutes: {figures.after_ten_minutes:.1f} ms")
    print(f"a turn after eight hours: {figures.after_eight_hours:.1f} ms (at most {MOST_MS:g})")
    print(f"that is {slower:.2f} times as much (at most {MOST_TIMES:g})")
    print(f"memory: {figures.mib_a_series:.2f} MiB a series (at most {MOST_MIB:g})")
    return 0 if figures.held else 1


if __name__ == "__main__":
    sys.exit(main())

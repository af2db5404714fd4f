"""Stop conditions are asked for at each probe, and how long they have been without an answer is counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.clock.settable import Settable
from tests.observers.builders import drill_plan
from tests.undo.builders import NOON

from kubedrill.controller.gathering import MonitoringProbe
from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.plan.drill_plan import PlannedStop
from kubedrill.kube.client import Unreachable

ERRORS = PlannedStop("errors", promql="errors > 5")
PAGED = PlannedStop("neighbour", alert="NeighbourDown")
DRILL = replace(drill_plan(), stop_when=(ERRORS, PAGED))


class Prometheus:
    """Answers every query with a vector of what is set for it; `down` answers nothing."""

    def __init__(self) -> None:
        self.met: set[str] = set()
        self.down = False

    async def __call__(self, endpoint: Any, path: str, query: Any, read: Any, turn: Any) -> Any:
        del endpoint, turn
        if self.down:
            raise Unreachable("connection refused")
        if path == "/api/v1/rules":
            return read({"status": "success", "data": {"groups": []}})
        if path == "/api/v2/alerts":
            return read([])
        asked = dict(query).get("query", "")
        kind = "matrix" if asked.endswith("s]") else "vector"
        met = kind == "vector" and any(asked.startswith(start) for start in self.met)
        result = [{"metric": {}, "value": [0, "7"]}] if met else []
        return read({"status": "success", "data": {"resultType": kind, "result": result}})


async def test_one_that_is_met_is_a_fact_and_one_that_is_not_is_none():
    fake, clock = Prometheus(), Settable(NOON)
    fake.met = {"errors > 5"}
    probe = await MonitoringProbe(fake, clock).probe(DRILL, clock.now())
    assert {r.name: r.met for r in probe.stops} == {"errors": True, "neighbour": False}
    assert [f.id for f in probe.facts if f.kind is FactKind.STOP_CONDITION_MET] == ["stop/errors"]
    assert probe.unchecked == {}


async def test_without_an_answer_it_is_unchecked_since_it_was_known_last():
    fake, clock = Prometheus(), Settable(NOON)
    monitoring, known = MonitoringProbe(fake, clock), clock.now()
    await monitoring.probe(DRILL, known)
    fake.down = True
    for seconds in (5, 61):
        clock.at = known + timedelta(seconds=seconds)
        probe = await monitoring.probe(DRILL, known)
        assert probe.unchecked == {"errors": known, "neighbour": known}
        assert not probe.facts
    fake.down = False
    assert (await monitoring.probe(DRILL, known)).unchecked == {}


async def test_one_that_was_never_known_counts_from_when_it_was_first_asked_for():
    fake, clock = Prometheus(), Settable(NOON)
    monitoring, first = MonitoringProbe(fake, clock), clock.now()
    fake.down = True
    await monitoring.probe(DRILL, first)
    clock.at = first + timedelta(seconds=30)
    assert (await monitoring.probe(DRILL, first)).unchecked["errors"] == first


async def test_a_drill_without_any_asks_for_nothing_more():
    fake, clock = Prometheus(), Settable(NOON)
    probe = await MonitoringProbe(fake, clock).probe(drill_plan(), clock.now())
    assert (probe.stops, probe.unchecked) == ((), {})

"""The turn that commits a drill plays the scenario that was looked at a moment ago, whatever has become of it since."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from tests.giving_up import lab as giving_up
from tests.giving_up.lab import DRILL, Lab, standing
from tests.observers.builders import ERRORS, measured
from tests.shell.test_a_held_drill_holds_no_watch import EVERYTHING, REVIEWS, SCENARIO, SPACE
from tests.shell.test_players_who_are_added_before_the_start import RecordKeeper

from kubedrill.controller.gathering import MonitoringProbe, Probe
from kubedrill.core.machine.phases import Phase

STORED = "/apis/kubedrill.dev/v1alpha1/namespaces/drills/drillscenarios/storm"

ASKED_ONCE = ("drillenvironments", "drillrosters", "storm.scenario", "selfsubjectrulesreviews")


@pytest.fixture
async def lab(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lab]:
    """A drill of a DrillScenario that nothing was done with yet."""

    async def probed(self: MonitoringProbe, *_: object, **__: object) -> Probe:
        now = self._clock.now()
        return Probe(now, reachable=True, rules={"Errors": ERRORS}, impact=measured(0, now))

    def answering(request: web.Request) -> web.Response | None:
        return web.json_response(EVERYTHING, status=201) if request.path == REVIEWS else None

    monkeypatch.setattr(giving_up, "StrictCluster", RecordKeeper)
    async with standing(monkeypatch) as lab:
        monkeypatch.setattr(MonitoringProbe, "probe", probed)
        lab.cluster.answering = answering
        labels = {"kubedrill.dev/control-namespace": "drills"}
        lab.cluster.put(SPACE, {"metadata": {"name": "shop", "uid": "n1", "labels": labels}})
        drill = lab.cluster.drill_now
        spec = {"targetNamespace": "shop", "desired": "Run", "scenarioRef": "storm"}
        lab.cluster.put(DRILL, {**drill, "metadata": {**drill["metadata"], "finalizers": []}, "spec": spec})
        scenario_says(lab, "unplug it")
        yield lab


def phase_of(lab: Lab) -> Phase:
    """Where the drill is now: each turn may have changed it."""
    return lab.state.phase


def scenario_says(lab: Lab, do: str) -> None:
    faults = [{"name": "storm", "manual": {"do": do, "undo": "plug it in"}}]
    lab.cluster.put(STORED, {"metadata": {"name": "storm"}, "spec": SCENARIO | {"faults": faults}})


async def test_a_scenario_that_changes_between_the_checks_and_the_start_is_not_played(lab: Lab):
    await lab.task._turn()
    assert phase_of(lab) is Phase.PREFLIGHT, lab.cluster.status["message"]
    scenario_says(lab, "cut the cable")
    await lab.task._turn()
    assert phase_of(lab) is Phase.ARMED, lab.cluster.status["message"]
    assert lab.state.scenario["faults"][0]["manual"]["do"] == "unplug it"
    await lab.task._turn()
    assert lab.cluster.status["message"].startswith("by hand: unplug it")


async def test_what_the_plan_is_derived_from_is_asked_for_once_from_the_checks_to_the_start(lab: Lab):
    asked: list[str] = []
    before = lab.cluster.answering

    def answering(request: web.Request) -> web.Response | None:
        asked.append("storm.scenario" if request.path == STORED else request.path.rpartition("/")[2])
        return before(request)

    lab.cluster.answering = answering
    await lab.task._turn()
    assert phase_of(lab) is Phase.PREFLIGHT, lab.cluster.status["message"]
    assert [asked.count(what) for what in ASKED_ONCE] == [1] * len(ASKED_ONCE)
    asked.clear()
    await lab.task._turn()
    assert phase_of(lab) is Phase.ARMED, lab.cluster.status["message"]
    assert asked
    assert not {*ASKED_ONCE} & {*asked}

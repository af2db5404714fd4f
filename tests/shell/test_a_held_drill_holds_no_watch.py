"""A drill that is held may be so for days: it watches nothing until it is started, and then before it injects.

A hundred of them must cost little: each looks around seldom, and at its start anew.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from tests.giving_up.lab import Lab, standing
from tests.observers.builders import ERRORS, measured
from tests.watchdog.wire import SECRETS

from kubedrill.controller.gathering import MonitoringProbe, NamespaceWatches, Probe
from kubedrill.core.machine.phases import Phase

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
SCENARIO = {
    "title": "A storm",
    "expectedAlerts": [{"name": "Errors"}],
    "faults": [{"name": "storm", "manual": {"do": "unplug it", "undo": "plug it in"}}],
}
SPACE = "/api/v1/namespaces/shop"
EVERYTHING = {"status": {"resourceRules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}}


@pytest.fixture
def told() -> list[str]:
    """What happened, in order: the watches are started or ended, the fault's undo record is stored."""
    return []


@pytest.fixture
async def lab(monkeypatch: pytest.MonkeyPatch, told: list[str]) -> AsyncIterator[Lab]:
    async with standing(monkeypatch, desired="Hold", scenario=SCENARIO) as lab:

        async def watched(*_: object) -> None:
            told.append("watched")

        async def unwatched(*_: object) -> None:
            told.append("unwatched")

        async def probed(self: MonitoringProbe, *_: object, **__: object) -> Probe:
            now = self._clock.now()
            return Probe(now, reachable=True, rules={"Errors": ERRORS}, impact=measured(0, now))

        def answering(request: web.Request) -> web.Response | None:
            if request.method == "POST" and request.path == SECRETS:
                told.append("record")
            if request.path == REVIEWS:
                told.append("looked")
            return web.json_response(EVERYTHING, status=201) if request.path == REVIEWS else None

        monkeypatch.setattr(NamespaceWatches, "start", watched)
        monkeypatch.setattr(NamespaceWatches, "stop", unwatched)
        monkeypatch.setattr(MonitoringProbe, "probe", probed)
        lab.cluster.answering = answering
        lab.cluster.put(
            SPACE, {"metadata": {"name": "shop", "uid": "n1", "labels": {"kubedrill.dev/control-namespace": "drills"}}}
        )
        yield lab


async def test_while_it_is_held_nothing_is_watched(lab: Lab, told: list[str]):
    await lab.goes_on(60)
    assert lab.state.phase is Phase.HELD, lab.cluster.status["message"]
    assert "watched" not in told


async def test_while_it_is_held_it_is_looked_around_twice_a_minute(lab: Lab, told: list[str]):
    await lab.goes_on(3)
    assert lab.state.phase is Phase.HELD, lab.cluster.status["message"]
    told.clear()
    await lab.goes_on(600)
    assert 20 <= told.count("looked") <= 21  # the first look comes earlier: a drill has its own moment


async def test_when_it_is_started_it_is_looked_around_anew_and_at_once(lab: Lab, told: list[str]):
    await lab.goes_on(10)
    told.clear()
    lab.wanted("Run")
    await lab.goes_on(0.1)
    assert "looked" in told
    assert told.index("looked") < told.index("record")


async def test_when_it_is_started_the_watches_stand_before_anything_is_touched(lab: Lab, told: list[str]):
    await lab.goes_on(30)
    lab.wanted("Run")
    await lab.goes_on(2)
    assert "record" in told, lab.cluster.status["message"]
    assert told.index("watched") < told.index("record")


async def test_one_that_is_held_after_all_ends_its_watches(lab: Lab, told: list[str], monkeypatch: pytest.MonkeyPatch):
    async def away(self: MonitoringProbe, *_: object, **__: object) -> Probe:
        return Probe(self._clock.now(), reachable=False, error="Prometheus is away")

    monkeypatch.setattr(MonitoringProbe, "probe", away)
    lab.wanted("Run")
    await lab.goes_on(3)
    assert "watched" in told
    lab.wanted("Hold")
    await lab.goes_on(3)
    assert [one for one in told if one != "looked"][-1] == "unwatched"

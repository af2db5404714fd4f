"""A namespace of thousands of pods is listed in pages: its fault waits for the first one, and for no other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from aiohttp import web
from tests.giving_up.lab import standing
from tests.observers.builders import ERRORS, measured
from tests.observers.wire import until
from tests.watchdog.wire import SECRETS

from kubedrill.controller.gathering import MonitoringProbe, NamespaceWatches, Probe

START: Callable[..., object] = NamespaceWatches.start
PODS = "/api/v1/namespaces/shop/pods"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
EVERYTHING = {"status": {"resourceRules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}}
SCENARIO = {
    "title": "A storm",
    "expectedAlerts": [{"name": "Errors"}],
    "faults": [{"name": "storm", "manual": {"do": "unplug it", "undo": "plug it in"}}],
}
SPACE = {"metadata": {"name": "shop", "uid": "n1", "labels": {"kubedrill.dev/control-namespace": "drills"}}}


async def test_the_fault_waits_for_the_first_page_of_the_pods_and_for_no_other(monkeypatch: pytest.MonkeyPatch):
    told: list[str] = []
    first, never = asyncio.Event(), asyncio.Event()

    async def probed(self: MonitoringProbe, *_: object, **__: object) -> Probe:
        now = self._clock.now()
        return Probe(now, reachable=True, rules={"Errors": ERRORS}, impact=measured(0, now))

    async with standing(monkeypatch, scenario=SCENARIO) as lab:

        def answering(request: web.Request) -> web.Response | None:
            if request.method == "POST" and request.path == SECRETS:
                told.append("record")
            if request.path == REVIEWS:
                told.append("rights")
                return web.json_response(EVERYTHING, status=201)
            if request.path == PODS:
                told.append("a page")
                lab.cluster.hanging[PODS] = never
                return web.json_response({"items": [], "metadata": {"resourceVersion": "7", "continue": "next"}})
            if request.method == "GET" and "/namespaces/shop/" in request.path:
                return web.json_response({"items": [], "metadata": {"resourceVersion": "7"}})
            return None

        monkeypatch.setattr(NamespaceWatches, "start", START)
        monkeypatch.setattr(MonitoringProbe, "probe", probed)
        lab.cluster.answering, lab.cluster.hanging[PODS] = answering, first
        lab.cluster.put("/api/v1/namespaces/shop", dict(SPACE))
        turns = asyncio.create_task(lab.goes_on(2))
        await until(lambda: "rights" in told)
        first.set()
        await until(lambda: "record" in told)
        assert told == ["rights", "a page", "record"]
        turns.cancel()
        await asyncio.gather(turns, return_exceptions=True)

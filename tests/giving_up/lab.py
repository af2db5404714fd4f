"""A drill in play whose fault is in, its task, and an API server that refuses what a real one would refuse."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from tests.crd_schema import complaints, schema
from tests.undo.builders import NOON
from tests.watchdog.wire import DRILLS, EVENTS, Cluster
from tests.wire import connected_to

from kubedrill.api.drill import FINALIZER
from kubedrill.controller.gathering import MonitoringProbe, NamespaceWatches, Probe
from kubedrill.controller.http_client import WebClient
from kubedrill.controller.metrics import DrillCollector
from kubedrill.controller.settings import OperatorSettings
from kubedrill.controller.worker import DrillWorker
from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.machine.phases import TERMINAL, Phase
from kubedrill.core.machine.state import FaultState, State, state_from_wire, state_to_wire
from kubedrill.core.machine.status import without_nulls
from kubedrill.core.plan.drill_plan import Endpoint
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.informers import Informers
from kubedrill.kube.strangers import NO_ADDRESS

DRILL = f"{DRILLS}/storm"
CONFIG_MAP_BYTES = 1_048_576
NOTE_BYTES = 1024


class StrictCluster(Cluster):
    """Refuses a status that its CRD does not take, a ConfigMap and an Event that are too long, as the real one does."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[str] = []
        self.no_status: web.Response | None = None
        self.no_config_maps: web.Response | None = None

    @property
    def drill_now(self) -> dict[str, Any]:
        return self.objects[DRILL]

    @property
    def status(self) -> dict[str, Any]:
        return dict(self.drill_now.get("status") or {})

    def _stored(self, method: str, path: str, body: Any) -> web.Response:
        if path == f"{DRILL}/status":
            return self._status_written(body)
        if method == "POST" and path.endswith("/events"):
            if len(body["note"].encode()) > NOTE_BYTES:
                return self._invalid([("note", "FieldValueInvalid")])
            return super()._stored(method, EVENTS, body)
        if "/configmaps" in path and method != "GET":
            if self.no_config_maps is not None:
                return copied(self.no_config_maps)
            if any(len(text.encode()) > CONFIG_MAP_BYTES for text in body["data"].values()):
                return self._invalid([("[]", "FieldValueTooLong")])
        if method == "GET" and path.rpartition("/")[2] in ("configmaps", "playeractions"):
            found = [thing for at, thing in self.objects.items() if at.startswith(f"{path}/")]
            return web.json_response({"items": found, "metadata": {}})
        return super()._stored(method, path, body)

    def _status_written(self, body: dict[str, Any]) -> web.Response:
        if self.no_status is not None:
            return copied(self.no_status)
        drill = self.objects.get(DRILL)
        if drill is None or body["metadata"]["resourceVersion"] != drill["metadata"]["resourceVersion"]:
            return web.json_response({}, status=409)
        written = without_nulls({**(drill.get("status") or {}), **body["status"]})
        wrong = list(complaints(written, schema("drills", "status"), "status"))
        if wrong:
            return self._invalid(wrong)
        self.put(DRILL, {**drill, "status": json.loads(json.dumps(written))})
        return web.json_response(self.objects[DRILL])

    def _invalid(self, wrong: Iterable[tuple[str, str]]) -> web.Response:
        fields = [{"field": field, "reason": reason} for field, reason in wrong]
        self.refused += [cause["field"] for cause in fields]
        message = "; ".join(f"{cause['field']}: {cause['reason']}" for cause in fields)
        body = {"reason": "Invalid", "message": message[:300], "details": {"causes": fields}}
        return web.json_response(body, status=422)


def copied(answer: web.Response) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, content_type="application/json")


class Lab:
    """The drill and its task. `goes_on` runs turns, each at the time at which it is due."""

    def __init__(self, cluster: StrictCluster, kube: Kube, **spec: Any) -> None:
        self.cluster = cluster
        spec = {
            "targetNamespace": "shop",
            "desired": "Run",
            "scenario": {
                "title": "A storm",
                "expectedAlerts": [{"name": "Errors"}],
                "faults": [{"name": "storm", "memoryLimit": {"target": {"kind": "Deployment", "name": "web"}}}],
            },
        } | spec
        meta = {
            "name": "storm",
            "namespace": "drills",
            "uid": "d1",
            "finalizers": [FINALIZER],
            "generation": 1,
            "creationTimestamp": "2026-03-01T11:00:00Z",
        }
        cluster.put(DRILL, {"metadata": meta, "spec": spec})
        self.kube, self.clock = kube, ServerClock(timedelta(0), wall=lambda: cluster.now, monotonic=self._seconds)
        collector = DrillCollector(list, self.clock.now)
        self.informers = Informers(kube, self.clock)
        self.task = DrillWorker(kube, self.clock, OperatorSettings(), cluster.drill_now, collector, self.informers)

    def _seconds(self) -> float:
        return self.cluster.now.timestamp()

    def in_play(self, *, effective: bool = True, **state: Any) -> None:
        """It was started a minute ago, and its fault is in. `state` is what else its stored state says."""
        begun = NOON - timedelta(minutes=1)
        fault = FaultState("storm", target="Deployment/web", attempt=1)
        played = State(Phase.IN_PLAY, since=begun, faults=(fault,), start_ex=begun, deadline=NOON + timedelta(hours=1))
        self.cluster.fault()
        self.has_status({"phase": "InPlay", "machine": state_to_wire(played) | state})
        self.seen([fact(FactKind.FAULT_INJECTED, "injected/storm", fault="storm")])
        if effective:
            self.seen([fact(FactKind.FAULT_EFFECTIVE, "effective/storm", fault="storm")])

    def has_status(self, status: dict[str, Any]) -> None:
        self.cluster.put(DRILL, {**self.cluster.drill_now, "status": status})

    def seen(self, facts: Iterable[Fact]) -> None:
        self.task.inbox.add(facts)

    def wanted(self, desired: str) -> None:
        drill = self.cluster.drill_now
        self.cluster.put(DRILL, {**drill, "spec": {**drill["spec"], "desired": desired}})

    async def goes_on(self, seconds: float) -> None:
        """Turns until so much time has passed, or none is due any more."""
        end = self.cluster.now + timedelta(seconds=seconds)
        while self.cluster.now < end:
            due = await self.task._turn() or end
            if self.task._turns.over:
                break
            self.cluster.now = min(max(due, self.cluster.now + timedelta(milliseconds=100)), end)

    @property
    def state(self) -> State:
        return state_from_wire(self.cluster.status["machine"])

    @property
    def limit(self) -> Any:
        return self.cluster.limit

    def assert_put_back_and_ended(self, reason: str = "CannotGoOn", verdict: str = "Error") -> None:
        """The fault is out, no record is left, the finalizer is off, and the status says why."""
        status = self.cluster.status
        assert self.limit == "128Mi"
        assert not self.cluster.records()
        assert FINALIZER not in self.cluster.drill_now["metadata"]["finalizers"]
        assert Phase(status["phase"]) in TERMINAL
        finished = next(c for c in status["conditions"] if c["type"] == "Finished")
        assert (status["verdict"], finished["reason"]) == (verdict, reason), status["message"]


def fact(kind: FactKind, name: str, seconds: float = -30, actor: str = "", **detail: Any) -> Fact:
    """Something that was seen, half a minute ago when nothing else is said."""
    at = Interval.at(NOON + timedelta(seconds=seconds))
    return Fact(kind, at, Source.PLAYER_ACTION, name, actor, evidence=f"{actor} did {kind}", detail=detail)


@asynccontextmanager
async def standing(monkeypatch: pytest.MonkeyPatch, **spec: Any) -> AsyncIterator[Lab]:
    """A drill on a strict API server. Nothing is watched, and monitoring has nothing to say.

    Nor is the network asked where it is: a name that DNS does not know may take five seconds.
    """

    async def watched(*_: object) -> None:
        return None

    async def probed(self: MonitoringProbe, *_: object, **__: object) -> Probe:
        return Probe(self._clock.now(), reachable=True)

    async def nowhere(_: WebClient, endpoint: Endpoint, *_asked: object) -> None:
        raise Unreachable(f"{endpoint.name}.{endpoint.namespace}:{endpoint.port} {NO_ADDRESS}")

    monkeypatch.setattr(NamespaceWatches, "start", watched)
    monkeypatch.setattr(WebClient, "fetch", nowhere)
    monkeypatch.setattr(MonitoringProbe, "probe", probed)
    cluster = StrictCluster()
    async with connected_to(cluster.answer) as kube:
        lab = Lab(cluster, kube, **spec)
        yield lab
        await lab.task.stop()

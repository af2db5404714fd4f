"""F29: `scenarioRef: ../../…/secrets/kubedrill-webhook` made the operator read the Secret, and fail in each turn.

A Drill like that may still be there, made under an older CRD. It ends as refused, and says why.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.examples import some_of
from tests.names.hostile import STRANGE, WAYS

from kubedrill.api.drill import Drill
from kubedrill.controller.gathering import FactInbox
from kubedrill.controller.settings import OperatorSettings
from kubedrill.controller.turn import Turns
from kubedrill.core.paths import demand_built
from kubedrill.kube.client import Answer, Kube
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.informers import Informers

WAY = "../../../../../../api/v1/namespaces/drills/secrets/kubedrill-webhook"
OURS = (
    "/apis/kubedrill.dev/v1alpha1/namespaces/drills/drills/storm",
    "/api/v1/namespaces/drills/secrets",
    "/api/v1/namespaces/drills/configmaps",
    "/apis/events.k8s.io/v1/namespaces/drills/events",
    "/apis/kubedrill.dev/v1alpha1/namespaces/drills/drillreports/storm-d1",
)
"""What a turn of a drill that is refused asks for and writes: the Drill, records, evidence, Events, its report."""
SCENARIO: dict[str, Any] = {
    "title": "storm",
    "faults": [
        {"name": "limit", "memoryLimit": {"target": {"kind": "Deployment", "name": "web"}}},
        {
            "name": "load",
            "queueLoad": {"key": "jobs", "ratePerSecond": 1, "count": 1, "redis": {"name": "redis", "port": 6379}},
        },
    ],
    "expectedAlerts": [{"name": "Fire"}],
}


MONITORING = {kind: {"name": kind, "port": 9090} for kind in ("prometheus", "alertmanager")}


class Server(Kube):
    """One Drill, as somebody made it. `asked` are the paths that were asked for."""

    def __init__(self, spec: dict[str, Any], scenario: dict[str, Any] | None = None) -> None:
        self.spec, self.scenario = spec, scenario
        self.status: dict[str, Any] = {}
        self.asked: list[str] = []

    async def call(self, method: str, path: str, body: Any = None, **_more: Any) -> Answer:  # noqa: ARG002 - named as in Kube
        demand_built(path)
        self.asked.append(path)
        if path.endswith("/status"):
            self.status = body["status"]
        if path.endswith(("/secrets", "/configmaps")):
            return Answer(200, {"items": []})
        if "/drillscenarios/" in path:
            return Answer(200, self.scenario or {})
        meta = {
            "name": "storm",
            "namespace": "drills",
            "uid": "d1",
            "resourceVersion": "1",
            "generation": 1,
            "creationTimestamp": "2026-03-01T12:00:00Z",
        }
        return Answer(200, {"metadata": meta, "spec": self.spec, "status": self.status})


async def ended(server: Server) -> dict[str, Any]:
    """The status after two turns: one that decides, and one that would fail again."""
    clock = ServerClock(timedelta(0))
    informers = Informers(server, clock)
    turns = Turns(server, clock, OperatorSettings(), "storm", "d1", FactInbox(), lambda: None, informers)
    await turns.once()
    await turns.once()
    await turns.close()
    return server.status


def refusal(status: dict[str, Any]) -> tuple[str, str]:
    """Why it was not accepted."""
    (accepted,) = [c for c in status["conditions"] if c["type"] == "Accepted"]
    assert (status["phase"], status["verdict"], accepted["status"]) == ("Aborted", "Error", "False")
    return accepted["reason"], accepted["message"]


@pytest.mark.parametrize("name", [WAY, *WAYS, *STRANGE], ids=ascii)
async def test_f29_a_drill_that_is_there_with_such_a_ref_ends_refused_and_nothing_else_is_asked_for(name: str):
    server = Server({"targetNamespace": "shop", "scenarioRef": name})
    reason, message = refusal(await ended(server))
    assert reason == "SpecInvalid"
    assert message.startswith("scenarioRef: ")
    assert not [path for path in server.asked if not path.startswith(OURS)]


async def test_f29_what_is_wrong_is_said_in_a_sentence():
    status = await ended(Server({"targetNamespace": "shop", "scenarioRef": WAY}))
    assert refusal(status)[1] == (
        "scenarioRef: write the name of an object: small letters, digits, '-' and '.', as in shop-web"
    )


@pytest.mark.parametrize("scenario", [{}, {"spec": None}, {"spec": "x"}, {"data": {"token": "eA=="}}], ids=str)
async def test_f29_what_is_no_scenario_is_refused_and_does_not_fail_in_each_turn(scenario: dict[str, Any]):
    status = await ended(Server({"targetNamespace": "shop", "scenarioRef": "rush"}, scenario))
    assert refusal(status)[0] == "SpecInvalid"


def changed(place: str, name: str) -> dict[str, Any]:
    """A drill's spec with a name in one place."""
    spec: dict[str, Any] = Drill.model_validate(
        {
            "metadata": {"name": "storm"},
            "spec": {"targetNamespace": "shop", "scenario": SCENARIO, "monitoring": MONITORING},
        }
    ).spec.to_wire()
    *steps, last = place.split(".")
    holder: Any = spec
    for step in steps:
        holder = holder[int(step)] if step.isdigit() else holder.setdefault(step, {})
    holder[last] = name
    return spec


PLACES = (
    "targetNamespace",
    "scenario.faults.0.memoryLimit.target.name",
    "scenario.faults.0.memoryLimit.container",
    "scenario.faults.0.name",
    "scenario.faults.1.queueLoad.redis.name",
    "scenario.faults.1.queueLoad.redis.namespace",
    "environment",
    "roster",
    "monitoring.prometheus.name",
    "monitoring.prometheus.namespace",
    "monitoring.alertmanager.name",
    "monitoring.alertmanager.namespace",
)
"""Every name of a Drill that becomes a part of a path, a host, a record's name or a job's id."""


@pytest.mark.parametrize("place", PLACES)
async def test_f29_so_does_one_with_such_a_name_in_any_other_place(place: str):
    for name in some_of((*WAYS, *STRANGE), PLACES.index(place)):
        server = Server(changed(place, name))
        reason, message = refusal(await ended(server))
        assert reason == "SpecInvalid"
        assert message.startswith(f"{place}: ")
        assert not [path for path in server.asked if not path.startswith(OURS)]


def test_the_drill_is_good_without_such_a_name():
    for place in PLACES:
        Drill.model_validate({"metadata": {"name": "storm"}, "spec": changed(place, "web")})

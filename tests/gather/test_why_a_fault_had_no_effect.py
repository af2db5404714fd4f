"""When a fault's time is up its target, its pods and what they use are looked at once more, and hold up nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from tests.gather.server import Server
from tests.gather.test_what_is_around_the_target import WORKLOAD, workload
from tests.machine.world import START, drill_plan, fact, seen
from tests.wire import connected_to

from kubedrill.api.faults import Fault
from kubedrill.controller.drill_sources import DrillSources
from kubedrill.controller.shortfalls import shortfalls
from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.machine.state import Observation
from kubedrill.kube.client import Kube
from kubedrill.plugins.faults.base import WorkingSet

SETTLED = {"target": {"kind": "Deployment", "name": "limit"}, "container": "app", "limit": "64Mi", "affected": 1}
PLAN = replace(drill_plan(), faults=(Fault.model_validate({"name": "limit", "memoryLimit": SETTLED}),))
POD = {
    "metadata": {
        "name": "limit-1-a",
        "labels": {"app": "limit"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "limit-1", "controller": True}],
    },
    "spec": {"containers": [{"name": "app", "resources": {"limits": {"memory": "64Mi"}}}]},
    "status": {"containerStatuses": [{"name": "app", "state": {"running": {}}}]},
}
INJECTED = fact(FactKind.FAULT_INJECTED, START, "injected/limit", fault="limit")


class Monitoring:
    """Prometheus, as far as it is asked what containers use."""

    async def working_sets(self, _plan: Any) -> dict[str, WorkingSet]:
        return {"app": WorkingSet(57 * 1024**2, "Prometheus")}


@pytest.fixture
def server() -> Server:
    return Server({WORKLOAD: workload(), "/api/v1/namespaces/shop/pods/limit-1-a": POD})


@pytest.fixture
async def kube(server: Server) -> AsyncIterator[Kube]:
    async with connected_to(server.answer) as connection:
        yield connection


def at(minutes: float, **more: Any) -> Observation:
    return seen(now=START + timedelta(minutes=minutes), drill_plan=PLAN, facts=frozenset({INJECTED}), **more)


def sources(kube: Kube) -> DrillSources:
    return SimpleNamespace(kube=kube, monitoring=Monitoring())  # type: ignore[return-value]


async def test_c7_what_the_container_uses_is_told(kube):
    told = await shortfalls(sources(kube), PLAN, at(4))
    assert "container app runs with 64Mi in 1 pod and was not OOM-killed: it uses 57Mi" in told["limit"]


async def test_while_it_has_time_nobody_is_asked(server, kube):
    assert await shortfalls(sources(kube), PLAN, at(2)) == {}
    assert server.asked == []


async def test_a_fault_that_had_its_effect_is_not_asked_about(server, kube):
    bitten = fact(FactKind.FAULT_EFFECTIVE, START, "effective/limit", fault="limit")
    assert await shortfalls(sources(kube), PLAN, replace(at(4), facts=frozenset({INJECTED, bitten}))) == {}
    assert server.asked == []


@pytest.mark.parametrize("status", [403, 500])
async def test_what_can_not_be_read_holds_up_nothing(server, kube, status):
    server.refused[WORKLOAD] = (status, {"message": "no"})
    assert "runs with" not in (await shortfalls(sources(kube), PLAN, at(4))).get("limit", "")

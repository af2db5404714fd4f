"""An API server at the wire, and the sources of a drill beside it, whose monitoring answers nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from tests.gather.server import Server
from tests.wire import connected_to

from kubedrill.controller.drill_sources import DrillSources
from kubedrill.controller.gathering import FactInbox, MonitoringProbe, NamespaceWatches
from kubedrill.controller.gathering.own_records import OwnRecords
from kubedrill.controller.http_client import WebClient
from kubedrill.controller.planning import DrillPlanning
from kubedrill.core.undo.record import DrillIdentity
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.informers import Informers
from kubedrill.store.evidence_log import Evidence


async def nobody(*_: Any, **__: Any) -> Any:
    """No test asks the network who `prometheus.shop.svc` is."""
    raise Unreachable("nobody answers")


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def kube(server: Server) -> AsyncIterator[Kube]:
    async with connected_to(server.answer) as connection:
        yield connection


@pytest.fixture
async def sources(kube: Kube) -> AsyncIterator[DrillSources]:
    clock, inbox, web = ServerClock(timedelta(0)), FactInbox(), WebClient()
    one = DrillSources(
        kube,
        clock,
        "drills",
        Evidence(kube, "drills", "storm", "d1"),
        inbox,
        NamespaceWatches(Informers(kube, clock), clock, inbox, lambda: None),
        DrillPlanning(kube, DrillIdentity("d1", "storm", "drills")),
        OwnRecords(kube, "drills", "d1"),
        web,
        MonitoringProbe(nobody, clock),
    )
    yield one
    await one.close()

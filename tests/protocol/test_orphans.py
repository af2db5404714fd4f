"""Undo records whose Drill is gone are put back by themselves, and no others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from aiohttp import web
from tests.undo.builders import UNDO
from tests.watchdog.wire import DRILLS, Cluster, standing, status

from kubedrill.core.operations import Ask
from kubedrill.core.undo_record import OutsideGroup
from kubedrill.kube.client import Kube
from kubedrill.protocol.orphans import put_back_orphans
from kubedrill.protocol.records import list_records
from kubedrill.protocol.sightings import Sightings


class Sweep:
    """A cluster with a drill's fault in it, and the sweep for orphans."""

    error = timedelta(0)

    def __init__(self, cluster: Cluster, kube: Kube) -> None:
        self.cluster, self.kube = cluster, kube
        self.sightings = Sightings(self.seconds)
        cluster.fault()

    def now(self):
        return self.cluster.now

    def seconds(self) -> float:
        return self.cluster.now.timestamp()

    async def __call__(self) -> int:
        stored = (await list_records(self.kube, "drills")).readable
        return await put_back_orphans(self.kube, stored, "Operator", self, {}, self.sightings)


@pytest.fixture
async def sweep() -> AsyncIterator[Sweep]:
    async with standing() as (cluster, kube):
        yield Sweep(cluster, kube)


async def test_a_record_whose_drill_is_gone_is_put_back_and_closed(sweep: Sweep):
    assert await sweep() == 1
    assert sweep.cluster.limit == "128Mi"
    assert not sweep.cluster.records()


async def test_a_record_whose_drill_is_there_is_left_alone(sweep: Sweep):
    sweep.cluster.drill()
    assert await sweep() == 0
    assert not sweep.cluster.writes


def unserved() -> web.Response:
    return web.Response(status=404, text="404 page not found")


async def test_a_kind_that_is_not_served_counts_as_gone_by_the_second_sweep_only(sweep: Sweep):
    sweep.cluster.answering = lambda request: unserved() if request.path.startswith(DRILLS) else None
    assert await sweep() == 0
    assert sweep.cluster.limit == "32Mi"
    sweep.cluster.passes(seconds=30)
    assert await sweep() == 1
    assert sweep.cluster.limit == "128Mi"


@pytest.mark.parametrize("answer", [lambda: status(403), lambda: status(500)], ids=["403", "500"])
async def test_what_cannot_be_read_is_no_orphan_however_long(sweep: Sweep, answer: Callable[[], web.Response]):
    sweep.cluster.answering = lambda request: answer() if request.path.startswith(DRILLS) else None
    for _ in range(5):
        assert await sweep() == 0
        sweep.cluster.passes(minutes=5)


async def test_one_that_is_refused_holds_up_no_other(sweep: Sweep):
    sweep.cluster.ask(OutsideGroup("plug", Ask("pull the plug", "put it back")))
    sweep.cluster.answering = lambda request: (
        status(403) if request.method == "PATCH" and "deployments" in request.path else None)
    assert await sweep() == 1
    assert list(sweep.cluster.records()) == [UNDO]

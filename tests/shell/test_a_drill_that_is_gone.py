"""What an operator does about a Drill that it can no longer read: gone is told from everything else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web
from tests.watchdog.wire import DRILLS, Cluster, standing

from kubedrill.controller.gathering import FactInbox
from kubedrill.controller.settings import OperatorSettings
from kubedrill.controller.turn import GONE_FOR, Turns
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.informers import Informers


class Operator:
    """The cluster, and the turns of the drill whose fault is in it."""

    def __init__(self, cluster: Cluster, kube: Kube) -> None:
        self.cluster = cluster
        clock = ServerClock(timedelta(0), wall=lambda: cluster.now, monotonic=self.seconds)
        self.turns = Turns(
            kube, clock, OperatorSettings(), "storm", "d1", FactInbox(), lambda: None, Informers(kube, clock)
        )
        cluster.fault()

    def seconds(self) -> float:
        return self.cluster.now.timestamp()


@pytest.fixture
async def operator() -> AsyncIterator[Operator]:
    async with standing() as (cluster, kube):
        yield Operator(cluster, kube)


async def test_of_a_drill_that_is_gone_everything_is_put_back_and_nothing_is_left(operator: Operator):
    await operator.turns.once()
    assert operator.cluster.limit == "128Mi"
    assert not operator.cluster.records()
    operator.cluster.now += GONE_FOR
    await operator.turns.once()
    assert operator.turns.over


async def test_one_read_that_misses_it_may_be_older_than_the_event_that_told_of_it(operator: Operator):
    await operator.turns.once()
    again = await operator.turns.once()
    assert not operator.turns.over
    assert again is not None
    assert again < operator.cluster.now + GONE_FOR


async def test_of_what_is_gone_nothing_is_watched_although_it_is_looked_for(operator: Operator, monkeypatch):
    closed = []

    async def close() -> None:
        closed.append(True)

    monkeypatch.setattr(operator.turns._sources.watches, "stop", close)
    await operator.turns.once()
    assert closed
    assert not operator.turns.over


async def test_another_drill_of_its_name_means_that_it_is_gone(operator: Operator):
    operator.cluster.drill(uid="d2")
    await operator.turns.once()
    assert not operator.cluster.records()


async def test_that_drills_are_not_served_for_a_moment_is_no_end(operator: Operator):
    operator.cluster.answering = lambda request: (
        web.Response(status=404, text="404 page not found") if request.path.startswith(DRILLS) else None
    )
    with pytest.raises(Unreachable):
        await operator.turns.once()
    assert operator.cluster.limit == "32Mi"
    assert operator.cluster.records()

"""The operator is heard while it has something to do, and writes nothing when it has not."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from tests.watchdog.wire import CONTROL, LEASES, Cluster, standing, status

from kubedrill.controller.heartbeat import Heartbeat
from kubedrill.kube.client import Kube
from kubedrill.protocol.lease import LEASE

PATH = f"{LEASES}/{LEASE}"


class Operator:
    """A heartbeat, whether the operator is busy, and the cluster's time."""

    error = timedelta(0)

    def __init__(self, cluster: Cluster, kube: Kube) -> None:
        self.cluster, self.busy = cluster, True
        self.heartbeat = Heartbeat(kube, CONTROL, self, lambda: self.busy)

    def now(self):
        return self.cluster.now


@pytest.fixture
async def operator() -> AsyncIterator[Operator]:
    async with standing() as (cluster, kube):
        yield Operator(cluster, kube)


async def test_the_first_beat_makes_the_lease(operator: Operator):
    await operator.heartbeat.once()
    lease = operator.cluster.objects[PATH]
    assert lease["spec"]["renewTime"] == "2026-03-01T12:00:00.000000Z"
    assert lease["spec"]["holderIdentity"]


async def test_every_beat_changes_it(operator: Operator):
    seen = set()
    for _ in range(3):
        await operator.heartbeat.once()
        seen.add(operator.cluster.objects[PATH]["metadata"]["resourceVersion"])
        operator.cluster.passes(seconds=5)
    assert len(seen) == 3


async def test_an_operator_with_nothing_to_do_writes_nothing(operator: Operator):
    operator.busy = False
    await operator.heartbeat.once()
    assert not operator.cluster.writes


@pytest.mark.parametrize("code", [403, 409, 500])
async def test_that_it_fails_is_said_once_and_ends_nothing(
    operator: Operator, code: int, caplog: pytest.LogCaptureFixture
):
    operator.cluster.answering = lambda _: status(code)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            await operator.heartbeat.once()
    assert len(caplog.records) == 1
    assert str(code) in caplog.text


async def test_after_a_success_it_is_said_again(operator: Operator, caplog: pytest.LogCaptureFixture):
    for fails in (True, False, True):
        operator.cluster.answering = (lambda _: status(500)) if fails else (lambda _: None)
        await operator.heartbeat.once()
    assert len(caplog.records) == 2

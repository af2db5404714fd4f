"""A watchdog that looks at a small cluster, and the time of both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from tests.watchdog.wire import Cluster, standing

from kubedrill.kube.client import Kube
from kubedrill.watchdog.metrics import Tally
from kubedrill.watchdog.watchdog import Watchdog


class Hall:
    """The cluster, the watchdog, and the time of both."""

    error = timedelta(0)

    def __init__(self, cluster: Cluster, kube: Kube) -> None:
        self.cluster, self.kube, self.tally = cluster, kube, Tally()
        self.dog = self.started()

    def started(self) -> Watchdog:
        """A watchdog that has seen nothing yet."""
        return Watchdog(self.kube, self, "drills", self.tally, self.seconds)

    def now(self) -> datetime:
        return self.cluster.now

    def seconds(self) -> float:
        return self.cluster.now.timestamp()

    async def looks(self, *, seconds: float = 0, every: float = 2, beating: bool = False) -> None:
        """Looks until that time has passed, the last one at its end."""
        for _ in range(int(seconds / every) + 1):
            if beating:
                self.cluster.beat()
            await self.dog.look()
            await self.dog.settle()
            self.cluster.passes(seconds=every)

    def metrics(self) -> str:
        return self.tally.text().decode()


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    async with standing() as (cluster, kube):
        yield Hall(cluster, kube)

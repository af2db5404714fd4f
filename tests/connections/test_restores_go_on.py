"""Forty drills are held, twenty in play, every ordinary request hangs: what is to be put back is put back."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from aiohttp import web
from tests.undo.builders import NOON
from tests.watchdog.wire import Cluster
from tests.wire import connected_to

from kubedrill.core.paths import ApiPath
from kubedrill.kube.lanes import CONNECTIONS, Lane
from kubedrill.kube.paths import PODS
from kubedrill.protocol.lease import beat
from kubedrill.protocol.outcomes import Reversal
from kubedrill.protocol.revert import revert
from kubedrill.store.undo_records import list_records

WATCHES_OF_ONE = 6
HANGS = ApiPath("/hangs")


class Busy(Cluster):
    """Its watches stand, and one path is never answered; `under_way` counts both."""

    def __init__(self) -> None:
        super().__init__()
        self.under_way = 0
        self.over = asyncio.Event()
        self.hanging[HANGS] = self.over

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if "watch" not in request.query and request.path != HANGS:
            return await super().answer(request)
        self.under_way += 1
        if request.path == HANGS:
            await self.over.wait()
            return web.json_response({})
        stream = web.StreamResponse()
        await stream.prepare(request)
        await self.over.wait()
        return stream


class Still:
    error = timedelta(0)

    def now(self):
        return NOON


async def test_a_fault_is_put_back_and_the_heart_beats_while_all_else_is_taken():
    cluster = Busy()
    cluster.fault()
    cluster.drill()
    async with connected_to(cluster.answer) as kube:

        async def watched() -> None:
            async for _ in kube.watch(PODS.everywhere, "1"):
                pass

        watches, hanging = 20 * WATCHES_OF_ONE, CONNECTIONS[Lane.ORDINARY]
        work: list[asyncio.Task[Any]] = [asyncio.create_task(watched()) for _ in range(watches)]
        work += [asyncio.create_task(kube.get(HANGS, timeout=60)) for _ in range(2 * hanging)]
        async with asyncio.timeout(20):
            while cluster.under_way < watches + hanging:  # noqa: ASYNC110  the server is at the wire
                await asyncio.sleep(0.01)
        async with asyncio.timeout(10):
            (stored,) = (await list_records(kube.restoring, "drills")).readable
            outcome = await revert(kube, stored.ref, "Operator", Still())
            answer = await beat(kube.on(Lane.HEARTBEAT), "drills", "me", NOON)
        assert (outcome.state, cluster.limit, answer.ok) == (Reversal.REVERTED, "128Mi", True)
        assert cluster.under_way == watches + hanging
        cluster.over.set()
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)

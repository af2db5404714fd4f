"""However many watches stand and however many requests hang, what restores finds a connection."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from kubernetes.aio.client import Configuration
from tests.machine.world import START
from tests.wire import connected_to

from kubedrill.core.paths import ApiPath
from kubedrill.kube import client
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.lanes import CONNECTIONS, Lane
from kubedrill.kube.paths import PODS, SERVER_VERSION
from kubedrill.protocol.lease import beat

HANGS = ApiPath("/hangs")


class Server:
    """Watches stand until they are cut, `/hangs` is never answered, everything else at once."""

    def __init__(self) -> None:
        self.watches = self.hanging = 0
        self.tokens: list[str] = []
        self.changed = asyncio.Event()
        self.over = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.tokens.append(request.headers.get("Authorization", ""))
        if "watch" in request.query:
            response = web.StreamResponse()
            await response.prepare(request)
            self.watches += 1
            self.changed.set()
            await self.over.wait()
            return response
        if request.path == HANGS:
            self.hanging += 1
            self.changed.set()
            await self.over.wait()
        return web.json_response({})

    async def until(self, *, watches: int = 0, hanging: int = 0) -> None:
        """Until so many stand and hang at the same time."""
        async with asyncio.timeout(20):
            while (self.watches, self.hanging) != (watches, hanging):
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def kube(server: Server) -> AsyncIterator[Kube]:
    async with connected_to(server.answer) as kube:
        yield kube
        server.over.set()


async def watched(kube: Kube) -> None:
    async for _ in kube.watch(PODS.everywhere, "1"):
        pass


@asynccontextmanager
async def under_way(*work) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("drills", [16, 17, 60])
async def test_watches_of_many_drills_hold_up_no_call(server: Server, kube: Kube, drills: int):
    """F14: from the seventeenth drill on its six watches used up all connections: every call timed out, for good."""
    async with under_way(*(watched(kube) for _ in range(6 * drills))):
        await server.until(watches=6 * drills)
        assert (await kube.get(SERVER_VERSION, timeout=2)).ok
        assert (await kube.restoring.get(SERVER_VERSION, timeout=2)).ok
        assert (await beat(kube.on(Lane.HEARTBEAT), "drills", "me", START)).ok


@pytest.mark.parametrize("lane", [Lane.ORDINARY, Lane.TURNS])
async def test_requests_that_hang_hold_up_neither_a_restore_nor_the_heartbeat(server: Server, kube: Kube, lane: Lane):
    most = CONNECTIONS[lane]
    async with under_way(*(kube.on(lane).get(HANGS, timeout=20) for _ in range(most + 30))):
        await server.until(hanging=most)
        assert (await kube.restoring.get(SERVER_VERSION, timeout=2)).ok
        assert (await kube.on(Lane.HEARTBEAT).get(SERVER_VERSION, timeout=2)).ok


async def test_restores_that_hang_do_not_hold_up_the_heartbeat(server: Server, kube: Kube):
    most = CONNECTIONS[Lane.RESTORING]
    async with under_way(*(kube.restoring.get(HANGS, timeout=20) for _ in range(most))):
        await server.until(hanging=most)
        assert (await kube.on(Lane.HEARTBEAT).get(SERVER_VERSION, timeout=2)).ok


async def test_who_gets_no_connection_waits_no_longer_than_its_own_time_and_says_so(server: Server, kube: Kube):
    most = CONNECTIONS[Lane.ORDINARY]
    async with under_way(*(kube.get(HANGS, timeout=20) for _ in range(most))):
        await server.until(hanging=most)
        with pytest.raises(Unreachable, match=f"no free connection within 0.05 s: all {most} for ordinary requests"):
            await kube.get(SERVER_VERSION, timeout=0.05)


async def test_a_watch_that_gets_no_connection_says_so(server: Server, kube: Kube, monkeypatch: pytest.MonkeyPatch):
    most = CONNECTIONS[Lane.WATCHES]
    async with under_way(*(watched(kube) for _ in range(most))):
        await server.until(watches=most)
        monkeypatch.setattr(client, "REQUEST_TIMEOUT", 0.05)
        with pytest.raises(Unreachable, match=f"no free connection within 0.05 s: all {most} for watches"):
            await watched(kube)


async def test_a_connection_that_was_given_back_is_free_for_the_next(kube: Kube):
    most = CONNECTIONS[Lane.HEARTBEAT]
    beating = kube.on(Lane.HEARTBEAT)
    for _ in range(3 * most):
        with pytest.raises(Unreachable):
            await beating.get(HANGS, timeout=0.02)
    assert (await beating.get(SERVER_VERSION, timeout=2)).ok


async def test_the_server_never_sees_more_connections_than_are_stated(server: Server, kube: Kube):
    most = CONNECTIONS[Lane.RESTORING]
    async with under_way(*(kube.restoring.get(HANGS, timeout=20) for _ in range(3 * most))):
        await server.until(hanging=most)
        with pytest.raises(Unreachable, match="no free connection"):
            await kube.restoring.get(SERVER_VERSION, timeout=0.1)
        assert server.hanging == most


async def test_how_long_the_server_has_been_silent_is_known(kube: Kube):
    kube._answered_at -= 100
    assert kube.silent_for > timedelta(seconds=99)
    await kube.restoring.get(SERVER_VERSION)
    assert kube.silent_for < timedelta(seconds=99)


async def test_credentials_that_are_renewed_are_renewed_for_every_lane(server: Server, kube: Kube):
    """The in-cluster token changes every hour, and is put in place by whichever lane needs it first."""
    renewed: list[int] = []

    def renew(config: Configuration) -> None:
        if not renewed:
            renewed.append(1)
            config.api_key["BearerToken"] = "Bearer new"

    config = kube._template.configuration
    config.api_key["BearerToken"] = "Bearer old"
    config.refresh_api_key_hook = renew
    for lane in Lane:
        await kube.on(lane).get(SERVER_VERSION)
    assert set(server.tokens) == {"Bearer new"}


def test_the_limits_are_those_of_the_reference():
    whole = (Path(__file__).parents[2] / "docs/reference/limits.md").read_text(encoding="utf-8")
    page = whole.partition("## Drills")[0]
    stated = dict(re.findall(r"^\| ([a-z ]+) \| (\d+) \|", page, re.MULTILINE))
    assert stated == {lane.value: str(most) for lane, most in CONNECTIONS.items()}
    assert f"at most {sum(CONNECTIONS.values())} connections" in page

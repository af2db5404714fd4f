"""An API server at the wire: it answers what a test says, and a connection to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from kubernetes.aio.client import Configuration

from kubedrill.kube.client import Kube
from kubedrill.kube.servers import client_for

AT_ONCE = 0.001
"""Seconds that a server leaves what it still answers when its test is over: nobody is there any more. 0 is for ever."""

MANY = 1024
"""So many connections may be asked for at once. One that finds no place asks again after a second."""


@asynccontextmanager
async def connected_to(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[Kube]:
    """A connection to a server that answers every request with `answer`."""
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=AT_ONCE)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=MANY)
    await site.start()
    kube = Kube(client_for(Configuration(host=f"http://127.0.0.1:{runner.addresses[0][1]}")))
    try:
        yield kube
    finally:
        await kube.close()
        await runner.cleanup()

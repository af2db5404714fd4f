"""The watchdog's HTTP server: health and metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from kubedrill.watchdog.metrics import Tally

GRACE: Final = 2.0


def make_app(tally: Tally, trouble: Callable[[], str]) -> web.Application:
    """The web application. `trouble` is why the watchdog is not healthy; empty when it is."""

    async def healthz(_request: web.Request) -> web.Response:
        why = trouble()
        return web.Response(text=f"{why or 'ok'}\n", status=503 if why else 200)

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=tally.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/metrics", metrics)])
    return app


@asynccontextmanager
async def serving(app: web.Application, port: int, host: str = "0.0.0.0") -> AsyncIterator[int]:  # noqa: S104  a pod's
    """Serves the application for as long as the block runs; gives the port (another one for 0)."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=GRACE)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()

"""The operator's HTTP server: the channels' webhooks, metrics, liveness and readiness.

Whoever calls a webhook is verified before the body is read. What it brings is stored with the drills that it is about
before it is answered; what can't be stored soon is answered with 503, and the caller brings it again; what there is no
room for any more with 507. Only so many bytes of messages wait at a time. One that can't be read is refused and
counted, and never ends anything.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Final, Protocol

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from kubedrill.controller.metrics import DrillCollector
from kubedrill.controller.received import NotStored
from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import Fact
from kubedrill.kube.answers import NoAnswer, decoded
from kubedrill.kube.clock import ServerClock
from kubedrill.plugins.channels import discover
from kubedrill.plugins.channels.base import Arrival, Webhook
from kubedrill.plugins.webhook_addresses import EVERY_NAMESPACE

LOG = logging.getLogger(__name__)
MOST_BYTES: Final = 1024 * 1024
MOST_VALUES: Final = 50_000
GRACE: Final = 2.0
STORED_WITHIN: Final = 5.0
"""Seconds from a message's arrival to its answer, at the most; Alertmanager itself waits for ten at the least."""
BYTES_WAITING: Final = 16 * MOST_BYTES
"""Of the messages that are being stored at a time, as they say; one that does not say counts as `MOST_BYTES`."""
Deliver = Callable[[str, tuple[Fact, ...]], Awaitable[None]]
"""Stores facts for a target namespace. Raises NotStored."""
AboutOf = Callable[[str], Awaitable[About]]
Targets = Callable[[], Collection[str]]
"""The target namespaces of which a message may tell something. Raises NotStored while they are not known."""


class Ready(Protocol):
    """Tells what is missing for the operator to work; empty when nothing is."""

    def __call__(self) -> str:
        """What is missing."""


class Receiver:
    """The handlers: `deliver` stores the facts for a target namespace, `about` tells which alerts are about it.

    `targets` are the namespaces that a message for every namespace may be about. `messages` counts what came in.
    """

    def __init__(
        self,
        token: str,
        deliver: Deliver,
        about: AboutOf,
        collector: DrillCollector,
        ready: Ready,
        clock: ServerClock,
        targets: Targets,
    ) -> None:
        self._token, self._deliver, self._about, self._ready, self._clock = token, deliver, about, ready, clock
        self._targets = targets
        self.messages: Counter[str] = collector.messages
        self._waiting = 0
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(collector)
        ProcessCollector(registry=self._registry)

    async def receive(self, webhook: Webhook, request: web.Request) -> web.Response:
        """POST to a channel's route: what it tells of a target namespace."""
        received = self._clock.now()
        if not webhook.verified(request.headers, self._token):
            self.messages["refused"] += 1
            return web.json_response({"error": "the bearer token of the operator's Secret is needed"}, status=401)
        size = MOST_BYTES if request.content_length is None else min(request.content_length, MOST_BYTES)
        if self._waiting + size > BYTES_WAITING:
            return self._not_stored(NotStored("too many messages are waiting to be stored"))
        self._waiting += size
        try:
            async with asyncio.timeout(STORED_WITHIN):
                return await self._stored(webhook, request, received)
        except NotStored as why:
            return self._not_stored(why)
        except TimeoutError:
            return self._not_stored(NotStored(f"it could not be stored within {STORED_WITHIN:g} s"))
        finally:
            self._waiting -= size

    async def _stored(self, webhook: Webhook, request: web.Request, received: datetime) -> web.Response:
        """Reads a message and stores what it tells. Raises NotStored."""
        named = request.match_info["namespace"]
        try:
            _demand_utf8(request)
            message = decoded(await request.read(), MOST_VALUES)
            told = {
                namespace: webhook.read(message, Arrival(await self._about(namespace), received, self._clock.error))
                for namespace in (sorted(self._targets()) if named == EVERY_NAMESPACE else (named,))
            }
        except ValueError as wrong:
            self.messages["poison"] += 1
            LOG.warning("a webhook message can't be read: %s", str(wrong)[:200])
            return web.json_response({"error": str(wrong)[:200]}, status=400)
        await self._delivered({namespace: facts for namespace, facts in told.items() if facts or namespace == named})
        self.messages["accepted"] += 1
        return web.json_response({"facts": sum(len(facts) for facts in told.values())})

    async def _delivered(self, told: Mapping[str, tuple[Fact, ...]]) -> None:
        """Stores what is told of each namespace, whatever becomes of the others'. Raises NotStored."""
        ends = await asyncio.gather(*(self._deliver(*one) for one in told.items()), return_exceptions=True)
        wrong = [end for end in ends if end is not None]
        # what may still be stored when it is brought again comes first, so that it is
        for end in sorted(wrong, key=lambda end: isinstance(end, NotStored) and end.for_good):
            raise end

    def _not_stored(self, why: NotStored) -> web.Response:
        """Alertmanager tries a message again that is answered with a 5xx."""
        self.messages["unstored"] += 1
        what_now = "" if why.for_good else "; send it again"
        LOG.warning("a webhook message is not stored: %s%s", why, what_now)
        return web.json_response({"error": f"not stored: {why}{what_now}"}, status=507 if why.for_good else 503)

    async def metrics(self, _request: web.Request) -> web.Response:
        """GET /metrics: projected from the Drills at this moment."""
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def alive(self, _request: web.Request) -> web.Response:
        """GET /healthz: the event loop turns."""
        return web.Response(text="ok\n")

    async def readiness(self, _request: web.Request) -> web.Response:
        """GET /readyz: 503 with the reason while something is missing."""
        missing = self._ready()
        return web.Response(text=f"{missing or 'ok'}\n", status=503 if missing else 200)


def _demand_utf8(request: web.Request) -> None:
    """Raises Unanswered. JSON is UTF-8 (RFC 8259); who says otherwise does not mean JSON."""
    if (request.charset or "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise NoAnswer("the message's charset is not UTF-8")


def make_app(
    token: str,
    deliver: Deliver,
    about: AboutOf,
    collector: DrillCollector,
    ready: Ready,
    clock: ServerClock,
    targets: Targets = tuple,
) -> web.Application:
    """The operator's web application."""
    receiver = Receiver(token, deliver, about, collector, ready, clock, targets)
    app = web.Application(client_max_size=MOST_BYTES)
    app.add_routes(
        [
            *(
                web.post(channel.webhook.route, partial(receiver.receive, channel.webhook))
                for channel in discover().values()
                if channel.webhook
            ),
            web.get("/metrics", receiver.metrics),
            web.get("/healthz", receiver.alive),
            web.get("/readyz", receiver.readiness),
        ]
    )
    return app


@asynccontextmanager
async def serve(app: web.Application, port: int, host: str = "0.0.0.0") -> AsyncIterator[int]:  # noqa: S104  a pod's
    """Serves the application for as long as the block runs; gives the port (another one for 0)."""
    # nobody's message is unfolded: a few bytes may hold gigabytes
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=GRACE, auto_decompress=False)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()

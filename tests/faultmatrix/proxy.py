"""A reverse proxy between an operator (or watchdog) and a real API server: it writes down every request and does
to some of them what the plan says.

Nothing is imitated: what is forwarded is done by the API server itself. What is not forwarded, or forwarded twice,
late, or answered wrongly, is what networks, load balancers and API servers have been seen to do.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from aiohttp import web
from tests.faultmatrix.actions import ACTIONS, Struck
from tests.faultmatrix.answers import cut, parsed, replied, said
from tests.faultmatrix.plan import BEFORE, COMMITTED, REPLIED, Rule
from tests.faultmatrix.requests import request_of
from tests.faultmatrix.rigging import Rigging
from tests.faultmatrix.streams import Watch
from tests.faultmatrix.trace import Traced
from yarl import URL

HOP: Final = frozenset(
    {
        "host",
        "connection",
        "transfer-encoding",
        "content-length",
        "content-encoding",
        "accept-encoding",
    }
)
Act = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Upstream:
    """The API server: its address and how it is trusted."""

    url: str
    trust: ssl.SSLContext | None


@dataclass
class Proxy:
    """One actor's way to the API server. `act` does what is not the proxy's: kill, freeze, and people's doings."""

    actor: str
    upstream: Upstream
    act: Act
    trace: list[Traced] = field(default_factory=list)
    rigging: Rigging | None = None
    port: int = 0
    _stale: dict[str, tuple[float, int, bytes]] = field(default_factory=dict)
    _watches: set[Watch] = field(default_factory=set)
    _late: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        """Listens on a port of its own on loopback."""
        connector = aiohttp.TCPConnector(ssl=self.upstream.trust or True, limit=0)
        # what is large comes compressed unless one asks that it does not, and bodies are passed on as they are
        self._client = aiohttp.ClientSession(
            connector=connector,
            headers={"Accept-Encoding": "identity"},
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None),
        )
        app = web.Application(client_max_size=32 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    async def stop(self) -> None:
        """Ends everything."""
        for task in self._late:
            task.cancel()
        for watch in list(self._watches):
            watch.cut()
        await self._runner.cleanup()
        await self._client.close()

    def rig(self, rigging: Rigging | None) -> None:
        """From now on these rules hold, and the trace begins anew."""
        self.rigging = rigging
        self.trace = []
        self._stale.clear()
        for watch in self._watches:
            watch.release()

    async def _handle(self, incoming: web.Request) -> web.StreamResponse:
        raw = await incoming.read()
        request = request_of(incoming.method, incoming.path, incoming.query, raw)
        traced = Traced(time.monotonic(), self.actor, request, incoming.raw_path)
        self.trace.append(traced)
        traced.rule = rule = self.rigging.take(self.actor, request) if self.rigging else None
        if request.kind.startswith("watch-"):
            return await self._watched(incoming, rule)
        told = await self._told(incoming, raw, traced, BEFORE)
        if told is not None:
            return told
        remembered = self._remembered(incoming)
        if remembered is not None:
            return web.Response(status=remembered[0], body=remembered[1], content_type="application/json")
        try:
            status, headers, body = await self.forward(incoming, raw)
        except (aiohttp.ClientError, OSError) as error:
            return said(502, f"the API server does not answer: {error!r}")
        traced.status, traced.done = status, 200 <= status < 300
        traced.answer = parsed(body) if request.is_write or request.kind == "get-target" else None
        told = await self._told(incoming, body, traced, COMMITTED)
        if told is not None:
            return told
        response = web.Response(status=status, headers=headers, body=body)
        await self._told(incoming, body, traced, REPLIED, response)
        return response

    async def _told(
        self, incoming: web.Request, raw: bytes, traced: Traced, moment: str, ready: web.Response | None = None
    ) -> web.StreamResponse | None:
        """Does what the rule says for this moment. A response ends the request; None lets it go on.

        `raw` is what there is by then: the request's body, or the answer's.
        """
        rule = traced.rule
        if rule is None or rule.when != moment:
            return None
        if ready is not None:
            await ready.prepare(incoming)
            await ready.write_eof()
        for action in rule.do:
            ended = await self._action(action, incoming, raw)
            if ended is not None:
                traced.status = 0 if moment == COMMITTED else traced.status
                return ended
        return None

    async def _action(self, action: str, incoming: web.Request, raw: bytes) -> web.StreamResponse | None:
        word, _, argument = action.partition(" ")
        if word in ACTIONS:
            return await ACTIONS[word](Struck(self, incoming, raw, argument))
        await self.act(action)
        return cut(incoming) if word == "kill" else None

    async def forward(self, incoming: web.Request, raw: bytes) -> tuple[int, dict[str, str], bytes]:
        """Has the API server do it: status, headers and body of its answer, as they are."""
        headers = {k: v for k, v in incoming.headers.items() if k.lower() not in HOP}
        url = self._url(incoming.raw_path)
        async with self._client.request(incoming.method, url, data=raw or None, headers=headers) as answer:
            body = await answer.read()
            kept = {k: v for k, v in answer.headers.items() if k.lower() not in HOP}
            return answer.status, kept, body

    async def looked_up(self, incoming: web.Request, path: str) -> tuple[int, bytes]:
        """What the API server says of a path just now, to whoever sent this request."""
        headers = {k: v for k, v in incoming.headers.items() if k.lower() not in {*HOP, "content-type"}}
        async with self._client.get(self._url(path), headers=headers) as answer:
            return answer.status, await answer.read()

    async def remember(self, incoming: web.Request, path: str, seconds: float) -> None:
        """From now on and for so long, this read gives what it gives now."""
        status, body = await self.looked_up(incoming, path)
        self._stale[path] = (time.monotonic() + seconds, status, body)

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Goes on beside the request, until the proxy ends."""
        task = asyncio.create_task(work)
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    def upset(self, word: str, seconds: float) -> None:
        """Holds, drops or cuts the events of every watch that stands, for so long."""
        for watch in list(self._watches):
            watch.upset(word, seconds)

    def _remembered(self, incoming: web.Request) -> tuple[int, bytes] | None:
        until, status, body = self._stale.get(incoming.raw_path, (0.0, 0, b""))
        if incoming.method != "GET" or time.monotonic() > until:
            return None
        return status, body

    async def _watched(self, incoming: web.Request, rule: Rule | None) -> web.StreamResponse:
        """Passes a watch's events on, as the rule lets them."""
        action = rule.do[0] if rule else ""
        if action.startswith("reply"):
            return replied(action.partition(" ")[2])
        watch = Watch(action)
        self._watches.add(watch)
        headers = {k: v for k, v in incoming.headers.items() if k.lower() not in HOP}
        try:
            async with self._client.get(self._url(incoming.raw_path), headers=headers) as answer:
                out = web.StreamResponse(status=answer.status, headers={"Content-Type": "application/json"})
                await out.prepare(incoming)
                await watch.carry(answer.content, out)
                return out
        except (aiohttp.ClientError, OSError, ConnectionError):
            return cut(incoming)
        finally:
            self._watches.discard(watch)

    def _url(self, path: str) -> URL:
        return URL(self.upstream.url + path, encoded=True)

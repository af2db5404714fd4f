"""A reverse proxy between an operator (or watchdog) and a real API server: it writes down every request and does
to some of them what the plan says.

Nothing is imitated: what is forwarded is done by the API server itself. What is not forwarded, or forwarded twice,
late, or answered wrongly, is what networks, load balancers and API servers have been seen to do.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from aiohttp import web

from tests.faultmatrix.plan import BEFORE, COMMITTED, REPLIED, Rule
from tests.faultmatrix.requests import Request, request_of
from tests.faultmatrix.rigging import Rigging
from tests.faultmatrix.streams import Watch

HOP: Final = frozenset({"host", "connection", "transfer-encoding", "content-length", "content-encoding", "accept-encoding"})
REASONS: Final = {
    401: "Unauthorized", 403: "Forbidden", 409: "Conflict", 410: "Expired", 413: "RequestEntityTooLarge",
    422: "Invalid", 429: "TooManyRequests", 500: "InternalError", 502: "", 503: "ServiceUnavailable", 504: "Timeout",
}
Act = Callable[[str, Request], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Upstream:
    """The API server: its address and how it is trusted."""

    url: str
    trust: ssl.SSLContext | None


@dataclass
class Traced:
    """A request and what became of it. `status` 0: nobody was answered; `done`: the API server has committed it."""

    at: float
    actor: str
    request: Request
    raw_path: str = ""
    status: int = 0
    done: bool = False
    answer: Any = None
    rule: Rule | None = None


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
        self._client = aiohttp.ClientSession(connector=connector, headers={"Accept-Encoding": "identity"},
                                             auto_decompress=False, timeout=aiohttp.ClientTimeout(total=None))
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
            return await self._watched(incoming, request, rule)
        told = await self._told(incoming, raw, traced, BEFORE)
        if told is not None:
            return told
        remembered = self._remembered(incoming)
        if remembered is not None:
            return web.Response(status=remembered[0], body=remembered[1], content_type="application/json")
        try:
            status, headers, body = await self._forward(incoming, raw)
        except (aiohttp.ClientError, OSError) as error:
            return self._said(502, f"the API server does not answer: {error!r}")
        traced.status, traced.done = status, 200 <= status < 300
        traced.answer = _read(body) if request.is_write or request.kind == "get-target" else None
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
            ended = await self._action(action, incoming, raw, traced)
            if ended is not None:
                traced.status = 0 if moment == COMMITTED else traced.status
                return ended
        return None

    async def _action(
        self, action: str, incoming: web.Request, raw: bytes, traced: Traced
    ) -> web.StreamResponse | None:
        word, _, argument = action.partition(" ")
        match word:
            case "reply":
                return self._replied(argument)
            case "reset":
                return _cut(incoming)
            case "truncate":
                return await _truncated(incoming, raw)
            case "pretend":
                return await self._pretended(incoming)
            case "delay":
                await asyncio.sleep(float(argument))
            case "twice":
                await self._forward(incoming, await incoming.read())
            case "late":
                self._later(incoming, await incoming.read(), float(argument))
            case "stale":
                await self._remember(incoming, incoming.raw_path, float(argument))
            case "stale-all":
                kind, _, seconds = argument.partition(" ")
                paths = {t.raw_path for t in self.trace if t.request.kind == kind}
                await asyncio.gather(*(self._remember(incoming, path, float(seconds)) for path in paths))
            case "hold-watches" | "drop-events" | "cut-watches":
                self._upset(word, float(argument or 0))
            case _:
                await self.act(action, traced.request)
                if word == "kill":
                    return _cut(incoming)
        return None

    async def _forward(self, incoming: web.Request, raw: bytes) -> tuple[int, dict[str, str], bytes]:
        headers = {k: v for k, v in incoming.headers.items() if k.lower() not in HOP}
        url = self.upstream.url + incoming.raw_path
        async with self._client.request(incoming.method, _encoded(url), data=raw or None, headers=headers) as answer:
            body = await answer.read()
            kept = {k: v for k, v in answer.headers.items() if k.lower() not in HOP}
            return answer.status, kept, body

    def _later(self, incoming: web.Request, raw: bytes, seconds: float) -> None:
        """The same request once more after a while: a packet that took the long way."""

        async def again() -> None:
            await asyncio.sleep(seconds)
            await self._forward(incoming, raw)

        task = asyncio.create_task(again())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _remember(self, incoming: web.Request, path: str, seconds: float) -> None:
        """From now on and for so long, this read gives what it gives now."""
        headers = {k: v for k, v in incoming.headers.items() if k.lower() not in {*HOP, "content-type"}}
        async with self._client.get(_encoded(self.upstream.url + path), headers=headers) as answer:
            self._stale[path] = (time.monotonic() + seconds, answer.status, await answer.read())

    def _remembered(self, incoming: web.Request) -> tuple[int, bytes] | None:
        until, status, body = self._stale.get(incoming.raw_path, (0.0, 0, b""))
        if incoming.method != "GET" or time.monotonic() > until:
            return None
        return status, body

    def _upset(self, word: str, seconds: float) -> None:
        for watch in list(self._watches):
            watch.upset(word, seconds)

    async def _watched(self, incoming: web.Request, request: Request, rule: Rule | None) -> web.StreamResponse:
        """Passes a watch's events on, as the rule lets them."""
        action = rule.do[0] if rule else ""
        if action.startswith("reply"):
            return self._replied(action.partition(" ")[2])
        watch = Watch(action)
        self._watches.add(watch)
        headers = {k: v for k, v in incoming.headers.items() if k.lower() not in HOP}
        try:
            async with self._client.get(_encoded(self.upstream.url + incoming.raw_path), headers=headers) as answer:
                out = web.StreamResponse(status=answer.status, headers={"Content-Type": "application/json"})
                await out.prepare(incoming)
                await watch.carry(answer.content, out)
                return out
        except (aiohttp.ClientError, OSError, ConnectionError):
            return _cut(incoming)
        finally:
            self._watches.discard(watch)

    async def _pretended(self, incoming: web.Request) -> web.Response:
        """Says that it is done, with the object as it is: nothing was done."""
        headers = {k: v for k, v in incoming.headers.items() if k.lower() not in {*HOP, "content-type"}}
        async with self._client.get(_encoded(self.upstream.url + incoming.raw_path), headers=headers) as answer:
            return web.Response(status=answer.status, body=await answer.read(), content_type="application/json")

    def _replied(self, argument: str) -> web.Response:
        status, _, retry = argument.partition(" ")
        return self._said(int(status), "said by the fault matrix", retry)

    @staticmethod
    def _said(status: int, message: str, retry: str = "") -> web.Response:
        """An answer in the API server's own form; a 502 in a load balancer's."""
        headers = {"Retry-After": retry} if retry else {}
        if not REASONS.get(status):
            return web.Response(status=status, text=f"<html>{message}</html>", headers=headers)
        body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
                "reason": REASONS[status], "code": status}
        return web.json_response(body, status=status, headers=headers)


def _cut(incoming: web.Request) -> web.Response:
    """The connection ends here, without an answer."""
    if incoming.transport is not None:
        incoming.transport.abort()
    return web.Response(status=500)


async def _truncated(incoming: web.Request, body: bytes) -> web.StreamResponse:
    """Half an answer, then nothing."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body) + 1)})
    await response.prepare(incoming)
    await response.write(body[: len(body) // 2])
    if incoming.transport is not None:
        incoming.transport.abort()
    return response


def _encoded(url: str) -> Any:
    from yarl import URL

    return URL(url, encoded=True)


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None

"""An API server at the wire that a test plays: what it lists, what its watches tell, and when they break."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from tests.wire import connected_to

from kubedrill.kube.client import Kube

CUT = object()
DEADLINE = 30.0


async def until(condition: Callable[[], Any]) -> Any:
    """Waits for a condition; fails when it does not come within the deadline."""
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110  any condition, not an event of ours
            await asyncio.sleep(0.005)
    return condition()


def thing(name: str, version: int, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": str(version)}, "spec": spec}


class Wire:
    """Collections by path. A watch gets what `tell` says; `cut` ends it without a word.

    Of a collection that is `turning`, the pages after the first come when that is set.
    """

    def __init__(self) -> None:
        self.items: dict[str, list[dict[str, Any]]] = {}
        self.version: dict[str, int] = {}
        self.refuse: dict[str, int] = {}
        self.asked: list[str] = []
        self.lists: list[str] = []
        self.watches: list[tuple[str, str]] = []
        self.expired = False
        self.page = 0
        self.turning: dict[str, asyncio.Event] = {}
        self.forgets_pages = 0
        self.gone: set[str] = set()
        self._live: dict[str, asyncio.Queue[Any]] = {}

    def put(self, path: str, version: int, *items: dict[str, Any]) -> None:
        self.items[path], self.version[path] = list(items), version

    async def tell(self, path: str, kind: str, item: Any) -> None:
        await until(lambda: path in self._live)
        self._live[path].put_nowait({"type": kind, "object": item})

    async def cut(self, path: str) -> None:
        await until(lambda: path in self._live)
        self._live[path].put_nowait(CUT)
        await until(lambda: path not in self._live)

    def watched(self, path: str) -> list[str]:
        """The resource versions from which a collection was watched."""
        return [version for p, version in self.watches if p == path]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        self.asked.append(path)
        if path in self.gone:
            plural, name = path.split("/")[-2:]
            return web.json_response({"reason": "NotFound", "details": {"kind": plural, "name": name}}, status=404)
        if path in self.refuse:
            return web.json_response({"kind": "Status", "message": "forbidden"}, status=self.refuse[path])
        if request.query.get("watch") != "true":
            self.lists.append(path)
            if request.query.get("continue") and path in self.turning:
                await self.turning[path].wait()
            return self._listed(path, int(request.query.get("continue") or 0))
        self.watches.append((path, request.query["resourceVersion"]))
        if self.expired:
            self.expired = False
            return web.json_response({"kind": "Status", "reason": "Expired", "message": "too old"}, status=410)
        return await self._stream(request, path)

    def _listed(self, path: str, begin: int) -> web.Response:
        """A list; of at most `page` items at a time where that is set. The next pages are forgotten so many times."""
        if begin and self.forgets_pages:
            self.forgets_pages -= 1
            return web.json_response({"kind": "Status", "reason": "Expired", "message": "the page is gone"}, status=410)
        items = self.items.get(path, [])
        end = begin + (self.page or len(items))
        metadata = {"resourceVersion": str(self.version.get(path, 1))}
        metadata |= {"continue": str(end)} if end < len(items) else {}
        return web.json_response({"items": items[begin:end], "metadata": metadata})

    async def _stream(self, request: web.Request, path: str) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        queue = self._live[path] = asyncio.Queue()
        try:
            while (event := await queue.get()) is not CUT:
                await response.write(json.dumps(event).encode() + b"\n")
            if request.transport:
                request.transport.abort()
        finally:
            self._live.pop(path, None)
        return response


@asynccontextmanager
async def standing() -> AsyncIterator[tuple[Wire, Kube]]:
    """The server and a connection to it."""
    wire = Wire()
    async with connected_to(wire.answer) as kube:
        yield wire, kube

"""An API server at the wire: objects by path, watches that tell each change, answers that a test chooses."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web
from tests.wire import AT_ONCE

from kubedrill.core.undo.operations import ABSENT
from kubedrill.core.undo.pointers import parent, put, read

GROUP = "/apis/kubedrill.dev/v1alpha1/namespaces"


class FakeApi:
    """Collections of objects. `requests` are those that came (method, path, body); `reviews` answer by their bodies.

    `refuses` may answer any of them in its own way, as a policy does; `made` may add to what is created, as an operator
    does in time.
    """

    def __init__(self) -> None:
        self.collections: dict[str, dict[str, dict[str, Any]]] = {}
        self.answers: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
        self.reviews: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {}
        self.made: Callable[[dict[str, Any]], dict[str, Any]] = lambda thing: thing
        self.refuses: Callable[[str, str, Any], tuple[int, dict[str, Any]] | None] = lambda *_: None
        self.requests: list[tuple[str, str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.queries: list[dict[str, str]] = []
        self.url = ""
        self._expected: list[tuple[Callable[[], object], Callable[[], object]]] = []
        self._failed: list[Exception] = []
        self._version = 100
        self._watchers: list[tuple[str, asyncio.Queue[dict[str, Any] | None]]] = []
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def put(self, collection: str, thing: dict[str, Any]) -> dict[str, Any]:
        """Store an object and tell the watches."""
        self._version += 1
        thing.setdefault("metadata", {})["resourceVersion"] = str(self._version)
        known = self.collections.setdefault(collection, {})
        kind = "MODIFIED" if thing["metadata"]["name"] in known else "ADDED"
        known[thing["metadata"]["name"]] = thing
        self._tell(collection, {"type": kind, "object": json.loads(json.dumps(thing))})
        return thing

    def remove(self, collection: str, name: str) -> None:
        """Remove an object and tell the watches."""
        thing = self.collections[collection].pop(name)
        self._tell(collection, {"type": "DELETED", "object": thing})

    def once(self, holds: Callable[[], object], act: Callable[[], object]) -> None:
        """As soon as something holds after a request, do something, once, as an operator would."""
        self._expected.append((holds, act))

    @property
    def is_watched(self) -> bool:
        """Whether a watch stands."""
        return bool(self._watchers)

    def bodies(self, method: str, path: str) -> list[Any]:
        """The bodies of the requests of one kind."""
        return [body for m, p, body in self.requests if (m, p) == (method, path)]

    def kubeconfig(self, folder: Path, namespace: str = "staging", *others: str) -> Path:
        """A kubeconfig that leads here, in its current context and in others of this cluster; one leads elsewhere."""
        file = folder / "kubeconfig"
        contexts = [("fake", namespace), *((f"fake-{other}", other) for other in others)]
        known = [{"name": n, "context": {"cluster": "fake", "user": "fake", "namespace": ns}} for n, ns in contexts]
        known.append({"name": "away", "context": {"cluster": "away", "user": "fake", "namespace": "away"}})
        file.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "fake",
                    "clusters": [{"name": "fake", "cluster": {"server": self.url}}],
                    "users": [{"name": "fake", "user": {"token": "secret"}}],
                    "contexts": known,
                }
            )
        )
        return file

    @contextlib.contextmanager
    def running(self) -> Iterator[FakeApi]:
        """Serve in a thread. What went wrong in `once` is raised at the end, and so is what never came to hold."""
        self._thread.start()
        assert self._started.wait(10)
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
        if self._failed:
            raise self._failed[0]
        assert not self._expected, "it never came to what was expected"

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._started.set()
        self._loop.run_forever()
        for _, queue in self._watchers:
            queue.put_nowait(None)
        self._loop.run_until_complete(self._runner.cleanup())
        self._loop.close()

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=AT_ONCE)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    def _tell(self, collection: str, event: dict[str, Any]) -> None:
        for watched, queue in list(self._watchers):
            if watched == collection:
                self._loop.call_soon_threadsafe(queue.put_nowait, event)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._answered(request)
        finally:
            self._go_on()

    def _go_on(self) -> None:
        """Do what was waiting for what holds now."""
        for expected in tuple(self._expected):
            holds, act = expected
            try:
                if holds():
                    self._expected.remove(expected)
                    act()
            except Exception as error:  # noqa: BLE001  it is raised where the test reads it
                self._failed.append(error)

    async def _answered(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        body = json.loads(raw) if raw else None
        self.requests.append((request.method, request.path, body))
        self.headers.append(dict(request.headers))
        self.queries.append(dict(request.query))
        chosen = self.answers.get((request.method, request.path)) or self.refuses(request.method, request.path, body)
        if chosen:
            return web.json_response(chosen[1], status=chosen[0])
        if request.path in self.reviews:
            return web.json_response(self.reviews[request.path](body or {}), status=201)
        if request.query.get("watch") == "true":
            return await self._watch(request)
        return self._stored(request, body)

    def _stored(self, request: web.Request, body: Any) -> web.Response:
        path = request.path
        if request.method == "GET" and path in self.collections:
            return web.json_response(
                {"items": self._selected(request), "metadata": {"resourceVersion": str(self._version)}}
            )
        collection, _, name = path.rpartition("/")
        if request.method == "POST":
            meta = body.setdefault("metadata", {})
            meta.setdefault("name", f"{meta.get('generateName', '')}{self._version}")
            meta["creationTimestamp"] = "2026-03-02T12:00:00Z"
            if meta["name"] in self.collections.get(path, {}):
                return _status(409, "AlreadyExists", f"{meta['name']} already exists")
            return web.json_response(self.put(path, self.made(body)), status=201)
        thing = self.collections.get(collection, {}).get(name)
        if thing is None and request.method == "PATCH" and "apply-patch" in request.content_type:
            return web.json_response(self.put(collection, body), status=201)
        if thing is None:
            return _not_found(collection.rpartition("/")[2], name)
        if request.method == "PATCH" and isinstance(body, list):
            changed = _patched(thing, body)
            return _status(422, "Invalid", "a test failed") if changed is None else self._done(collection, changed)
        if request.method == "PATCH":
            return web.json_response(self.put(collection, _merged(thing, body)))
        if request.method == "DELETE":
            self.remove(collection, name)
        return web.json_response(thing)

    def _done(self, collection: str, changed: dict[str, Any]) -> web.Response:
        return web.json_response(self.put(collection, changed))

    def _selected(self, request: web.Request) -> list[dict[str, Any]]:
        things = list(self.collections[request.path].values())
        field, _, wanted = request.query.get("fieldSelector", "").partition("=")
        if field == "type!":
            return [t for t in things if t.get("type") != wanted]
        if field == "metadata.name":
            things = [t for t in things if t["metadata"]["name"] == wanted]
        elif field == "type":
            things = [t for t in things if t.get("type") == wanted]
        for label in filter(None, request.query.get("labelSelector", "").split(",")):
            key, named, value = label.partition("=")
            labels = [t["metadata"].get("labels", {}) for t in things]
            things = [
                t for t, has in zip(things, labels, strict=True) if (has.get(key) == value if named else key in has)
            ]
        return things

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        entry = (request.path, queue)
        self._watchers.append(entry)
        seen = int(request.query["resourceVersion"])
        for thing in list(self.collections.get(request.path, {}).values()):
            if int(thing["metadata"]["resourceVersion"]) > seen:
                queue.put_nowait({"type": "MODIFIED", "object": thing})
        self._go_on()
        try:
            while (event := await queue.get()) is not None:
                await response.write(json.dumps(event).encode() + b"\n")
        except ConnectionError:
            return response
        finally:
            self._watchers.remove(entry)
        return response


def _status(code: int, reason: str, message: str) -> web.Response:
    status = {"kind": "Status", "status": "Failure", "reason": reason, "message": message}
    return web.json_response(status, status=code)


def _not_found(plural: str, name: str) -> web.Response:
    """A 404 about that very object."""
    details = {"kind": plural, "name": name}
    status = {
        "kind": "Status",
        "status": "Failure",
        "reason": "NotFound",
        "message": f"{plural} {name!r} not found",
        "details": details,
    }
    return web.json_response(status, status=404)


def _patched(thing: dict[str, Any], steps: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What a JSON Patch makes of an object; None when one of its tests fails."""
    changed = json.loads(json.dumps(thing))
    for step in steps:
        now = read(changed, step["path"])
        if step["op"] == "test":
            if (None if now is ABSENT else now) != step["value"]:
                return None
        elif step["path"] == "/metadata/resourceVersion" and now != step["value"]:
            return None
        elif step["op"] == "remove" and isinstance(holder := read(changed, parent(step["path"])), list):
            del holder[int(step["path"].rpartition("/")[2])]
        else:
            put(changed, step["path"], ABSENT if step["op"] == "remove" else step["value"])
    return changed


def _merged(thing: Any, patch: Any) -> Any:
    if not isinstance(patch, dict) or not isinstance(thing, dict):
        return patch
    merged = {k: _merged(thing.get(k), v) for k, v in patch.items() if v is not None}
    return {k: v for k, v in thing.items() if k not in patch} | merged

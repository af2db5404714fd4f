"""The API server over the official client's raw asyncio ApiClient: plain paths and plain dicts.

Typed APIs would cost 25 MB and a second of start-up, and drop fields that they don't know. No exception on
4xx: an answer is a status and a body, and what it means is decided where it is known what was asked.

Its connections are kept apart in lanes (`kube.lanes`), so that a restore waits for nobody else's.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from kubernetes.aio.client import ApiClient

from kubedrill.core.paths import ApiPath, demand_built
from kubedrill.kube.answers import read_up_to
from kubedrill.kube.lanes import Connections, Lane, Unreachable
from kubedrill.kube.servers import client_for, settings_for

__all__ = ["APPLY_PATCH", "JSON_PATCH", "MERGE_PATCH", "Answer", "Kube", "Unreachable"]
APPLY_PATCH = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
REQUEST_TIMEOUT = 15
OnAnswer = Callable[[str, float, float], None]
"""Told of every answer: its `Date`, and the monotonic seconds at which it was asked for and its head came."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API server said: HTTP status, JSON body and its own time (`Date` header, whole seconds).

    `retry_after` is for how long it wants to be left alone, zero when it does not say.
    """

    status: int
    body: dict[str, Any]
    date: str = ""
    retry_after: timedelta = timedelta(0)

    @property
    def ok(self) -> bool:
        """Whether it is a 2xx."""
        return 200 <= self.status < 300

    @property
    def reason(self) -> str:
        """The Status object's reason, e.g. AlreadyExists."""
        return str(self.body.get("reason", ""))

    @property
    def message(self) -> str:
        """The Status object's message, cut: strict decoding errors echo the whole object."""
        return str(self.body.get("message", ""))[:500]


class Kube:
    """A connection to one API server. Use `await Kube.connect()`; close it with `await kube.close()`.

    `restoring` is the same server over the connections that are kept for restores.
    """

    def __init__(self, api: ApiClient) -> None:
        self._template = api
        self._lanes: dict[Lane, Connections] = {}
        self._answered_at = time.monotonic()
        self.on_answer: OnAnswer = _nobody

    @classmethod
    async def connect(cls, context: str | None = None, as_user: str | None = None, as_group: str | None = None) -> Kube:
        """In a pod by its ServiceAccount, elsewhere by the kubeconfig (KUBECONFIG, then ~/.kube/config).

        A `context` always means the kubeconfig's. `as_user` (and with it `as_group`) is impersonated, as by
        kubectl's `--as` and `--as-group`.
        """
        api = client_for(await settings_for(context))
        if as_user:
            api.set_default_header("Impersonate-User", as_user)
        if as_user and as_group:
            api.set_default_header("Impersonate-Group", as_group)
        return cls(api)

    async def close(self) -> None:
        """End the connection."""
        await self._template.close()
        for connections in self._lanes.values():
            await connections.api.close()

    def on(self, lane: Lane) -> Kube:
        """The same server, with every request over the connections of a lane."""
        return _OnLane(self, lane)

    @property
    def restoring(self) -> Kube:
        """For what puts back: reverts, undo records, status, finalizer. It waits for nobody else's requests."""
        return self.on(Lane.RESTORING)

    @property
    def silent_for(self) -> timedelta:
        """For how long the API server has given no answer, to anything that was asked of it."""
        return timedelta(seconds=time.monotonic() - self._answered_at)

    async def call(
        self,
        method: str,
        path: ApiPath,
        body: Any = None,
        *,
        content_type: str = "application/json",
        query: Sequence[tuple[str, str]] = (),
        timeout: float = REQUEST_TIMEOUT,
        headers: Mapping[str, str] | None = None,
        lane: Lane = Lane.ORDINARY,
    ) -> Answer:
        """One request.

        Raises:
            Unreachable: there was no answer, or no free connection within `timeout`.
            BadName: the path is none that was made of names (`kube.paths`). Nothing was sent.
        """
        demand_built(path)
        connections = self._of(lane)
        async with connections.one(f"{method} {path}", timeout) as left:
            try:
                response = await self._send(connections.api, method, path, body, content_type, query, left, headers)
                raw = await response.read()
            except (OSError, TimeoutError) as error:
                raise Unreachable(f"{method} {path}: {error!r}") from error
            except Exception as error:
                if type(error).__module__.startswith("aiohttp"):
                    raise Unreachable(f"{method} {path}: {error!r}") from error
                raise
        told = response.headers
        return Answer(
            int(response.status),
            _decoded(raw),
            str(told.get("Date", "")),
            _retry_after(str(told.get("Retry-After", ""))),
        )

    async def get(self, path: ApiPath, **kwargs: Any) -> Answer:
        """GET."""
        return await self.call("GET", path, **kwargs)

    async def get_of_stranger(
        self, path: ApiPath, query: Sequence[tuple[str, str]] = (), *, most: int, timeout: float = REQUEST_TIMEOUT
    ) -> tuple[int, bytes]:
        """GET of what the API server only passes on, as its proxy to a Service does: the status, and the bare body.

        Raises:
            Unreachable: there was no answer.
            Unanswered: it has more than `most` bytes.
            BadName: the path is none that was made of names. Nothing was sent.
        """
        demand_built(path)
        connections = self._of(Lane.ORDINARY)
        async with connections.one(f"GET {path}", timeout) as left:
            try:
                response = await self._send(connections.api, "GET", path, None, "application/json", query, left, None)
                try:
                    return int(response.status), await read_up_to(response.content.iter_any(), most)
                finally:
                    response.close()
            except Exception as error:
                if isinstance(error, OSError | TimeoutError) or type(error).__module__.startswith("aiohttp"):
                    raise Unreachable(f"GET {path}: {type(error).__name__}") from error
                raise

    async def watch(
        self,
        path: ApiPath,
        resource_version: str,
        query: Sequence[tuple[str, str]] = (),
        timeout: int = 300,
        opened: Callable[[], None] = lambda: None,
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The events of a watch until it ends (normally after `timeout` seconds). Raises Unreachable.

        `opened` is called when the watch stands: from then on events come without delay. A path that was not made
        of names raises BadName, as it does in `call`.
        """
        demand_built(path)
        params = [
            *query,
            ("watch", "true"),
            ("resourceVersion", resource_version),
            ("allowWatchBookmarks", "true"),
            ("timeoutSeconds", str(timeout)),
        ]
        connections = self._of(Lane.WATCHES)
        async with connections.one(f"watch {path}", REQUEST_TIMEOUT):
            response = None
            try:
                response = await self._send(
                    connections.api, "GET", path, None, "application/json", params, timeout + 15, None
                )
                if response.status != 200:
                    yield {"type": "ERROR", "object": _decoded(await response.read()) | {"code": response.status}}
                    return
                opened()
                buffer = b""
                async for chunk in response.content.iter_any():
                    buffer += chunk
                    *lines, buffer = buffer.split(b"\n")
                    for line in lines:
                        if line.strip():
                            yield json.loads(line)
            except Exception as error:
                # A stream is cut anywhere: in a chunk (aiohttp's own errors), in a line (no JSON).
                aiohttps = type(error).__module__.startswith("aiohttp")
                if isinstance(error, OSError | TimeoutError | ValueError) or aiohttps:
                    raise Unreachable(f"watch {path}: {error!r}") from error
                raise
            finally:
                if response is not None:
                    response.close()

    def _of(self, lane: Lane) -> Connections:
        """A lane's connections, made when the first is needed."""
        if lane not in self._lanes:
            self._lanes[lane] = Connections(lane, self._template)
        return self._lanes[lane]

    async def _send(
        self,
        api: ApiClient,
        method: str,
        path: ApiPath,
        body: Any,
        content_type: str,
        query: Sequence[tuple[str, str]],
        timeout: float,
        headers: Mapping[str, str] | None,
    ) -> Any:
        request = await api.param_serialize(
            method,
            path,
            query_params=list(query),
            body=body,
            auth_settings=["BearerToken"],
            header_params={"Accept": "application/json", "Content-Type": content_type} | dict(headers or {}),
        )
        sent = time.monotonic()
        answer = await api.call_api(*request, _request_timeout=timeout)
        response = getattr(answer, "response", answer)
        self._answered_at = time.monotonic()
        self.on_answer(str(response.headers.get("Date", "")), sent, self._answered_at)
        return response


class _OnLane(Kube):
    """A view of a connection: every request goes over one lane."""

    def __init__(self, whole: Kube, lane: Lane) -> None:
        self._whole, self._lane = whole, lane

    def on(self, lane: Lane) -> Kube:
        return self if lane is self._lane else self._whole.on(lane)

    async def call(self, method: str, path: ApiPath, body: Any = None, **kwargs: Any) -> Answer:
        return await self._whole.call(method, path, body, **kwargs, lane=self._lane)

    @property
    def silent_for(self) -> timedelta:
        return self._whole.silent_for

    def watch(
        self, path: ApiPath, resource_version: str, *args: Any, **kwargs: Any
    ) -> AsyncGenerator[dict[str, Any], None]:
        return self._whole.watch(path, resource_version, *args, **kwargs)

    async def close(self) -> None:
        await self._whole.close()


def _nobody(_date: str, _sent: float, _received: float) -> None:
    """Nobody wants to be told."""


def _retry_after(header: str) -> timedelta:
    """Whole seconds, as the API server says them; anything else says nothing."""
    said = header.isascii() and header.isdigit() and len(header) < 10
    return timedelta(seconds=int(header)) if said else timedelta(0)


def _decoded(raw: bytes) -> dict[str, Any]:
    """The body as JSON; a proxy's plain text becomes a Status-like message."""
    try:
        body = json.loads(raw)
    except ValueError:
        return {"kind": "Status", "message": raw[:500].decode("utf-8", "replace")}
    return body if isinstance(body, dict) else {"items": body}

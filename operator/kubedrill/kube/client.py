"""The API server over the official client's raw asyncio ApiClient: plain paths and plain dicts.

Typed APIs would cost 25 MB and a second of start-up, and drop fields that they don't know. No exception on
4xx: an answer is a status and a body, and what it means is decided where it is known what was asked.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import load_incluster_config, load_kube_config

from kubedrill.core.paths import ApiPath, demand_built

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
REQUEST_TIMEOUT = 15
OnAnswer = Callable[[str, float, float], None]
"""Told of every answer: its `Date`, and the monotonic seconds at which it was asked for and its head came."""


class Unreachable(Exception):
    """No answer: the connection failed, was cut or timed out. Whether the request was done is unknown."""


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
    """A connection to one API server. Use `await Kube.connect()`; close it with `await kube.close()`."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api
        self.requests = 0
        self.on_answer: OnAnswer = _nobody

    @classmethod
    async def connect(
        cls, context: str | None = None, as_user: str | None = None, as_group: str | None = None
    ) -> Kube:
        """In a pod by its ServiceAccount, elsewhere by the kubeconfig (KUBECONFIG, then ~/.kube/config).

        A `context` always means the kubeconfig's. `as_user` (and with it `as_group`) is impersonated, as by
        kubectl's `--as` and `--as-group`.
        """
        config = Configuration()
        if context is not None or not await _is_pod(config):
            # the client reads KUBECONFIG once, at its import
            file = os.environ.get("KUBECONFIG")
            await load_kube_config(config_file=file, context=context, client_configuration=config)
        api = ApiClient(config)
        if as_user:
            api.set_default_header("Impersonate-User", as_user)
        if as_user and as_group:
            api.set_default_header("Impersonate-Group", as_group)
        return cls(api)

    async def close(self) -> None:
        """End the connection."""
        await self._api.close()

    async def call(
        self, method: str, path: ApiPath, body: Any = None, *, content_type: str = "application/json",
        query: Sequence[tuple[str, str]] = (), timeout: float = REQUEST_TIMEOUT,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request.

        Raises:
            Unreachable: there was no answer.
            BadName: the path is none that was made of names (`kube.paths`). Nothing was sent.
        """
        demand_built(path)
        self.requests += 1
        try:
            response = await self._send(method, path, body, content_type, query, timeout, headers)
            raw = await response.read()
        except (OSError, TimeoutError) as error:
            raise Unreachable(f"{method} {path}: {error!r}") from error
        except Exception as error:
            if type(error).__module__.startswith("aiohttp"):
                raise Unreachable(f"{method} {path}: {error!r}") from error
            raise
        told = response.headers
        return Answer(int(response.status), _decoded(raw), str(told.get("Date", "")),
                      _retry_after(str(told.get("Retry-After", ""))))

    async def get(self, path: ApiPath, **kwargs: Any) -> Answer:
        """GET."""
        return await self.call("GET", path, **kwargs)

    async def watch(
        self, path: ApiPath, resource_version: str, query: Sequence[tuple[str, str]] = (), timeout: int = 300,
        opened: Callable[[], None] = lambda: None,
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The events of a watch until it ends (normally after `timeout` seconds). Raises Unreachable.

        `opened` is called when the watch stands: from then on events come without delay. A path that was not made
        of names raises BadName, as it does in `call`.
        """
        demand_built(path)
        params = [*query, ("watch", "true"), ("resourceVersion", resource_version),
                  ("allowWatchBookmarks", "true"), ("timeoutSeconds", str(timeout))]
        self.requests += 1
        response = None
        try:
            response = await self._send("GET", path, None, "application/json", params, timeout + 15, None)
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
            if isinstance(error, OSError | TimeoutError | ValueError) or type(error).__module__.startswith("aiohttp"):
                raise Unreachable(f"watch {path}: {error!r}") from error
            raise
        finally:
            if response is not None:
                response.close()

    async def _send(
        self, method: str, path: ApiPath, body: Any, content_type: str, query: Sequence[tuple[str, str]],
        timeout: float, headers: Mapping[str, str] | None,
    ) -> Any:
        request = await self._api.param_serialize(
            method, path, query_params=list(query), body=body, auth_settings=["BearerToken"],
            header_params={"Accept": "application/json", "Content-Type": content_type} | dict(headers or {}),
        )
        sent = time.monotonic()
        answer = await self._api.call_api(*request, _request_timeout=timeout)
        response = getattr(answer, "response", answer)
        self.on_answer(str(response.headers.get("Date", "")), sent, time.monotonic())
        return response


def _nobody(_date: str, _sent: float, _received: float) -> None:
    """Nobody wants to be told."""


async def _is_pod(config: Configuration) -> bool:
    """Whether this is a pod with a ServiceAccount; the configuration is then filled in."""
    try:
        loaded = load_incluster_config(client_configuration=config)
        if asyncio.iscoroutine(loaded):
            await loaded
    except Exception:  # noqa: BLE001  the client has no common error for "not in a cluster"
        return False
    return True


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

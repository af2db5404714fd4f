"""HTTP to Prometheus and Alertmanager: directly, or through the API server's service proxy.

An operator in the cluster asks the Service itself; one that runs elsewhere (and most tests) has only the API
server. Both give the same answer: a status and JSON, or Unreachable.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import aiohttp

from kubedrill.core.conduct import Endpoint
from kubedrill.core.paths import service_host
from kubedrill.kube.client import Answer, Kube, Unreachable
from kubedrill.kube.paths import through_service

TIMEOUT: Final = 3.0
MOST_BYTES: Final = 32 * 1024 * 1024


class Fetch(Protocol):
    """One GET at a Service of the cluster. Raises Unreachable."""

    async def __call__(self, endpoint: Endpoint, path: str, query: Sequence[tuple[str, str]] = ()) -> Answer:
        """The answer, whatever its status."""


def in_cluster(endpoint: Endpoint) -> str:
    """A Service's address within the cluster."""
    return f"http://{service_host(endpoint.name, endpoint.namespace)}:{endpoint.port}"


class WebClient:
    """Asks the Service itself; `resolve` gives its base URL."""

    def __init__(self, resolve: Callable[[Endpoint], str] = in_cluster, timeout: float = TIMEOUT) -> None:
        self._resolve, self._timeout = resolve, aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, endpoint: Endpoint, path: str, query: Sequence[tuple[str, str]] = ()) -> Answer:
        """The answer, whatever its status. A body that is too big or no JSON is no answer."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        url = self._resolve(endpoint) + path
        try:
            async with self._session.get(url, params=list(query), allow_redirects=False) as response:
                return Answer(response.status, _decoded(await _body(response)))
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise Unreachable(f"{url}: {error!r}"[:300]) from error

    async def close(self) -> None:
        """End the connections."""
        if self._session is not None:
            await self._session.close()


class ServiceProxy:
    """Asks through the API server's service proxy, with its rights."""

    def __init__(self, kube: Kube, timeout: float = TIMEOUT) -> None:
        self._kube, self._timeout = kube, timeout

    async def fetch(self, endpoint: Endpoint, path: str, query: Sequence[tuple[str, str]] = ()) -> Answer:
        """The answer, whatever its status."""
        proxied = through_service(endpoint.namespace, endpoint.name, endpoint.port, path)
        try:
            async with asyncio.timeout(self._timeout):
                return await self._kube.get(proxied, query=query)
        except TimeoutError as error:
            raise Unreachable(f"{endpoint.name}: no answer within {self._timeout} s") from error


async def _body(response: aiohttp.ClientResponse) -> bytes:
    raw = bytearray()
    async for chunk in response.content.iter_any():
        raw += chunk
        if len(raw) > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES} bytes")
    return bytes(raw)


def _decoded(raw: bytes) -> dict[str, Any]:
    body = json.loads(raw) if raw.strip() else {}
    return body if isinstance(body, dict) else {"items": body}

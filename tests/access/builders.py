"""A monitoring server that tells how it was asked, and Secrets of its credentials."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from tests.environments.builders import drill_spec, environment, settled

from kubedrill.controller.http_client import Room, Turn, WebClient
from kubedrill.core.plan.drill_plan import Endpoint
from kubedrill.kube.client import Kube
from kubedrill.plugins.ways_in import ways_in
from kubedrill.store.access_secrets import ACCESS_TYPE

SECRETS = "/api/v1/namespaces/drills/secrets"
HOST = "prometheus.monitoring.svc"
SERVICE = {"namespace": "monitoring", "name": "prometheus", "port": 9090}
FINE: Mapping[str, Any] = {"status": "success", "data": {"resultType": "vector", "result": []}}


def secret(kind: str = ACCESS_TYPE, version: str = "1", **said: str) -> dict[str, Any]:
    """A Secret, for HOST unless it says otherwise; `ca_crt` is its field ca.crt."""
    fields = {"host": HOST} | {name.replace("_", "."): value for name, value in said.items()}
    data = {name: base64.b64encode(value.encode()).decode() for name, value in fields.items()}
    return {"type": kind, "metadata": {"uid": "u", "resourceVersion": version}, "data": data}


def endpoint(**how: Any) -> Endpoint:
    """Prometheus as an environment says it: the Service, and how it is asked."""
    return settled(drill_spec(), environment(prometheus={"service": SERVICE} | how)).prometheus


@dataclass
class Door:
    """A server. `lets_in` is the header Authorization that it takes (empty: any); `asked` are path and headers."""

    lets_in: str = ""
    answer: Any = field(default_factory=lambda: dict(FINE))
    status: int = 200
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    port: int = 0

    async def answered(self, request: web.Request) -> web.Response:
        self.asked.append((request.path, request.headers))
        if self.lets_in and request.headers.get("Authorization") != self.lets_in:
            return web.json_response({"status": "error", "error": str(request.headers)}, status=401)
        return web.json_response(self.answer, status=self.status)


@asynccontextmanager
async def opened(door: Door) -> AsyncIterator[Door]:
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", door.answered)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    door.port = runner.addresses[0][1]
    try:
        yield door
    finally:
        await runner.cleanup()


@asynccontextmanager
async def client_of(kube: Kube, door: Door) -> AsyncIterator[WebClient]:
    """The operator's own, for which every host is the door."""
    client = WebClient(lambda _: f"http://127.0.0.1:{door.port}", room=Room(), ways=ways_in(kube))
    try:
        yield client
    finally:
        await client.close()


async def asked(client: WebClient, where: Endpoint, path: str = "/api/v1/query") -> Any:
    return await client.fetch(where, path, [("query", "up")], lambda answer: answer, Turn())


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()

"""Debian's Prometheus and Alertmanager behind the doors that people put before theirs, and the operator before them."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from tests.access.builders import SECRETS, secret
from tests.environments.builders import drill_spec, environment, settled
from tests.gather.server import Server
from tests.integration.access.certificates import Authority
from tests.integration.services import running
from tests.observers.builders import drill_plan
from tests.reverters.builders import free_port
from tests.wire import connected_to

from kubedrill.controller.gathering import MonitoringProbe, Probe
from kubedrill.controller.http_client import Room, WebClient
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.kube.client import Kube
from kubedrill.kube.clock import ServerClock
from kubedrill.plugins.ways_in import ways_in

WITHIN = 20
PORTS = {"prometheus": 9090, "alertmanager": 9093}
HOSTS = {name: f"{name}.monitoring.svc" for name in PORTS}
USER, FIRST, SECOND = "drill", "first-password", "second-password"
HASHED = {
    FIRST: "$2b$04$abcdefghijklmnopqrstuuT2j8U6U5rBY6aIOMzZiJOWuJPYKLLOe",
    SECOND: "$2b$04$abcdefghijklmnopqrstuukluLair1GoPMg9PQfjHAu2MGkeVdhk2",
}
TOKEN, TENANT = "a-token-of-the-proxy", "team-a"
RULE = {"alert": "High", "expr": "vector(0) > 1", "labels": {"severity": "page"}}


def with_password(password: str) -> Mapping[str, Any]:
    """The web.config.file of a server that asks for a password."""
    return {"basic_auth_users": {USER: HASHED[password]}}


@dataclass
class Door:
    """What stands before the servers, by a folder and an authority, and how it is opened.

    `web` is their web.config.file, `route_prefix` their option, `demands` what a proxy before them wants to see.
    `how` is what the environment says, `key` the fields of the Secret.
    """

    web: Callable[[Authority], Mapping[str, Any]] | None = None
    route_prefix: str = ""
    demands: Mapping[str, str] = field(default_factory=dict)
    how: Mapping[str, Any] = field(default_factory=dict)
    key: Callable[[Authority], Mapping[str, str]] | None = None
    without: str = ""


class Site:
    """The servers behind a door, the Secrets, and the operator's client."""

    def __init__(self, door: Door, authority: Authority, ports: dict[str, int], server: Server, kube: Kube) -> None:
        self.door, self.authority, self.ports, self.server, self.kube = door, authority, ports, server, kube
        self.configs: dict[str, Path] = {}

    def hand_over(self, host: str = "", **key: str) -> None:
        """Puts a key into the Secrets, each with a version of its own."""
        self.server.version += 1
        for name, own in HOSTS.items():
            self.server.objects[f"{SECRETS}/{name}"] = secret(host=host or own, version=str(self.server.version), **key)

    def plan(self, **how: Any) -> DrillPlan:
        """A drill's plan, by an environment that says `how` the servers are asked (the door's own when left out)."""
        said = how or {**self.door.how, **({"credentials": ""} if self.door.key else {})}
        servers: dict[str, Any] = {
            name: {
                "service": {"namespace": "monitoring", "name": name, "port": PORTS[name]},
                **{k: (name if k == "credentials" else v) for k, v in said.items()},
            }
            for name in PORTS
        }
        found = settled(drill_spec(), environment(**servers))
        return replace(drill_plan(namespace="shop"), prometheus=found.prometheus, alertmanager=found.alertmanager)

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[Operator]:
        """The operator, which knows nothing yet."""
        operator = Operator(self)
        try:
            yield operator
        finally:
            await operator.client.close()


class Operator:
    """Asks as the operator does; only the address of a host is a test's."""

    def __init__(self, site: Site) -> None:
        self.clock = ServerClock(timedelta(milliseconds=100))
        self.client = WebClient(
            lambda e: f"{'https' if e.access.tls else 'http'}://127.0.0.1:{site.ports[e.name]}",
            room=Room(),
            ways=ways_in(site.kube),
        )
        self._monitoring = MonitoringProbe(self.client.fetch, self.clock)

    async def probe(self, plan: DrillPlan) -> Probe:
        return await self._monitoring.probe(plan, self.clock.now() - timedelta(minutes=1))

    async def comes_in(self, plan: DrillPlan) -> Probe:
        """The first probe of servers that have just started in which both have said everything."""
        deadline = time.monotonic() + WITHIN
        while (probe := await self.probe(plan)).error or probe.alertmanager_error or not probe.rules:
            assert time.monotonic() < deadline, f"{probe.error}; {probe.alertmanager_error}; {probe.rules}"
            await asyncio.sleep(0.2)
        return probe


@asynccontextmanager
async def behind(door: Door, folder: Path) -> AsyncIterator[Site]:
    """The servers behind a door while the block runs."""
    authority = Authority(folder / "authority")
    inner = {name: free_port() for name in PORTS}
    server, after = Server(), AsyncExitStack()
    async with after, connected_to(server.answer) as kube:
        site = Site(door, authority, inner, server, kube)
        for name in PORTS:
            site.configs[name] = folder / f"{name}-web.json"
            started(after, name, folder, inner[name], site)
        if door.demands:
            site.ports = {name: await after.enter_async_context(proxy(port, site)) for name, port in inner.items()}
        if door.key:
            site.hand_over(**door.key(authority))
        yield site


def started(after: AsyncExitStack, name: str, folder: Path, port: int, site: Site) -> None:
    """Starts a server, which ends with `after`."""
    config = folder / f"{name}.json"
    if name == "prometheus":
        rules = folder / "rules.json"
        rules.write_text(json.dumps({"groups": [{"name": "g", "rules": [RULE]}]}))
        said: dict[str, Any] = {"rule_files": [str(rules)], "global": {"evaluation_interval": "1s"}}
        program, options = "prometheus", [f"--storage.tsdb.path={folder}/tsdb"]
    else:
        said = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
        program, options = "prometheus-alertmanager", [f"--storage.path={folder}/am", "--cluster.listen-address="]
    config.write_text(json.dumps(said))
    options += [f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"]
    if site.door.route_prefix:
        options += [f"--web.route-prefix={site.door.route_prefix}"]
    if site.door.web:
        site.configs[name].write_text(json.dumps(site.door.web(site.authority)))
        options += [f"--web.config.file={site.configs[name]}"]
    after.enter_context(running(program, *options, answers=lambda: listens(port)))


def listens(port: int) -> bool:
    with socket.socket() as one:
        one.settimeout(1)
        # whoever knocks at a port at which nobody listens may be given that very port, and so reach itself
        return one.connect_ex(("127.0.0.1", port)) == 0 and one.getsockname() != one.getpeername()


@asynccontextmanager
async def proxy(port: int, site: Site) -> AsyncIterator[int]:
    """TLS before a server; whoever does not say what the door demands is told 401, and no more."""

    async def passed_on(request: web.Request) -> web.Response:
        if any(request.headers.get(name) != value for name, value in site.door.demands.items()):
            return web.Response(status=401, text="no org id")
        url = f"http://127.0.0.1:{port}{request.rel_url}"
        headers = {"Content-Type": request.content_type} if request.method == "POST" else {}
        async with session.request(request.method, url, data=await request.read(), headers=headers) as answer:
            return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", passed_on)
    certified = site.authority.certified("proxy", *HOSTS.values())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certified.crt, certified.key)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        async with aiohttp.ClientSession() as session:
            yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def serving(authority: Authority, *hosts: str, **further: str) -> Mapping[str, Any]:
    """The web.config.file of a server that speaks TLS under these names."""
    made = authority.certified("server", *hosts)
    return {"tls_server_config": {"cert_file": str(made.crt), "key_file": str(made.key), **further}}


def trusted(authority: Authority) -> dict[str, str]:
    """The key to a server of the authority: what it is verified by."""
    return {"ca_crt": authority.own.crt.read_text()}


def presenting(authority: Authority) -> dict[str, str]:
    """The key to a server that wants a client's certificate."""
    made = authority.certified("client")
    return trusted(authority) | {"tls_crt": made.crt.read_text(), "tls_key": made.key.read_text()}


DOORS: Mapping[str, Door] = {
    "user and password": Door(
        web=lambda _: with_password(FIRST),
        key=lambda _: {"username": USER, "password": FIRST},
        without="answers 401: it asks for credentials",
    ),
    "TLS by an authority of its own": Door(
        web=lambda ca: serving(ca, *HOSTS.values()),
        how={"tls": {}},
        key=trusted,
        without="speaks TLS: say tls beside it in its environment",
    ),
    "TLS under another name": Door(
        web=lambda ca: serving(ca, "monitoring.example.com"),
        how={"tls": {"serverName": "monitoring.example.com"}},
        key=trusted,
        without="speaks TLS",
    ),
    "a client's certificate": Door(
        web=lambda ca: serving(
            ca, *HOSTS.values(), client_auth_type="RequireAndVerifyClientCert", client_ca_file=str(ca.own.crt)
        ),
        how={"tls": {}},
        key=presenting,
        without="speaks TLS",
    ),
    "a path prefix": Door(
        route_prefix="/monitoring",
        how={"pathPrefix": "/monitoring"},
        without="answers 404: its API is not there. It is another server, or one behind a path prefix",
    ),
    "TLS, password and path prefix": Door(
        web=lambda ca: {**serving(ca, *HOSTS.values()), **with_password(FIRST)},
        route_prefix="/a/b",
        how={"tls": {}, "pathPrefix": "/a/b/"},
        key=lambda ca: {**trusted(ca), "username": USER, "password": FIRST},
        without="speaks TLS",
    ),
    "a proxy that wants a token": Door(
        demands={"Authorization": f"Bearer {TOKEN}"},
        how={"tls": {}},
        key=lambda ca: {**trusted(ca), "token": TOKEN},
        without="closes the connection without an answer, as a server does that speaks TLS",
    ),
    "a proxy that wants a token and a tenant": Door(
        demands={"Authorization": f"Bearer {TOKEN}", "X-Scope-OrgID": TENANT},
        how={"tls": {}, "tenant": {"name": TENANT}},
        key=lambda ca: {**trusted(ca), "token": TOKEN},
        without="closes the connection without an answer, as a server does that speaks TLS",
    ),
}

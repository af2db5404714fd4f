"""A monitoring that is not there, not there alone or not for everybody says what it is, in the same words each time."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.answers.hostile import saying, stranger
from tests.clock.settable import Settable
from tests.machine.world import drill_plan
from tests.undo.builders import NOON

from kubedrill.controller.gathering import MonitoringProbe
from kubedrill.controller.http_client import Room, WebClient
from kubedrill.core.plan.preflight import preflight
from kubedrill.core.plan.surroundings import Surroundings
from kubedrill.kube import addresses
from kubedrill.kube.strangers import MAYBE_TLS, NO_ADDRESS, SPEAKS_TLS

WHERE = "prometheus.shop:9090"


def raw(said: bytes) -> Callable[[asyncio.StreamWriter], Any]:
    """Answers with these bytes, whatever was asked."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(said)

    return answer


def plainly(status: int, text: str) -> Callable[[asyncio.StreamWriter], Any]:
    head = (
        f"HTTP/1.1 {status} No\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
    )
    return raw((head + text).encode())


FAILED = {"status": "error", "errorType": "bad_data", "error": "parse error"}
SAID = {
    "a3, behind a path prefix": (plainly(404, "404 page not found\n"), "answers 404: its API is not there."),
    "a3, behind a path prefix, as JSON": (saying({"message": "TOP-SECRET"}, 404), "answers 404: its API is not there."),
    "a4, behind a password": (plainly(401, "Unauthorized\n"), "answers 401: it asks for credentials"),
    "a4, behind a proxy that lets nobody in": (plainly(403, "TOP-SECRET"), "answers 403: it lets nobody in without"),
    "a5, TLS as Go speaks it": (
        plainly(400, "Client sent an HTTP request to an HTTPS server.\n"),
        SPEAKS_TLS,
    ),
    "a5, TLS as nginx speaks it": (
        plainly(400, "<title>400 The plain HTTP request was sent to HTTPS port</title>"),
        SPEAKS_TLS,
    ),
    "a5, TLS that answers as TLS does": (raw(b"\x15\x03\x03\x00\x02\x02P"), SPEAKS_TLS),
    "a5, TLS that only closes": (raw(b""), MAYBE_TLS),
    "a gateway without anybody behind it": (plainly(502, "<html>TOP-SECRET</html>"), "answers 502"),
    "an error of Prometheus' own": (saying(FAILED, 400), 'it says "parse error"'),
}


async def told(client: WebClient) -> str:
    """What the preflight says of a Prometheus that is asked so."""
    probe = await MonitoringProbe(client.fetch, Settable(NOON)).probe(drill_plan(), NOON)
    seen = Surroundings("drills", monitoring_error=probe.error)
    (check,) = [c for c in preflight(drill_plan(), seen) if c.name == "monitoring"]
    assert (check.ok, check.reason) == (None, "PrometheusUnreachable")
    return check.message


@pytest.mark.parametrize("name", SAID)
async def test_it_says_what_it_is_and_which_field_to_set(name: str):
    answer, wanted = SAID[name]
    async with stranger(answer) as server, AsyncExitStack() as after:
        client = WebClient(lambda _: f"http://127.0.0.1:{server.port}", room=Room())
        after.push_async_callback(client.close)
        first, second = await told(client), await told(client)
    assert first == second
    assert first.startswith(f"{WHERE} {wanted}")
    assert first.count(WHERE) == 1
    assert "spec.monitoring.prometheus" in first
    assert "spec.prometheus of a DrillEnvironment" in first
    assert "SECRET" not in first


async def test_a2_a_service_that_is_not_there_is_told_alike_however_long_dns_takes(monkeypatch: pytest.MonkeyPatch):
    """It was `TimeoutError()` at one look and a Python exception's name at the next."""
    takes = asyncio.Event()

    async def unknown(*_: Any) -> Any:
        await takes.wait()
        raise OSError(None, "Name or service not known")

    monkeypatch.setattr(addresses, "looked_up", unknown)
    client = WebClient(lambda _: "http://prometheus.shop.svc:9090", timeout=0.05, room=Room())
    slow = await told(client)
    takes.set()
    quick = await told(client)
    await client.close()
    assert slow == quick
    assert slow.startswith(f"{WHERE} {NO_ADDRESS}")
    assert "there is no such Service" in slow


async def test_a_server_that_has_an_address_and_does_not_answer_is_not_said_to_be_missing():
    async def silent(writer: asyncio.StreamWriter) -> None:
        await writer.drain()
        await asyncio.Event().wait()

    async with stranger(silent) as server:
        client = WebClient(lambda _: f"http://127.0.0.1:{server.port}", timeout=0.05, room=Room())
        said = await told(client)
        await client.close()
    assert said.startswith(f"{WHERE} does not answer in time")


async def test_a_port_on_which_nobody_listens_is_said_so():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        client = WebClient(lambda _: f"http://127.0.0.1:{held.getsockname()[1]}", room=Room())
        said = await told(client)
        await client.close()
    assert said.startswith(f"{WHERE} can't be reached: Connect call failed") or "Connection refused" in said

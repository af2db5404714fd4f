import asyncio
import io
import json
import zlib
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from kubedrill.controller.http import MOST_BYTES, make_app, serve
from kubedrill.controller.metrics import DrillCollector
from kubedrill.controller.received import NotStored
from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import FactKind
from kubedrill.kube.clock import ServerClock

TOKEN = "secret"  # noqa: S105  a test's own
CLOCK = ServerClock(timedelta(0))
MESSAGE: dict[str, Any] = {
    "version": "4",
    "receiver": "operator",
    "status": "firing",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "High"},
            "startsAt": "2026-11-23T12:00:05Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "fingerprint": "f1",
        }
    ],
}


class Desk:
    """What a receiver is wired to; `missing` is why the operator is not ready."""

    def __init__(self):
        self.delivered, self.missing, self.label = [], "", "namespace"
        self.playing: tuple[str, ...] = ()
        self.full: tuple[str, ...] = ()
        self.collector = DrillCollector(list, CLOCK.now)

    async def deliver(self, namespace, facts):
        if namespace in self.full:
            raise NotStored(f"no room for {namespace}", for_good=True)
        self.delivered.append((namespace, [f.kind for f in facts]))

    async def about(self, namespace):
        return About(namespace, self.label)


@asynccontextmanager
async def receiving(token=TOKEN):
    desk = Desk()
    app = make_app(token, desk.deliver, desk.about, desk.collector, lambda: desk.missing, CLOCK, lambda: desk.playing)
    async with serve(app, 0, "127.0.0.1") as port, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield desk, session


async def post(session, body, token=TOKEN, namespace="shop"):
    data = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    async with session.post(f"/alertmanager/{namespace}", data=data, headers=headers) as response:
        return response.status


async def read(session, path):
    async with session.get(path) as response:
        return response.status, await response.text()


async def test_a_message_is_delivered_to_its_namespace_at_once():
    async with receiving() as (desk, session):
        assert await post(session, MESSAGE) == 200
        assert desk.delivered == [("shop", [FactKind.ALERT_FIRING, FactKind.NOTIFIED])]


async def test_an_alert_is_delivered_by_the_label_that_names_the_namespace_there():
    labels = {"alertname": "High", "namespace": "exporters", "exported_namespace": "shop"}
    message = MESSAGE | {"alerts": [MESSAGE["alerts"][0] | {"labels": labels}]}
    async with receiving() as (desk, session):
        await post(session, message)
        desk.label = "exported_namespace"
        await post(session, message)
        await post(session, message, namespace="billing")
        assert [(namespace, len(kinds)) for namespace, kinds in desk.delivered] == [
            ("shop", 0),
            ("shop", 2),
            ("billing", 0),
        ]


def about(**labels: str) -> dict[str, Any]:
    """A message of one alert with these labels."""
    return MESSAGE | {"alerts": [MESSAGE["alerts"][0] | {"labels": {"alertname": "High", **labels}}]}


async def test_one_receiver_serves_every_namespace_and_each_is_told_what_is_about_it():
    async with receiving() as (desk, session):
        desk.playing = ("shop", "billing")
        assert await post(session, about(namespace="shop"), namespace="_all") == 200
        assert desk.delivered == [("shop", [FactKind.ALERT_FIRING, FactKind.NOTIFIED])]
        assert await post(session, about(), namespace="_all") == 200
        assert {namespace for namespace, _ in desk.delivered[1:]} == {"shop", "billing"}, "it is about none: as ever"


async def test_what_is_for_every_namespace_is_taken_where_no_drill_is_on():
    async with receiving() as (desk, session):
        assert await post(session, about(namespace="shop"), namespace="_all") == 200
        assert desk.delivered == []


async def test_a_namespace_without_room_keeps_no_other_from_being_told():
    async with receiving() as (desk, session):
        desk.playing, desk.full = ("billing", "shop"), ("billing",)
        assert await post(session, about(), namespace="_all") == 507
        assert [namespace for namespace, _ in desk.delivered] == ["shop"]


async def test_without_the_token_nobody_is_let_in():
    async with receiving() as (desk, session):
        assert await post(session, MESSAGE, TOKEN + "?") == 401
        assert desk.delivered == []
        assert desk.collector.messages["refused"] == 1


async def test_an_operator_without_a_token_lets_nobody_in():
    async with receiving(token="") as (_desk, session):
        assert await post(session, MESSAGE, token="") == 401


async def test_poison_is_refused_and_counted_and_the_next_message_is_read():
    async with receiving() as (desk, session):
        for poison in (b"{", b"\xff", b"[" * 100_000, b"null", b'{"version": "4"}'):
            assert await post(session, poison) == 400
        assert desk.collector.messages["poison"] == 5
        assert await post(session, MESSAGE) == 200


async def test_a_body_that_is_too_big_is_refused():
    async with receiving() as (desk, session):
        assert await post(session, b'"' + b"x" * MOST_BYTES + b'"') == 413
        assert desk.delivered == []


@pytest.mark.parametrize("token", ["äöü", "\udcff\udcfe", "secret\udce4"])
async def test_f39_a_token_of_any_bytes_is_a_wrong_one(token):
    async with receiving() as (desk, session):
        raw = b"POST /alertmanager/shop HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n"
        raw += b"Authorization: Bearer " + token.encode("utf-8", "surrogateescape") + b"\r\n\r\n{}"
        reader, writer = await asyncio.open_connection("127.0.0.1", session._base_url.port)
        writer.write(raw)
        assert (await reader.read()).startswith(b"HTTP/1.1 401 ")
        writer.close()
        await writer.wait_closed()
        assert desk.collector.messages["refused"] == 1


async def sent(session, data, **headers):
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"} | headers
    async with session.post("/alertmanager/shop", data=io.BytesIO(data), headers=headers) as response:
        return response.status


async def test_f39_a_charset_that_is_none_and_a_folded_body_are_poison():
    async with receiving() as (_desk, session):
        raw = json.dumps(MESSAGE).encode()
        assert await sent(session, raw, **{"Content-Type": "application/json; charset=bogus"}) == 400
        assert await sent(session, raw, **{"Content-Type": "application/json; charset=UTF-8"}) == 200
        assert await sent(session, zlib.compress(raw), **{"Content-Encoding": "deflate"}) == 400
        assert await sent(session, json.dumps(MESSAGE).encode("utf-16")) == 400


async def test_many_values_are_refused_before_any_of_them_is_made():
    async with receiving() as (desk, session):
        assert await post(session, b"[" + b"{}," * 300_000 + b"{}]") == 400
        assert desk.collector.messages["poison"] == 1


@pytest.mark.parametrize("year", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
async def test_f39_an_alert_of_the_year_1_or_9999_pages_and_nothing_breaks(year):
    async with receiving() as (desk, session):
        alert = MESSAGE["alerts"][0]
        assert await post(session, MESSAGE | {"alerts": [alert | {"startsAt": year}]}) == 200
        assert await post(session, MESSAGE | {"alerts": [alert | {"status": "resolved", "endsAt": year}]}) == 200
        assert [kinds for _, kinds in desk.delivered] == [[FactKind.NOTIFIED], [FactKind.ALERT_RESOLVED]]


async def test_many_messages_at_once_are_all_taken():
    async with receiving() as (desk, session):
        assert set(await asyncio.gather(*(post(session, MESSAGE) for _ in range(50)))) == {200}
        assert len(desk.delivered) == 50


async def test_it_is_alive_and_ready_unless_something_is_missing():
    async with receiving() as (desk, session):
        assert await read(session, "/healthz") == (200, "ok\n")
        assert await read(session, "/readyz") == (200, "ok\n")
        desk.missing = "the definition of Drill is missing"
        assert await read(session, "/readyz") == (503, "the definition of Drill is missing\n")


async def test_metrics_are_served_with_what_was_counted():
    async with receiving() as (_, session):
        await post(session, MESSAGE)
        status, text = await read(session, "/metrics")
        assert status == 200
        assert 'kubedrill_webhook_messages_total{result="accepted"} 1.0' in text
        assert "process_resident_memory_bytes" in text

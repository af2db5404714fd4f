import asyncio
import io
import json
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp

from kubedrill.core.facts import FactKind
from kubedrill.kube.clock import ServerClock
from kubedrill.shell.metrics import DrillCollector
from kubedrill.shell.receiver import MOST_BYTES, make_app, serve

TOKEN = "secret"  # noqa: S105  a test's own
CLOCK = ServerClock(timedelta(0))
MESSAGE = {"version": "4", "receiver": "operator", "status": "firing", "alerts": [{
    "status": "firing", "labels": {"alertname": "High"}, "startsAt": "2026-11-23T12:00:05Z",
    "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "f1"}]}


class Desk:
    """What a receiver is wired to; `missing` is why the operator is not ready."""

    def __init__(self):
        self.delivered, self.missing = [], ""
        self.collector = DrillCollector(list, CLOCK.now)

    def deliver(self, namespace, facts):
        self.delivered.append((namespace, [f.kind for f in facts]))


@asynccontextmanager
async def receiving(token=TOKEN):
    desk = Desk()
    app = make_app(token, desk.deliver, desk.collector, lambda: desk.missing, CLOCK)
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
        assert desk.delivered == [("shop", [FactKind.ALERT_FIRING, FactKind.PAGE_SENT])]


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

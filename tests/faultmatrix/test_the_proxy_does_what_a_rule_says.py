"""What reaches the API server, and what is answered, when a rule strikes. The server is a small one, at the wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from tests.faultmatrix.builders import STORED, WEB, a_plan
from tests.faultmatrix.plan import BEFORE, COMMITTED, REPLIED, Rule
from tests.faultmatrix.proxy import Proxy, Upstream
from tests.faultmatrix.refusals import Refused, refusal
from tests.faultmatrix.rigging import Rigging


@dataclass
class Wire:
    """A proxy, what the API server behind it was asked, and what the proxy left to others."""

    client: aiohttp.ClientSession
    proxy: Proxy
    arrived: list[str] = field(default_factory=list)
    acted: list[str] = field(default_factory=list)

    def rig(self, do: str | tuple[str, ...], what: str = "record", when: str = BEFORE, **how: Any) -> None:
        """From now on this rule holds."""
        rule = Rule(what, (do,) if isinstance(do, str) else do, when=when, **how)
        self.proxy.rig(Rigging(a_plan(rule)))

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Status and text of an answer; 0 when the connection ended without one."""
        url = f"http://127.0.0.1:{self.proxy.port}{path}"
        try:
            async with self.client.request(method, url, json=body) as answer:
                return answer.status, await answer.text()
        except aiohttp.ClientError:
            return 0, ""

    async def store(self) -> tuple[int, str]:
        """The write of a record. A POST: clients repeat a PUT by themselves when a connection ends."""
        return await self.ask("POST", STORED.rpartition("/")[0], {"type": "kubedrill.dev/undo"})

    async def read(self) -> tuple[int, str]:
        """A read of the target."""
        return await self.ask("GET", WEB)


@pytest_asyncio.fixture
async def wire() -> AsyncIterator[Wire]:
    """A proxy before an API server that counts what it is asked."""

    async def answer(incoming: web.Request) -> web.StreamResponse:
        here.arrived.append(incoming.method)
        if "watch" in incoming.query:
            lines = b"".join(b'{"type": "%s"}\n' % name for name in (b"ONE", b"TWO"))
            return web.Response(body=lines, content_type="application/json")
        return web.json_response({"number": len(here.arrived)})

    async def act(action: str, *_: Any) -> None:
        here.acted.append(action)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    async with aiohttp.ClientSession() as client:
        here = Wire(client, Proxy("operator", Upstream(f"http://{host}:{port}", None), act))
        await here.proxy.start()
        yield here
        await here.proxy.stop()
    await runner.cleanup()


async def test_without_a_rule_everything_is_passed_on_as_it_is(wire: Wire):
    assert await wire.store() == (200, '{"number": 1}')
    assert [(t.request.kind, t.status, t.done) for t in wire.proxy.trace] == [("record", 200, True)]


@pytest.mark.parametrize(("kind", "status"), [("policy-422", 422), ("webhook-404", 404), ("webhook-timeout", 500)])
async def test_a_refusal_names_what_was_to_be_written_and_nothing_arrives(wire: Wire, kind: str, status: int):
    wire.rig(f"refuse {kind}")
    body = {"type": "kubedrill.dev/undo", "metadata": {"name": "undo-1"}}

    answer = await wire.ask("POST", STORED.rpartition("/")[0], body)

    assert answer[0] == status
    assert json.loads(answer[1]) == refusal(kind, Refused("secrets", "undo-1"))
    assert wire.arrived == []


async def test_a_reply_is_in_the_servers_own_form_and_nothing_reaches_it(wire: Wire):
    wire.rig("reply 409")
    status, text = await wire.store()

    assert (status, json.loads(text)["reason"]) == (409, "Conflict")
    assert wire.arrived == []
    assert [(t.status, t.done) for t in wire.proxy.trace] == [(0, False)]


async def test_a_load_balancers_reply_is_no_json(wire: Wire):
    wire.rig("reply 502")

    assert await wire.store() == (502, "<html>said by the fault matrix</html>")


@pytest.mark.parametrize(("when", "arrived"), [(BEFORE, []), (COMMITTED, ["POST"])])
async def test_a_reset_answers_nobody_whether_it_was_done_or_not(wire: Wire, when: str, arrived: list[str]):
    wire.rig("reset", when=when)

    assert await wire.store() == (0, "")
    assert wire.arrived == arrived
    assert wire.proxy.trace[0].status == 0


async def test_half_an_answer_is_none(wire: Wire):
    wire.rig("truncate", when=COMMITTED)

    assert await wire.store() == (0, "")
    assert wire.arrived == ["POST"]


@pytest.mark.parametrize(
    ("when", "arrived", "answered"),
    [
        (BEFORE, [], 0),
        (COMMITTED, ["POST"], 0),
        (REPLIED, ["POST"], 200),
    ],
)
async def test_a_kill_is_done_before_the_write_after_it_or_after_its_answer(
    wire: Wire, when: str, arrived: list[str], answered: int
):
    wire.rig("kill", when=when)

    assert (await wire.store())[0] == answered
    assert wire.arrived == arrived
    assert wire.acted == ["kill"]


async def test_what_people_do_happens_and_the_request_goes_on(wire: Wire):
    wire.rig(("edit 96Mi", "delay 0"), when=COMMITTED)

    assert await wire.store() == (200, '{"number": 1}')
    assert wire.acted == ["edit 96Mi"]


async def test_a_pretended_write_is_answered_with_the_object_and_not_done(wire: Wire):
    wire.rig("pretend")

    assert await wire.store() == (200, '{"number": 1}')
    assert wire.arrived == ["GET"]


async def test_twice_is_done_twice_and_answered_once(wire: Wire):
    wire.rig("twice", when=COMMITTED)

    assert await wire.store() == (200, '{"number": 1}')
    assert wire.arrived == ["POST", "POST"]


async def test_a_late_copy_comes_after_the_answer(wire: Wire):
    wire.rig("late 0.02", when=COMMITTED)
    await wire.store()
    assert wire.arrived == ["POST"]
    await asyncio.gather(*wire.proxy._late)

    assert wire.arrived == ["POST", "POST"]


async def test_a_stale_read_gives_what_it_gave_until_the_rules_change(wire: Wire):
    wire.rig("stale 60", what="get-target")
    first, second = await wire.read(), await wire.read()
    assert first == second
    wire.proxy.rig(None)

    assert await wire.read() != first


async def test_every_read_of_a_kind_so_far_is_given_from_before_a_write(wire: Wire):
    wire.rig("stale-all get-target 60")
    await wire.read()
    await wire.store()
    remembered = await wire.read()

    assert wire.arrived == ["GET", "GET", "POST"]
    assert remembered == (200, '{"number": 2}')


@pytest.mark.parametrize(
    ("manner", "passed"),
    [
        ("double", ["ONE", "ONE", "TWO", "TWO"]),
        ("swap", ["TWO", "ONE"]),
        ("error 410", ["ERROR"]),
        ("delay 0", ["ONE", "TWO"]),
    ],
)
async def test_a_watch_behaves_as_the_rule_says_from_its_start(wire: Wire, manner: str, passed: list[str]):
    wire.rig(manner, what="watch-target")
    _, text = await wire.ask("GET", f"{WEB.rpartition('/')[0]}?watch=1")

    assert [json.loads(line)["type"] for line in text.splitlines()] == passed


async def test_a_watch_may_be_refused(wire: Wire):
    wire.rig("reply 410", what="watch-target")

    assert (await wire.ask("GET", f"{WEB.rpartition('/')[0]}?watch=1"))[0] == 410


async def test_a_server_that_does_not_answer_is_a_bad_gateway(wire: Wire):
    wire.proxy.upstream = Upstream("http://127.0.0.1:1", None)

    assert (await wire.store())[0] == 502

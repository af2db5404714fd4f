"""A webhook is answered 200 when what it tells is stored with every drill that it is about, and 503 when it is not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from tests.giving_up.lab import Lab, standing
from tests.undo.builders import NOON

from kubedrill.controller import http
from kubedrill.controller.controller import DrillController
from kubedrill.controller.http import make_app, serve
from kubedrill.controller.received import NotStored
from kubedrill.controller.settings import OperatorSettings
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.state import Ending, State, state_to_wire
from kubedrill.core.measure.results import Verdict
from kubedrill.store import segments

TOKEN = "secret"  # noqa: S105  a test's own
ALERT = {
    "status": "firing",
    "labels": {"alertname": "Errors"},
    "startsAt": "2026-03-01T11:59:50Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "fingerprint": "f1",
}
MESSAGE = {"version": "4", "receiver": "team", "status": "firing", "alerts": [ALERT]}
TOLD = {"alertmanager/firing/Errors/f1/2026-03-01T11:59:50Z", "webhook/notified/team/Errors/f1/2026-03-01T11:59:50Z"}


class Door:
    """The operator's webhook, with one drill behind it."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.answer = lab, ""
        self.desk = DrillController(lab.kube, lab.clock, OperatorSettings(webhook_token=TOKEN))
        self.desk._drills["d1"] = lab.cluster.drill_now
        self.desk._tasks["d1"] = lab.task
        self.app = make_app(
            TOKEN,
            self.desk.receive,
            self.desk.about,
            self.desk.collector,
            self.desk.ready,
            lab.clock,
            self.desk.targets,
        )

    async def told(self, session: aiohttp.ClientSession, namespace: str = "shop") -> int:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with session.post(f"/alertmanager/{namespace}", json=MESSAGE, headers=headers) as response:
            self.answer = await response.text()
            return response.status

    @property
    def stored(self) -> list[str]:
        maps = [thing for path, thing in self.lab.cluster.objects.items() if "/configmaps/" in path]
        lines = [line for item in maps for line in item["data"].get("facts", "").split("\n") if line]
        return [line["id"] for line in map(json.loads, lines)]


@pytest.fixture
async def door(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    async with standing(monkeypatch) as lab:
        lab.in_play()
        yield Door(lab)


@pytest.fixture
async def session(door: Door) -> AsyncIterator[aiohttp.ClientSession]:
    async with serve(door.app, 0, "127.0.0.1") as port, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield session


async def test_what_it_tells_is_stored_when_it_is_answered(door: Door, session: aiohttp.ClientSession):
    await door.lab.goes_on(0.1)
    assert await door.told(session) == 200
    assert set(door.stored) >= TOLD


async def test_what_is_for_every_namespace_is_stored_with_the_drill_that_it_is_about(
    door: Door, session: aiohttp.ClientSession
):
    await door.lab.goes_on(0.1)
    assert await door.told(session, "_all") == 200
    assert set(door.stored) >= TOLD


async def test_told_again_it_stands_once(door: Door, session: aiohttp.ClientSession):
    await door.lab.goes_on(0.1)
    assert [await door.told(session) for _ in range(3)] == [200, 200, 200]
    await door.lab.goes_on(1)
    assert sorted(door.stored) == sorted(set(door.stored))


async def test_the_drill_is_woken_and_the_page_counts(door: Door, session: aiohttp.ClientSession):
    await door.lab.goes_on(0.1)
    await door.told(session)
    assert door.lab.task._woken.is_set()
    await door.lab.goes_on(1)
    assert "Notified" in {m["name"] for m in door.lab.cluster.status["milestones"]}


async def test_while_it_cannot_be_stored_it_is_to_be_sent_again(door: Door, session: aiohttp.ClientSession):
    await door.lab.goes_on(0.1)
    door.lab.cluster.no_config_maps = web.json_response({"message": "not now"}, status=503)
    assert await door.told(session) == 503
    assert not TOLD & set(door.stored)
    door.lab.cluster.no_config_maps = None
    assert await door.told(session) == 200
    assert set(door.stored) >= TOLD
    assert door.desk.collector.messages["unstored"] == 1


async def test_a_drill_that_nobody_has_looked_at_yet_holds_it_up_for_a_bounded_time(
    door: Door, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
):
    """After a restart: whether the drill is on is known with its first turn."""
    monkeypatch.setattr(http, "STORED_WITHIN", 0.05)
    assert await door.told(session) == 503
    monkeypatch.setattr(http, "STORED_WITHIN", 5.0)
    waiting = asyncio.create_task(door.told(session))
    await door.lab.goes_on(0.1)
    assert await waiting == 200
    assert set(door.stored) >= TOLD


async def test_an_operator_that_does_not_know_all_drills_yet_takes_nothing(door: Door, session: aiohttp.ClientSession):
    await door.lab.goes_on(0.1)
    for namespace in ("shop", "_all"):
        door.desk.expects(2)
        assert await door.told(session, namespace) == 503
        door.desk.expects(1)
        assert await door.told(session, namespace) == 200


@pytest.mark.parametrize(
    "state",
    [
        State(Phase.HELD, since=NOON),
        State(
            Phase.STOPPED,
            since=NOON,
            start_ex=NOON - timedelta(minutes=5),
            end_ex=NOON - timedelta(minutes=1),
            restored=NOON,
            ending=Ending("Stopped", "stopped", Verdict.STOPPED),
        ),
    ],
)
async def test_with_a_drill_that_is_not_on_nothing_is_stored(door: Door, session: aiohttp.ClientSession, state: State):
    door.lab.has_status({"phase": state.phase.value, "machine": state_to_wire(state)})
    await door.lab.goes_on(0.1)
    assert await door.told(session) == 200
    assert not TOLD & set(door.stored)


async def test_where_there_is_no_room_for_more_evidence_it_is_answered_507_and_the_drill_says_so(
    door: Door, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
):
    """It was answered 200, and kept nothing."""
    await door.lab.goes_on(0.1)
    monkeypatch.setattr(segments, "SEGMENTS_KEPT", 0)
    assert await door.told(session) == 507
    assert "drill storm: there is no room for more evidence" in door.answer
    assert "send it again" not in door.answer
    assert door.desk.collector.messages["unstored"] == 1
    await door.lab.goes_on(1)
    assert "segments of evidence is not stored" in door.lab.cluster.status["message"]


async def test_a_drill_without_room_keeps_no_other_from_storing_it(
    door: Door, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
):
    class Full:
        target_namespace, name = "shop", "full"

        async def known(self) -> None: ...

        about = None

        async def receive(self, _facts: object) -> None:
            raise NotStored("there is no room for more evidence", for_good=True)

    await door.lab.goes_on(0.1)
    monkeypatch.setitem(door.desk._tasks, "d2", Full())
    assert await door.told(session) == 507
    assert set(door.stored) >= TOLD


async def test_where_there_is_no_drill_it_is_taken(door: Door, session: aiohttp.ClientSession):
    assert await door.told(session, "elsewhere") == 200
    assert door.stored == []


async def test_only_so_many_bytes_wait_at_a_time(
    door: Door, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
):
    await door.lab.goes_on(0.1)
    arrived = asyncio.Semaphore(0)
    release = asyncio.Event()

    async def held(*_: Any) -> None:
        arrived.release()
        await release.wait()

    monkeypatch.setattr(door.lab.task, "receive", held)
    monkeypatch.setattr(http, "BYTES_WAITING", 3 * len(json.dumps(MESSAGE)))
    waiting = [asyncio.create_task(door.told(session)) for _ in range(3)]
    for _ in waiting:
        await arrived.acquire()
    assert await door.told(session) == 503
    release.set()
    assert set(await asyncio.gather(*waiting)) == {200}

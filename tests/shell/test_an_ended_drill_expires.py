"""An ended drill with `ttlAfterFinished` is deleted by the operator, not too early, and its report stays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from tests.giving_up.lab import DRILL, Lab, standing
from tests.shell.ended import ended, started_anew
from tests.watchdog.wire import DRILLS

from kubedrill.api.drill import FINALIZER
from kubedrill.controller.controller import DrillController
from kubedrill.core.machine.expiry import AGAIN

HOUR = timedelta(hours=1)
REPORTS = DRILLS.replace("drills/drills", "drills/drillreports")


@pytest.fixture
async def lab(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lab]:
    async with standing(monkeypatch, ttlAfterFinished="1h") as lab:
        lab.in_play()
        yield lab


@pytest.fixture
async def controller(lab: Lab) -> AsyncIterator[DrillController]:
    async with started_anew(lab) as controller:
        yield controller


def due(lab: Lab) -> None:
    """The time after which it is to be deleted has just passed."""
    assert lab.state.since is not None
    lab.cluster.now = lab.state.since + HOUR


def changed(lab: Lab, **spec: Any) -> None:
    drill = lab.cluster.drill_now
    lab.cluster.put(DRILL, {**drill, "spec": {**drill["spec"], **spec}})


def objects(lab: Lab, kind: str) -> dict[str, dict[str, Any]]:
    return {path: thing for path, thing in lab.cluster.objects.items() if f"/{kind}/" in path}


async def test_its_time_is_awaited_by_nobody_and_written_by_nobody(lab: Lab, controller: DrillController):
    await ended(lab)
    due(lab)
    lab.cluster.now -= timedelta(seconds=1)
    controller.changed(lab.cluster.drill_now, gone=False)
    controller.take_up(controller.expired())
    assert not controller._tasks
    assert not lab.cluster.writes


async def test_an_operator_that_was_started_anew_deletes_it_as_the_only_thing_it_writes(
    lab: Lab, controller: DrillController
):
    await ended(lab)
    due(lab)
    asked = asyncio.Event()
    lab.cluster.answering = lambda request: asked.set() if request.method == "DELETE" else None
    controller.changed(lab.cluster.drill_now, gone=False)
    sweep = asyncio.create_task(controller._sweep())
    async with asyncio.timeout(5):
        await asked.wait()
    sweep.cancel()
    assert DRILL not in lab.cluster.objects
    assert lab.cluster.writes == [("DELETE", DRILL)]


async def test_its_report_is_nobodys_and_stays(lab: Lab):
    await ended(lab)
    (report,) = objects(lab, "drillreports").values()
    assert "ownerReferences" not in report["metadata"]
    parts = [part for part in objects(lab, "configmaps").values() if "record" in part["data"]]
    assert [part["metadata"]["name"] for part in parts] == report["spec"]["record"]
    assert {owner["kind"] for part in parts for owner in part["metadata"]["ownerReferences"]} == {"DrillReport"}


async def test_a_drill_without_it_is_looked_at_and_written_no_more(lab: Lab, controller: DrillController):
    changed(lab, ttlAfterFinished=None)
    await ended(lab)
    lab.cluster.now += timedelta(days=3650)
    controller.changed(lab.cluster.drill_now, gone=False)
    controller.take_up(controller.expired())
    assert not controller._tasks
    assert not lab.cluster.writes


async def test_what_it_says_at_last_counts(lab: Lab, controller: DrillController):
    await ended(lab)
    changed(lab, ttlAfterFinished="2h")
    due(lab)
    controller.changed(lab.cluster.drill_now, gone=False)
    assert not list(controller.expired())
    lab.cluster.now += HOUR
    assert list(controller.expired()) == ["d1"]


async def test_one_whose_report_is_gone_or_cannot_be_read_is_left_alone(lab: Lab):
    await ended(lab)
    lab.cluster.answering = lambda request: (
        web.json_response({"reason": "Forbidden"}, status=403) if request.path.startswith(REPORTS) else None
    )
    due(lab)
    again = await lab.task._turn()
    assert again is not None
    assert lab.cluster.now < again <= lab.cluster.now + AGAIN, "it is looked again, at its own moment of the minute"
    assert not lab.cluster.writes


async def test_one_that_was_changed_since_it_was_read_is_read_again_first(lab: Lab):
    await ended(lab)
    due(lab)
    meant = lab.cluster.answering

    def meanwhile(request: web.Request) -> web.Response | None:
        if request.method == "DELETE":
            lab.cluster.answering = meant
            changed(lab, ttlAfterFinished="2h")
        return None

    lab.cluster.answering = meanwhile
    await lab.task._turn()
    assert DRILL in lab.cluster.objects
    await lab.task._turn()
    assert lab.cluster.writes == [("DELETE", DRILL)]


async def test_whoever_refuses_its_deletion_is_told_in_an_event_once(lab: Lab):
    await ended(lab)
    due(lab)
    lab.cluster.answering = lambda request: (
        web.json_response({"message": 'User "kubedrill" cannot delete resource "drills"'}, status=403)
        if request.method == "DELETE"
        else None
    )
    for _ in range(3):
        await lab.task._turn()
    notes = [event["note"] for event in lab.cluster.events if event["reason"] == "Refused"]
    assert len(notes) == 1
    assert "ttlAfterFinished" in notes[0]
    assert FINALIZER not in lab.cluster.drill_now["metadata"]["finalizers"]


@pytest.mark.parametrize("machine", [None, {}, {"phase": "Completed", "faults": 7}, {"phase": "Nowhere"}])
async def test_a_status_that_cannot_be_read_deletes_nothing_and_stops_nobody(
    lab: Lab, controller: DrillController, machine: Any
):
    lab.has_status({"phase": "Completed", "machine": machine})
    lab.cluster.now += timedelta(days=365)
    controller._drills["d1"] = lab.cluster.drill_now
    assert not list(controller.expired())

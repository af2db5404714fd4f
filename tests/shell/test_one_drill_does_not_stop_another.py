"""The operator is ready as long as it serves anybody: what is wrong with one drill is that drill's alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.clock.settable import Settable
from tests.undo.builders import NOON

from kubedrill.controller.controller import SILENT_FOR, UNREADY_AFTER, DrillController
from kubedrill.controller.settings import OperatorSettings
from kubedrill.controller.worker import DrillWorker
from kubedrill.kube.client import Answer, Kube


class Server(Kube):
    """Answers whatever is asked."""

    def __init__(self) -> None:
        self.silence = timedelta(0)

    @property
    def silent_for(self) -> timedelta:
        return self.silence

    async def call(self, *_: Any, **__: Any) -> Answer:
        return Answer(200, {})


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def desk(server: Server) -> DrillController:
    return DrillController(server, Settable(NOON), OperatorSettings())


def task(desk: DrillController, name: str, failures: int) -> None:
    """A drill so many of whose turns have failed in a row."""
    drill = {"metadata": {"uid": name, "name": name, "namespace": "drills"}, "spec": {}}
    made = DrillWorker(desk.kube, desk.clock, desk.settings, drill, desk.collector, desk._informers)
    made.failures = failures
    desk._tasks[name] = made


@pytest.mark.parametrize("failures", [[], [0], [1000], [1000, 0], [1000, 1000, UNREADY_AFTER]])
def test_it_is_ready_whatever_is_wrong_with_one(desk: DrillController, failures: list[int]):
    """F11 and F26: one drill with 65 levels, or a duration of a million years, made it NotReady for all."""
    for number, failed in enumerate(failures):
        task(desk, f"d{number}", failed)
    assert desk.ready() == ""


def test_it_is_not_ready_when_the_turns_of_all_of_several_drills_fail(desk: DrillController):
    task(desk, "one", UNREADY_AFTER + 1)
    task(desk, "two", UNREADY_AFTER + 1)
    assert desk.ready() == "the turns of all 2 drills fail"


def test_it_is_not_ready_when_the_api_server_has_long_been_silent(desk: DrillController, server: Server):
    server.silence = SILENT_FOR - timedelta(seconds=1)
    assert desk.ready() == ""
    server.silence = SILENT_FOR
    assert desk.ready() == "the API server has not answered for 90 s"


def test_a_drill_whose_turns_fail_is_told_by_a_metric(desk: DrillController):
    task(desk, "well", 0)
    task(desk, "poison", 7)
    assert list(desk.failing()) == [("drills", "poison", 7)]

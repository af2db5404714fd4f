"""Many events make one turn; somebody's wish, and the first event after a quiet while, are never made to wait."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from tests.clock.settable import Settable
from tests.observers.wire import until
from tests.undo.builders import NOON

from kubedrill.controller import worker as worker_module
from kubedrill.controller.metrics import DrillCollector
from kubedrill.controller.settings import OperatorSettings
from kubedrill.controller.worker import DrillWorker
from kubedrill.kube.client import Answer, Kube
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.informers import Informers

DRILL = {"metadata": {"uid": "d1", "name": "monday", "namespace": "drills"}, "spec": {}}
HOUR = timedelta(hours=1)


class Nothing(Kube):
    """Answers whatever is asked."""

    def __init__(self) -> None:
        pass

    async def call(self, *_: Any, **__: Any) -> Answer:
        return Answer(200, {})


def a_worker(clock: ServerClock) -> DrillWorker:
    collector = DrillCollector(list, clock.now)
    kube = Nothing()
    return DrillWorker(kube, clock, OperatorSettings(), DRILL, collector, Informers(kube, clock))


@pytest.fixture
def turns() -> list[int]:
    return []


@pytest.fixture
async def running(turns: list[int], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DrillWorker]:
    """A worker whose turns do nothing, and that wants no turn by itself."""
    worker = a_worker(ServerClock(timedelta(0)))

    async def turn() -> None:
        turns.append(len(turns))

    monkeypatch.setattr(worker, "_turn", turn)
    worker.start(lambda _: None)
    await until(lambda: turns)
    yield worker
    await worker.stop()


def test_the_first_event_after_a_quiet_while_is_due_at_once():
    clock = Settable(NOON)
    worker = a_worker(clock)
    worker.heard()
    assert worker._due == NOON


def test_what_is_seen_right_after_a_turn_began_waits_for_more_and_a_wish_does_not():
    clock = Settable(NOON)
    worker = a_worker(clock)
    worker._began = NOON
    worker.heard()
    worker.heard()
    assert worker._due == NOON + worker_module.DEBOUNCE
    worker.wake()
    assert worker._due == NOON


async def test_a_wish_makes_a_turn_while_what_was_seen_still_waits(running, turns, monkeypatch):
    monkeypatch.setattr(worker_module, "DEBOUNCE", HOUR)
    for _ in range(50):
        running.heard()
    running.wake()
    await until(lambda: len(turns) == 2)
    assert running._due is None


async def test_fifty_events_at_once_make_one_turn(running, turns):
    for _ in range(50):
        running.heard()
    await until(lambda: len(turns) == 2)
    running.wake()
    await until(lambda: len(turns) == 3)

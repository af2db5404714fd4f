"""A drill whose turns always fail is put back all the same when it is stopped."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from kubedrill.controller.metrics import DrillCollector
from kubedrill.controller.settings import OperatorSettings
from kubedrill.controller.turn import Turns
from kubedrill.controller.worker import RESCUED_AFTER, DrillWorker
from kubedrill.kube.client import Kube
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.informers import Informers

DRILL = {"metadata": {"uid": "u", "name": "d", "namespace": "drills"}, "spec": {"targetNamespace": "shop"}}


async def test_after_some_failures_it_is_put_back_without_a_turn(monkeypatch: pytest.MonkeyPatch):
    turns, told, rescued = [], [], asyncio.Event()

    async def broken(_self: Turns) -> None:
        turns.append(1)
        raise TypeError("poison")

    async def noted(_self: Turns, because: str) -> None:
        told.append(because)
        rescued.set()

    monkeypatch.setattr(Turns, "once", broken)
    monkeypatch.setattr(Turns, "put_back_anyway", noted)
    monkeypatch.setattr("kubedrill.controller.worker.BACK_OFF", (timedelta(0),))
    clock = ServerClock(timedelta(0))
    nobody: Any = object.__new__(Kube)
    task = DrillWorker(
        nobody, clock, OperatorSettings(), DRILL, DrillCollector(list, clock.now), Informers(nobody, clock)
    )
    task.start(lambda _uid: None)
    async with asyncio.timeout(5):
        await rescued.wait()
    await task.stop()
    assert told == ["TypeError('poison')"]
    assert len(turns) >= RESCUED_AFTER

"""A drill with stop conditions whose turns fail, or don't end, is put back after a minute, whatever the reason is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from tests.giving_up.lab import Lab, standing
from tests.undo.builders import NOON

from kubedrill.controller import worker
from kubedrill.controller.execute import Executor
from kubedrill.controller.gathering import MonitoringProbe, Probe
from kubedrill.core.machine.phases import Phase
from kubedrill.kube.client import Unreachable

STOPS = [{"name": "checkout-works", "promql": "up == 0"}]


@pytest.fixture
async def lab(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lab]:
    async with standing(monkeypatch, stopWhen=STOPS) as lab:
        lab.in_play()
        await lab.goes_on(2)
        assert lab.state.phase is Phase.IN_PLAY
        yield lab


def turns_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(*_: object, **__: object) -> Probe:
        raise Unreachable("Prometheus is away")

    monkeypatch.setattr(MonitoringProbe, "probe", silent)


async def test_it_is_put_back_without_a_turn(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    turns_fail(monkeypatch)
    await lab.goes_on(50)
    assert lab.limit == "32Mi"
    await lab.goes_on(20)
    assert lab.limit == "128Mi"


async def test_the_status_says_so_as_soon_as_a_turn_succeeds(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    whole = MonitoringProbe.probe
    turns_fail(monkeypatch)
    await lab.goes_on(80)
    monkeypatch.setattr(MonitoringProbe, "probe", whole)
    await lab.goes_on(20)
    lab.assert_put_back_and_ended("StopConditionUnknown", "Stopped")
    assert "whether checkout-works is met could not be checked for 60 s" in lab.cluster.status["message"]


async def test_what_was_unknown_before_counts(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    """Forty seconds without an answer in turns that succeed, then turns that fail: a minute is a minute."""
    since = lab.cluster.now

    async def unanswered(self: MonitoringProbe, *_: object, **__: object) -> Probe:
        return Probe(self._clock.now(), reachable=False, unchecked={"checkout-works": since})

    monkeypatch.setattr(MonitoringProbe, "probe", unanswered)
    await lab.goes_on(40)
    assert (lab.task.failures, lab.limit) == (0, "32Mi")
    turns_fail(monkeypatch)
    await lab.goes_on(30)
    assert lab.limit == "128Mi"


async def test_a_drill_without_stop_conditions_plays_on(monkeypatch: pytest.MonkeyPatch):
    async with standing(monkeypatch) as lab:
        lab.in_play()
        await lab.goes_on(2)
        turns_fail(monkeypatch)
        await lab.goes_on(300)
        assert lab.limit == "32Mi"


async def test_a_failure_that_is_over_before_the_minute_ends_nothing(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    whole = MonitoringProbe.probe
    for _ in range(3):
        turns_fail(monkeypatch)
        await lab.goes_on(40)
        monkeypatch.setattr(MonitoringProbe, "probe", whole)
        await lab.goes_on(10)
    assert (lab.state.phase, lab.limit) == (Phase.IN_PLAY, "32Mi")


async def hangs(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> asyncio.Task[Any]:
    """A turn that hangs already; what is done beside it is done every few milliseconds.

    What a test changes then, the turn has not seen: one that saw the stop would ask nobody, and end.
    """
    asked, never = asyncio.Event(), asyncio.Event()

    async def hanging(*_: object, **__: object) -> Probe:
        asked.set()
        await never.wait()
        raise AssertionError

    monkeypatch.setattr(MonitoringProbe, "probe", hanging)
    monkeypatch.setattr(worker, "OVERDUE", 0.01)
    lab.cluster.now += timedelta(seconds=2)
    turn = asyncio.create_task(lab.task._turn())
    async with asyncio.timeout(10):
        await asked.wait()
    return turn


async def put_back_meanwhile(lab: Lab, turn: asyncio.Task[Any]) -> None:
    async with asyncio.timeout(10):
        while lab.limit != "128Mi":  # noqa: ASYNC110  the server is at the wire
            await asyncio.sleep(0.01)
    assert not turn.done()
    turn.cancel()
    await asyncio.gather(turn, return_exceptions=True)


async def test_a_turn_that_does_not_end_holds_up_no_stop(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    turn = await hangs(lab, monkeypatch)
    lab.wanted("Stop")
    await put_back_meanwhile(lab, turn)


async def test_nor_the_deadline(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    turn = await hangs(lab, monkeypatch)
    lab.cluster.now = NOON + timedelta(hours=2)
    await put_back_meanwhile(lab, turn)


async def test_nor_the_stop_conditions(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    turn = await hangs(lab, monkeypatch)
    lab.cluster.now += timedelta(seconds=61)
    await put_back_meanwhile(lab, turn)


async def test_what_was_put_back_beside_a_turn_is_said_by_the_next(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    """The turn had decided before, that the drill plays on; then it hung in what it had to do."""
    decided, goes_on = asyncio.Event(), asyncio.Event()
    whole = Executor.carry_out

    async def hanging(self: Executor, *args: Any) -> Any:
        decided.set()
        await goes_on.wait()
        return await whole(self, *args)

    monkeypatch.setattr(Executor, "carry_out", hanging)
    monkeypatch.setattr(worker, "OVERDUE", 0.01)
    lab.cluster.now += timedelta(seconds=2)
    turn = asyncio.create_task(lab.task._turn())
    async with asyncio.timeout(10):
        await decided.wait()
    lab.cluster.now += timedelta(seconds=61)
    async with asyncio.timeout(10):
        while lab.limit != "128Mi":  # noqa: ASYNC110  the server is at the wire
            await asyncio.sleep(0.01)
    goes_on.set()
    await turn
    await lab.goes_on(20)
    lab.assert_put_back_and_ended("StopConditionUnknown", "Stopped")

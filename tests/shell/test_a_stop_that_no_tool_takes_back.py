"""Argo CD and Flux put a Drill's spec back as it stands in Git. The facilitator's stop is no part of it, and counts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.giving_up.lab import Lab, standing

from kubedrill.api.drill import Desired
from kubedrill.core.machine.desired import the_word

DRILL = "/apis/kubedrill.dev/v1alpha1/namespaces/drills/drills/storm"


@pytest.fixture
async def lab(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lab]:
    async with standing(monkeypatch) as lab:
        lab.in_play()
        yield lab


def says(lab: Lab, desired: Desired, because: str = "") -> None:
    drill = lab.cluster.drill_now
    meta = drill["metadata"] | the_word(desired, because)["metadata"]
    lab.cluster.put(DRILL, {**drill, "metadata": meta})


async def test_it_is_restored_and_the_reason_is_told(lab: Lab):
    says(lab, Desired.STOP, "a real incident")
    await lab.goes_on(60)
    lab.assert_put_back_and_ended("Stopped", "Stopped")
    assert lab.cluster.status["message"] == "Stopped: a real incident"
    assert lab.cluster.drill_now["spec"]["desired"] == "Run"


async def test_it_is_restored_without_a_turn_where_turns_fail(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    await lab.goes_on(1)

    async def fails(*_: Any, **__: Any) -> Any:
        raise TimeoutError

    monkeypatch.setattr("kubedrill.controller.turn.gather", fails)
    says(lab, Desired.STOP)
    await lab.goes_on(60)
    assert lab.limit == "128Mi"


async def test_an_injection_that_is_under_way_asks_for_it(lab: Lab):
    executor, state = lab.task._turns._actor, lab.state
    assert await executor._still_armed(lab.cluster.drill_now, state)
    says(lab, Desired.STOP)
    assert not await executor._still_armed(lab.cluster.drill_now, state)

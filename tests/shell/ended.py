"""A drill that has ended, and an operator that was started anew and knows it as it is stored."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.giving_up.lab import Lab

from kubedrill.controller.controller import DrillController
from kubedrill.controller.settings import OperatorSettings
from kubedrill.core.machine.phases import TERMINAL


async def ended(lab: Lab) -> None:
    """It was stopped, restored and reported, and its task has come to rest."""
    lab.wanted("Stop")
    await lab.goes_on(60)
    assert lab.state.phase in TERMINAL
    assert lab.task._turns.over
    lab.cluster.writes.clear()


@asynccontextmanager
async def started_anew(lab: Lab) -> AsyncIterator[DrillController]:
    """Another operator, which has not been told of any drill yet."""
    controller = DrillController(lab.kube, lab.clock, OperatorSettings())
    try:
        yield controller
    finally:
        await controller.close()

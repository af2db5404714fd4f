"""An ended drill can be deleted without an operator: whoever is started next takes our finalizer away."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.giving_up.lab import DRILL, Lab, standing
from tests.shell.ended import ended, started_anew

from kubedrill.api.drill import EVIDENCE_MARK, FINALIZER
from kubedrill.controller.controller import DrillController


@pytest.fixture
async def lab(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lab]:
    async with standing(monkeypatch) as lab:
        lab.in_play()
        yield lab


@pytest.fixture
async def controller(lab: Lab) -> AsyncIterator[DrillController]:
    async with started_anew(lab) as controller:
        yield controller


async def test_one_that_has_still_our_finalizer_is_taken_up(lab: Lab, controller: DrillController):
    await ended(lab)
    drill = lab.cluster.drill_now
    controller.changed({**drill, "metadata": {**drill["metadata"], "finalizers": [FINALIZER]}}, gone=False)
    assert drill["metadata"]["uid"] in controller._tasks


async def test_one_without_it_needs_nobody(lab: Lab, controller: DrillController):
    await ended(lab)
    assert FINALIZER not in lab.cluster.drill_now["metadata"]["finalizers"]
    controller.changed(lab.cluster.drill_now, gone=False)
    assert not controller._tasks


async def test_a_mark_of_evidence_that_is_longer_than_it_is_kept_is_read_once(lab: Lab, controller: DrillController):
    await ended(lab)
    drill = lab.cluster.drill_now
    marked = {**drill["metadata"], "annotations": {EVIDENCE_MARK: "audit\n" * 200}}
    lab.cluster.put(DRILL, {**drill, "metadata": marked})
    await lab.goes_on(60)
    revision = lab.state.reported
    await lab.goes_on(60)
    assert lab.state.reported == revision
    controller.changed(lab.cluster.drill_now, gone=False)
    assert not controller._tasks

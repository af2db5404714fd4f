"""Undo records whose Drill is gone are put back by themselves, and no others."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from tests.undo.builders import UNDO
from tests.watchdog.wire import DRILLS, Cluster, standing, status

from kubedrill.core.undo.operations import Ask
from kubedrill.core.undo.record import OutsideGroup
from kubedrill.kube.client import Kube
from kubedrill.protocol import orphans
from kubedrill.protocol.drill_liveness import DrillLiveness
from kubedrill.protocol.orphans import put_back_orphans
from kubedrill.protocol.outcomes import RevertOutcome
from kubedrill.protocol.revert import revert
from kubedrill.protocol.revert_tracker import RevertTracker
from kubedrill.store.undo_records import StoredRecord, list_records


class Sweep:
    """A cluster with a drill's fault in it, and the sweep for orphans."""

    error = timedelta(0)

    def __init__(self, cluster: Cluster, kube: Kube) -> None:
        self.cluster, self.kube = cluster, kube
        self.sightings, self.undoing = DrillLiveness(self.seconds), RevertTracker()
        cluster.fault()

    def now(self):
        return self.cluster.now

    def seconds(self) -> float:
        return self.cluster.now.timestamp()

    async def __call__(self) -> int:
        stored = (await list_records(self.kube, "drills")).readable
        return await put_back_orphans(self.kube, stored, "Operator", self, {}, self.sightings, self.undoing)


@pytest.fixture
async def sweep() -> AsyncIterator[Sweep]:
    async with standing() as (cluster, kube):
        yield Sweep(cluster, kube)


async def test_a_record_whose_drill_is_gone_is_put_back_and_closed(sweep: Sweep):
    assert await sweep() == 1
    assert sweep.cluster.limit == "128Mi"
    assert not sweep.cluster.records()


async def test_a_record_whose_drill_is_there_is_left_alone(sweep: Sweep):
    sweep.cluster.drill()
    assert await sweep() == 0
    assert not sweep.cluster.writes


def unserved() -> web.Response:
    return web.Response(status=404, text="404 page not found")


async def test_a_kind_that_is_not_served_counts_as_gone_by_the_second_sweep_only(sweep: Sweep):
    sweep.cluster.answering = lambda request: unserved() if request.path.startswith(DRILLS) else None
    assert await sweep() == 0
    assert sweep.cluster.limit == "32Mi"
    sweep.cluster.passes(seconds=30)
    assert await sweep() == 1
    assert sweep.cluster.limit == "128Mi"


@pytest.mark.parametrize("answer", [lambda: status(403), lambda: status(500)], ids=["403", "500"])
async def test_what_cannot_be_read_is_no_orphan_however_long(sweep: Sweep, answer: Callable[[], web.Response]):
    sweep.cluster.answering = lambda request: answer() if request.path.startswith(DRILLS) else None
    for _ in range(5):
        assert await sweep() == 0
        sweep.cluster.passes(minutes=5)


async def test_one_that_is_refused_holds_up_no_other(sweep: Sweep):
    sweep.cluster.ask(OutsideGroup("plug", Ask("pull the plug", "restore it")))
    sweep.cluster.answering = lambda request: (
        status(403) if request.method == "PATCH" and "deployments" in request.path else None
    )
    assert await sweep() == 1
    assert list(sweep.cluster.records()) == [UNDO]


async def test_one_that_cannot_be_put_back_holds_up_no_other_and_is_tried_ever_less_often(sweep: Sweep):
    """They went one after the other, and every sweep asked for each again at once."""
    sweep.cluster.ask(OutsideGroup("poison", Ask("do it", "undo it")))
    tried = []

    def refusing(request: web.Request) -> web.Response | None:
        if request.path.endswith("/deployments/web") and request.method == "PATCH":
            tried.append(sweep.cluster.now)
            return status(403, "Forbidden")
        return None

    sweep.cluster.answering = refusing
    assert await sweep() == 1
    assert list(sweep.cluster.records()) == [UNDO]
    for _ in range(100):
        sweep.cluster.passes(seconds=1)
        await sweep()
    pauses = [(later - before).total_seconds() for before, later in itertools.pairwise(tried)]
    assert pauses == sorted(pauses)
    assert pauses[-1] >= 16
    assert list(sweep.undoing.stuck(sweep.now())) == [UNDO]
    sweep.cluster.answering = lambda _: None
    sweep.cluster.passes(seconds=60)
    assert await sweep() == 1
    assert not sweep.undoing.stuck(sweep.now())


async def test_one_whose_undo_fails_in_an_unheard_of_way_holds_up_no_other(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
):
    sweep.cluster.ask(OutsideGroup("cable", Ask("do it", "undo it")))
    whole = revert

    async def poison(kube: Kube, stored: StoredRecord, *args: Any, **kwargs: Any) -> RevertOutcome:
        if stored.ref.name == UNDO:
            raise AttributeError("poison")
        return await whole(kube, stored, *args, **kwargs)

    monkeypatch.setattr(orphans, "revert", poison)
    assert await sweep() == 1
    assert list(sweep.cluster.records()) == [UNDO]
    assert sweep.undoing.stuck(sweep.now()) == {UNDO: "Failed: AttributeError('poison')"}


async def test_what_is_closed_by_somebody_else_is_forgotten(sweep: Sweep):
    sweep.undoing.troubled("undo-9", "Refused", "no", sweep.now(), refused=True)
    await sweep()
    assert not sweep.undoing.stuck(sweep.now())

"""A target namespace that is gone is watched no more; one that may not be read for a while is tried again."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from tests.observers.builders import drill_plan
from tests.observers.wire import standing, until

from kubedrill.controller.gathering import FactInbox, NamespaceWatches, Scope, namespace
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.informers import Informers

CLOCK = ServerClock(timedelta(0))
SPACE = "/api/v1/namespaces/shop"
PODS = f"{SPACE}/pods"
SAID_IN_CONTROL = "/apis/kubedrill.dev/v1alpha1/namespaces/drills/playeractions"
SCOPE = Scope("monday", "drills", CLOCK.now() - timedelta(minutes=5))


@pytest.fixture(autouse=True)
def _starts_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespace, "SYNC_WITHIN", 0.02)  # nobody waits for what is refused


@asynccontextmanager
async def observed(*, gone: bool = False, refused: int = 0):
    async with standing() as (wire, kube):
        wire.gone |= {SPACE} if gone else set()
        wire.refuse |= {PODS: refused} if refused else {}
        informers = Informers(kube, CLOCK)
        observer = NamespaceWatches(informers, CLOCK, FactInbox(), lambda: None)
        await observer.start(drill_plan(), SCOPE)
        try:
            yield wire, observer, informers
        finally:
            await observer.stop()


def ended(observer: NamespaceWatches) -> int:
    return sum("is gone" in problem for problem in observer.problems)


async def test_all_watches_of_a_namespace_end_when_it_is_gone():
    async with observed() as (wire, observer, informers):
        everything = len(informers)
        await until(lambda: len(wire.watches) == everything)
        wire.gone.add(SPACE)
        for path in dict(wire.watches):
            await wire.cut(path)
        await until(lambda: ended(observer) == everything - 1)
        await until(lambda: wire.watched(SAID_IN_CONTROL)[1:])
        asked = len(wire.lists), len(wire.watches)
        await asyncio.sleep(0.1)  # ten times as long as a watch waits before it tries again
        assert (len(wire.lists), len(wire.watches)) == asked
        assert len(informers) == 1  # that of the control namespace, which is there


async def test_a_forbidden_list_in_a_namespace_that_is_gone_ends_its_watch_and_holds_up_no_start():
    """The rights were in the namespace and are gone with it: every list is a 403, for ever."""
    async with observed(gone=True, refused=403) as (wire, observer, _):
        await until(lambda: ended(observer) >= 1)
        assert PODS not in dict(wire.watches)


async def test_a_drill_in_a_namespace_that_was_made_again_gets_watches_of_its_own():
    async with observed(gone=True, refused=403) as (wire, observer, informers):
        await until(lambda: ended(observer) >= 1)
        wire.gone.clear()
        wire.refuse.clear()
        another = NamespaceWatches(informers, CLOCK, FactInbox(), lambda: None)
        await another.start(drill_plan(), SCOPE)
        await until(lambda: another.heard)
        assert another.problems == ()
        await another.stop()


async def test_rights_that_are_missing_in_a_namespace_that_is_there_are_waited_for():
    async with observed(refused=403) as (wire, observer, _):
        assert ended(observer) == 0
        wire.refuse.clear()
        await until(lambda: PODS in dict(wire.watches))


async def test_that_the_namespace_cannot_be_read_ends_nothing():
    async with observed(refused=403) as (wire, observer, _):
        wire.refuse[SPACE] = 403
        await until(lambda: wire.asked.count(PODS) > 10)
        assert ended(observer) == 0


async def test_a_drill_that_ends_takes_all_its_tasks_with_it():
    before = asyncio.all_tasks()
    async with observed() as (wire, observer, informers):
        await until(lambda: len(wire.watches) == len(informers))
        await observer.stop()
        await until(lambda: not {t for t in asyncio.all_tasks() - before if t.get_name().startswith("watch ")})

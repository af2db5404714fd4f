"""One watch for all who want to know of a collection; to each it is as if it were his own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from tests.observers.builders import drill_plan
from tests.observers.wire import Wire, standing, thing, until

from kubedrill.controller.gathering import FactInbox, NamespaceWatches, Scope
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.kube import watch
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.informers import Informers, InNamespace, Subscription
from kubedrill.kube.lanes import CONNECTIONS, Lane
from kubedrill.kube.paths import PODS
from kubedrill.kube.watch import WatchEvent
from kubedrill.plugins.sources import watched_kinds

PATH = "/api/v1/namespaces/shop/pods"
CLOCK = ServerClock(timedelta(0))
MINUTE = timedelta(minutes=1)


class Subscriber:
    """What one subscriber was told."""

    def __init__(self, informers: Informers, **memory) -> None:
        self.events: list[WatchEvent] = []
        self.gaps: list[Fact] = []
        self.subscription: Subscription = informers.subscribe(
            InNamespace(PODS, "shop"), self.events.extend, self.gaps.append, **memory
        )
        self.subscription.begin()

    @property
    def seen(self) -> list[tuple[str, str]]:
        return [(e.type, e.object["metadata"]["name"]) for e in self.events]


@asynccontextmanager
async def informed() -> AsyncIterator[tuple[Wire, Informers]]:
    async with standing() as (wire, kube):
        informers = Informers(kube, CLOCK)
        yield wire, informers
        for informer in tuple(informers._running.values()):
            for subscription in tuple(informer._subscriptions):
                await subscription.end()


async def test_two_subscribers_share_one_list_and_one_watch():
    async with informed() as (wire, informers):
        wire.put(PATH, 5, thing("a", 3))
        one, other = Subscriber(informers), Subscriber(informers)
        await wire.tell(PATH, "ADDED", thing("b", 6))
        await until(lambda: len(other.events) == 2)
        assert one.seen == other.seen == [("ADDED", "a"), ("ADDED", "b")]
        assert (wire.lists, wire.watched(PATH), len(informers)) == ([PATH], ["5"], 1)


async def test_who_comes_later_is_told_at_once_what_is_there():
    async with informed() as (wire, informers):
        wire.put(PATH, 5, thing("a", 3))
        first = Subscriber(informers)
        await wire.tell(PATH, "MODIFIED", thing("a", 6, replicas=2))
        await until(lambda: len(first.events) == 2)
        later = Subscriber(informers)
        assert later.subscription.is_listed
        assert later.seen == [("ADDED", "a")]
        assert later.events[0].object["spec"] == {"replicas": 2}
        assert later.gaps == []
        assert len(first.events) == 2


@pytest.mark.parametrize("there_already", [True, False])
async def test_after_a_restart_each_is_told_what_changed_since_he_knew_it(there_already: bool):
    """Whether somebody else watches already, or nobody."""
    known, since = [thing("a", 3, replicas=1), thing("b", 4)], CLOCK.now() - MINUTE
    async with informed() as (wire, informers):
        wire.put(PATH, 9, thing("a", 8, replicas=2))
        if there_already:
            await Subscriber(informers).subscription.listed_once()
            await until(lambda: wire.watches)
        back = Subscriber(informers, known=known, since=since)
        (gap,) = await until(lambda: back.gaps)
        assert back.seen == [("DELETED", "b"), ("MODIFIED", "a")]
        assert back.events[1].before == known[0]
        assert {e.receipt.since for e in back.events} == {since}
        assert (gap.kind, gap.at.not_before) == (FactKind.GAP, since)


async def test_until_the_gap_since_a_restart_was_told_everything_is_told_until_then_and_no_longer():
    since = CLOCK.now() - MINUTE
    async with informed() as (_, informers):
        back = Subscriber(informers, since=since)
        assert back.subscription.told_until is None
        back.subscription._is_told = True
        assert back.subscription.told_until == since
        back.subscription._is_told = False
        await until(lambda: back.gaps)
        assert back.subscription.told_until is not None
        assert CLOCK.now() - back.subscription.told_until < watch.LAG + timedelta(seconds=5)


async def test_a_break_of_the_watch_is_a_gap_for_all(monkeypatch):
    monkeypatch.setattr(watch, "GAP", timedelta(0))
    async with informed() as (wire, informers):
        one, other = Subscriber(informers), Subscriber(informers)
        await until(lambda: wire.watches)
        await wire.tell(PATH, "ADDED", thing("a", 6))
        await wire.cut(PATH)
        await until(lambda: one.gaps and other.gaps)
        assert one.gaps == other.gaps


async def test_an_event_beside_many_objects_asks_for_none_of_the_others(monkeypatch):
    async with informed() as (wire, informers):
        wire.put(PATH, 5, thing("a", 3))
        one = Subscriber(informers)
        await until(lambda: one.events)
        asked: list[int] = []

        def objects(_watch: watch.Watch) -> tuple[()]:
            asked.append(1)
            return ()

        monkeypatch.setattr(watch.Watch, "objects", property(objects))
        await wire.tell(PATH, "ADDED", thing("b", 6))
        await until(lambda: len(one.events) == 2)
        assert asked == []


async def test_what_one_subscriber_cannot_read_holds_up_no_other():
    async with informed() as (wire, informers):
        wire.put(PATH, 5, thing("a", 3))

        def poisoned(_events: object) -> None:
            raise KeyError("status")

        informers.subscribe(InNamespace(PODS, "shop"), poisoned, lambda _: None).begin()
        good = Subscriber(informers)
        await wire.tell(PATH, "ADDED", thing("b", 6))
        await until(lambda: good.seen == [("ADDED", "a"), ("ADDED", "b")])


async def test_it_is_watched_while_anybody_wants_to_know_and_anew_for_who_comes_after():
    async with informed() as (wire, informers):
        one, other = Subscriber(informers), Subscriber(informers)
        await until(lambda: PATH in wire._live)
        await one.subscription.end()
        assert len(informers) == 1
        await wire.tell(PATH, "ADDED", thing("a", 6))
        await until(lambda: other.events)
        assert one.events == []
        await other.subscription.end()
        assert len(informers) == 0
        again = Subscriber(informers)
        await until(lambda: again.subscription.is_listed)
        assert wire.lists == [PATH, PATH]


async def test_so_many_connections_are_needed_for_so_many_drills():
    """Stated: five watches a namespace with a drill in play, and one for the words in the control namespace."""
    async with standing() as (_, kube):
        informers = Informers(kube, CLOCK)
        scope = Scope("d", "drills", CLOCK.now())
        drills = [NamespaceWatches(informers, CLOCK, FactInbox(), lambda: None) for _ in range(5)]
        for n, one in enumerate(drills):
            await one.start(drill_plan(namespace=f"shop-{n % 4}"), scope)
        a_namespace = len([one for one in watched_kinds().values() if not one.where_made]) + 1
        assert len(informers) == 4 * a_namespace + 1
        assert (CONNECTIONS[Lane.WATCHES] - 1) // a_namespace >= 95
        for one in drills:
            await one.stop()
        assert len(informers) == 0

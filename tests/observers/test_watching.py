import asyncio
import itertools
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, cast

from tests.observers.wire import standing, thing, until

from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.kube import watch as watching
from kubedrill.kube.client import Answer, Kube
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.paths import PODS
from kubedrill.kube.watch import LAG, Collection, Watch, WatchEvent

PATH = PODS.of("shop")
CLOCK = ServerClock(timedelta(0))


@asynccontextmanager
async def watched(told=None, **collection):
    """A watch of the played collection: the wire, the watch, the events and the gaps."""
    events: list[WatchEvent] = []
    gaps: list[Fact] = []
    async with standing() as (wire, kube):
        watch = Watch(kube, CLOCK, Collection(PATH, **collection), told or events.extend, gaps.append)
        task = asyncio.create_task(watch.run())
        try:
            yield wire, watch, events, gaps
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def seen(events):
    return [(e.type, e.object["metadata"]["name"]) for e in events]


async def test_what_is_there_already_is_told_first():
    async with watched() as (wire, watch, events, _):
        wire.put(PATH, 5, thing("a", 3), thing("b", 4))
        await watch.synced.wait()
        assert seen(events) == [("ADDED", "a"), ("ADDED", "b")]


async def test_a_list_is_read_page_by_page_and_told_at_once():
    told: list[Any] = []
    async with standing() as (wire, kube):
        wire.page = 2
        wire.put(PATH, 5, *(thing(name, 3) for name in "abcde"))
        watch = Watch(kube, CLOCK, Collection(PATH), told.append)
        task = asyncio.create_task(watch.run())
        await watch.synced.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert wire.lists == [PATH] * 3
        assert [seen(events) for events in told] == [[("ADDED", name) for name in "abcde"]]


async def test_a_list_whose_next_page_has_expired_is_begun_anew_and_what_may_have_gone_meanwhile_is_a_gap():
    async with watched() as (wire, watch, events, gaps):
        wire.page, wire.forgets_pages = 2, 1
        wire.put(PATH, 5, *(thing(name, 3) for name in "abc"))
        await watch.synced.wait()
        assert [name for _, name in seen(events)] == ["a", "b", "c"]
        assert watch.problem == ""
        assert [(gap.kind, gap.at.not_after > gap.at.not_before) for gap in gaps] == [(FactKind.GAP, True)]


async def test_of_each_object_the_declared_fields_are_kept():
    async with watched(kind="Pod", fields=frozenset({"spec.replicas"})) as (wire, watch, events, _):
        wire.put(PATH, 5, thing("a", 3, replicas=1, image="app"))
        await wire.tell(PATH, "MODIFIED", thing("a", 6, replicas=2, image="app"))
        await until(lambda: len(events) == 2)
        assert [e.object["spec"] for e in events] == [{"replicas": 1}, {"replicas": 2}]
        assert watch.objects == ({"kind": "Pod", "metadata": {"name": "a", "uid": "uid-a"}, "spec": {"replicas": 2}},)


async def test_items_of_a_list_get_back_the_kind_that_the_list_leaves_out():
    async with watched(kind="Pod") as (wire, watch, events, _):
        wire.put(PATH, 5, thing("a", 3))
        await watch.synced.wait()
        assert events[0].object["kind"] == "Pod"


async def test_a_live_event_comes_with_its_last_state_and_a_receipt_of_now():
    async with watched() as (wire, _watch, events, _):
        wire.put(PATH, 5, thing("a", 3, replicas=1))
        await wire.tell(PATH, "MODIFIED", thing("a", 6, replicas=2))
        await until(lambda: len(events) == 2)
        assert events[1].before["spec"] == {"replicas": 1}
        assert CLOCK.now() - events[1].receipt.at < timedelta(seconds=1)


async def test_a_live_watch_bounds_an_event_by_its_lag(monkeypatch):
    monkeypatch.setattr(watching, "LAG", timedelta(milliseconds=50))
    async with watched() as (wire, watch, events, _):
        await until(lambda: watch.heard and wire.watches and CLOCK.now() - watch.heard > timedelta(milliseconds=80))
        await wire.tell(PATH, "ADDED", thing("a", 6))
        await until(lambda: events)
        assert events[0].receipt.at - events[0].receipt.since == timedelta(milliseconds=50)


async def test_a_cut_connection_goes_on_where_it_ended_and_loses_nothing():
    async with watched() as (wire, _watch, events, _):
        await wire.tell(PATH, "ADDED", thing("a", 6))
        await until(lambda: events)
        await wire.cut(PATH)
        await wire.tell(PATH, "ADDED", thing("b", 7))
        await until(lambda: len(events) == 2)
        assert wire.lists == [PATH]
        assert wire.watched(PATH)[-1] == "6"


async def test_what_comes_right_after_a_cut_may_have_happened_since_the_cut():
    async with watched() as (wire, _watch, events, _):
        await wire.tell(PATH, "ADDED", thing("a", 6))
        await until(lambda: events)
        before = CLOCK.now()
        await wire.cut(PATH)
        await wire.tell(PATH, "MODIFIED", thing("a", 7))
        await until(lambda: len(events) == 2)
        assert events[1].receipt.since <= before + timedelta(seconds=1) - LAG


async def test_a_bookmark_moves_the_version_and_is_no_event():
    async with watched() as (wire, _watch, events, _):
        await wire.tell(PATH, "BOOKMARK", {"metadata": {"resourceVersion": "90"}})
        await wire.cut(PATH)
        await until(lambda: wire.watched(PATH)[-1] == "90")
        assert events == []


async def test_expired_versions_are_listed_anew_and_the_difference_is_told():
    async with watched() as (wire, watch, events, _):
        wire.put(PATH, 5, thing("a", 3, replicas=1), thing("b", 4))
        await watch.synced.wait()
        wire.put(PATH, 50, thing("a", 40, replicas=2), thing("c", 41))
        wire.expired = True
        await wire.cut(PATH)
        await until(lambda: len(events) == 5)
        assert seen(events[2:]) == [("DELETED", "b"), ("MODIFIED", "a"), ("ADDED", "c")]
        assert events[3].before["spec"] == {"replicas": 1}


async def test_an_expiry_in_the_middle_of_a_watch_is_listed_anew_as_well():
    async with watched() as (wire, watch, _events, _):
        await wire.tell(PATH, "ERROR", {"kind": "Status", "code": 410, "reason": "Expired"})
        await until(lambda: wire.lists == [PATH, PATH])
        assert watch.problem == ""


async def test_a_time_in_which_nothing_was_watched_is_told_as_a_gap(monkeypatch):
    monkeypatch.setattr(watching, "GAP", timedelta(0))
    async with watched() as (wire, _watch, _, gaps):
        await wire.tell(PATH, "ADDED", thing("a", 6))
        assert gaps == []
        await wire.cut(PATH)
        (gap,) = await until(lambda: gaps)
        assert gap.kind is FactKind.GAP
        assert gap.at.not_after >= gap.at.not_before


async def test_a_quiet_watch_that_stands_has_told_everything_until_just_now():
    async with watched() as (wire, watch, _, __):
        assert watch.told_until is None
        await until(lambda: wire.watches and watch.told_until)
        assert watch.told_until is not None
        assert CLOCK.now() - watch.told_until < LAG + timedelta(seconds=1)
        wire.refuse[PATH] = 503
        await wire.cut(PATH)
        await until(lambda: watch.problem)
        ended = watch.told_until
        assert ended is not None
        await until(lambda: CLOCK.now() - ended > LAG + timedelta(milliseconds=50))
        assert watch.told_until == ended


async def test_a_refused_list_is_a_problem_that_is_tried_again():
    async with watched() as (wire, watch, _, __):
        wire.refuse[PATH] = 403
        await until(lambda: "403" in watch.problem)
        del wire.refuse[PATH]
        await watch.synced.wait()
        assert watch.problem == ""


async def test_events_that_can_not_be_read_dont_end_the_watch():
    read = []

    def picky(events):
        if any(e.object["metadata"]["name"] == "poison" for e in events):
            raise KeyError("status")
        read.extend(events)

    async with watched(told=picky) as (wire, _watch, _, __):
        await wire.tell(PATH, "ADDED", thing("poison", 6))
        await wire.tell(PATH, "ADDED", thing("good", 7))
        await until(lambda: seen(read) == [("ADDED", "good")])


async def test_an_event_without_an_object_is_passed_over():
    async with watched() as (wire, _watch, events, _):
        await wire.tell(PATH, "ADDED", None)
        await wire.tell(PATH, "ADDED", thing("good", 7))
        await until(lambda: ("ADDED", "good") in seen(events[-1:]))


async def test_it_ends_when_it_is_told_to_in_the_very_moment_in_which_an_event_comes():
    class Talking:
        """An API server whose watch always has another event ready."""

        async def get(self, _path, **_):
            return Answer(200, {"items": [], "metadata": {"resourceVersion": "1"}})

        async def watch(self, *_, opened, **__):
            opened()
            for version in itertools.count(2):
                await asyncio.sleep(0)
                yield {"type": "ADDED", "object": thing("a", version)}

    for turns in range(200):
        watch = Watch(cast("Kube", Talking()), CLOCK, Collection(PATH), lambda _: None)
        task = asyncio.create_task(watch.run())
        await watch.synced.wait()
        for _ in range(turns % 7):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=5)
        assert done

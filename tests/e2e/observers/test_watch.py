"""The watch against a real API server: what it tells, how late, and through cuts and expired versions."""

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from kubedrill.core.evidence.facts import Interval
from kubedrill.core.paths import ApiPath
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.watch import Collection, Watch

CLOCK = ServerClock(timedelta(milliseconds=100))
DEADLINE = 30


async def until(condition):
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110  any condition
            await asyncio.sleep(0.01)


class Maps:
    """ConfigMaps of one test, and the watch's word about them."""

    def __init__(self, kube, namespace, label):
        self._kube, self._label = kube, label
        self.path = ApiPath(f"/api/v1/namespaces/{namespace}/configmaps")
        self.query = (("labelSelector", f"test={label}"),)
        self.events, self.gaps = [], []

    async def create(self, name):
        """Creates one; gives when it was sent and answered."""
        body = {"metadata": {"name": f"{self._label}-{name}", "labels": {"test": self._label}}}
        sent = CLOCK.now()
        answer = await self._kube.call("POST", self.path, body)
        assert answer.ok, answer.message
        return Interval(sent, CLOCK.now())

    async def remove(self, name):
        assert (await self._kube.call("DELETE", f"{self.path}/{self._label}-{name}")).ok

    def told(self, kind):
        return [e.object["metadata"]["name"].removeprefix(f"{self._label}-") for e in self.events if e.type == kind]


@asynccontextmanager
async def watched(kube, observing, namespace, label):
    maps = Maps(kube, namespace, label)
    watch = Watch(observing, CLOCK, Collection(maps.path, query=maps.query), maps.events.extend, maps.gaps.append)
    task = asyncio.create_task(watch.run())
    try:
        await asyncio.wait_for(watch.synced.wait(), DEADLINE)
        yield maps, watch
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_every_true_instant_lies_in_its_interval_and_none_is_wider_than_stated(kube, observing, namespace):
    async with watched(kube, observing, namespace, "exact") as (maps, _):
        await asyncio.sleep(1.1)  # a watch that stands only just now states a wider interval
        truths = [await maps.create(n) for n in range(20)]
        await until(lambda: len(maps.events) == len(truths))
        for truth, event in zip(truths, maps.events, strict=True):
            seen = event.receipt.interval()
            assert seen.not_before <= truth.not_before
            assert truth.not_after - seen.not_after <= CLOCK.error
            assert seen.width <= timedelta(seconds=1) + 2 * CLOCK.error


async def test_a_cut_line_loses_nothing_and_the_gap_is_told(kube, observing, line, namespace):
    async with watched(kube, observing, namespace, "cut") as (maps, watch):
        await maps.create("before")
        await until(lambda: maps.told("ADDED") == ["before"])
        await line.cut()
        truth = await maps.create("meanwhile")
        await maps.remove("before")
        await until(lambda: watch.problem and CLOCK.now() - truth.not_after > timedelta(seconds=3.5))
        await line.open()
        await until(lambda: maps.told("DELETED") == ["before"])
        assert maps.told("ADDED") == ["before", "meanwhile"]
        event = next(e for e in maps.events if e.object["metadata"]["name"] == "cut-meanwhile")
        assert event.receipt.interval().not_before <= truth.not_before
        (gap,) = maps.gaps
        assert gap.at.not_before <= truth.not_before
        assert gap.at.not_after >= truth.not_after


async def test_an_expired_version_is_listed_anew_and_the_difference_is_told(kube, observing, line, namespace):
    async with watched(kube, observing, namespace, "expired") as (maps, watch):
        await maps.create("kept")
        await maps.create("removed")
        await until(lambda: len(maps.told("ADDED")) == 2)
        await line.cut()
        await maps.remove("removed")
        await maps.create("new")
        watch._version = "1"  # as after a long time: the API server does not know it any more
        await line.open()
        await until(lambda: maps.told("DELETED") == ["removed"])
        assert maps.told("ADDED") == ["kept", "removed", "new"]
        await maps.create("later")
        await until(lambda: "later" in maps.told("ADDED"))

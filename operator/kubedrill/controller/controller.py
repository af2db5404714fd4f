"""The desk: one task a Drill, woken by whatever happens, and the orphans that no Drill speaks for any more.

What woke a task makes no difference to what it does (level-triggered), so a lost or doubled wake-up costs at
most a moment.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from kubedrill.api.drill import FINALIZER
from kubedrill.controller.execute import OPERATOR
from kubedrill.controller.heartbeat import Heartbeat
from kubedrill.controller.http import make_app, serve
from kubedrill.controller.metrics import DrillCollector
from kubedrill.controller.received import NotStored
from kubedrill.controller.settings import OperatorSettings
from kubedrill.controller.witness import WitnessServer
from kubedrill.controller.worker import DrillWorker
from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import Fact
from kubedrill.core.machine.expiry import expires_at, ttl_of
from kubedrill.core.machine.kept import imported_mark
from kubedrill.core.machine.phases import TERMINAL, Phase
from kubedrill.core.machine.state import state_from_wire
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.informers import Informers
from kubedrill.plugins.channels import discover
from kubedrill.plugins.operations.catalogue import all_reverters
from kubedrill.protocol.drill_liveness import DrillLiveness
from kubedrill.protocol.orphans import put_back_orphans
from kubedrill.protocol.revert_tracker import RevertTracker
from kubedrill.store.drill_parts import EvidenceRefused
from kubedrill.store.undo_records import RecordError, list_records

LOG = logging.getLogger(__name__)
ORPHANS_EVERY = 30.0
UNREADY_AFTER = 5
"""With more turns of every drill failing in a row, and more than one drill, the operator serves nobody."""
TOLD_WITHIN = 10.0
"""After so many seconds, Drills that were there at the start and were not told of are taken to be gone."""
SILENT_FOR = timedelta(seconds=90)
"""An API server that has answered nothing for so long (it is asked every 30 s at the least) can't be worked with."""


class DrillController:
    """All Drills of the control namespace that this operator knows."""

    def __init__(self, kube: Kube, clock: ServerClock, settings: OperatorSettings) -> None:
        self.kube, self.clock, self.settings = kube, clock, settings
        self._drills: dict[str, dict[str, Any]] = {}
        self._tasks: dict[str, DrillWorker] = {}
        self._orphans = RevertTracker()
        self._informers = Informers(kube, clock)
        self._expected, self._expected_until = 0, 0.0
        self.collector = DrillCollector(lambda: list(self._drills.values()), clock.now, self.stuck, self.failing)

    def changed(self, drill: dict[str, Any], *, gone: bool) -> None:
        """A Drill appeared, changed or went; its task is woken, or made."""
        uid = drill["metadata"]["uid"]
        if gone:
            self._drills.pop(uid, None)
        else:
            self._drills[uid] = drill
        task = self._tasks.get(uid)
        if task is None and not gone and is_settled(drill):
            return
        (task or self._begun(drill)).wake()

    def _begun(self, drill: dict[str, Any]) -> DrillWorker:
        uid = drill["metadata"]["uid"]
        task = DrillWorker(self.kube, self.clock, self.settings, drill, self.collector, self._informers)
        self._tasks[uid] = task
        task.start(self._ended)
        return task

    def take_up(self, uids: Iterable[str]) -> None:
        """Drills that need a task again although they had ended.

        There are undo records of them (a late packet may make one), or their `ttlAfterFinished` is over.
        """
        for uid in set(uids) & self._drills.keys() - self._tasks.keys():
            self._begun(self._drills[uid]).wake()

    def expired(self) -> Iterator[str]:
        """The UIDs of the ended drills that are to be deleted by now. Until then they need no task."""
        now = self.clock.now()
        return (uid for uid, drill in self._drills.items() if is_expired(drill, now))

    def _ended(self, uid: str) -> None:
        self._tasks.pop(uid, None)

    def expects(self, drills: int) -> None:
        """So many Drills are there, and those that are not known yet will be told of in a moment."""
        self._expected, self._expected_until = drills, time.monotonic() + TOLD_WITHIN

    async def receive(self, namespace: str, facts: tuple[Fact, ...]) -> None:
        """Something came in from outside for a target namespace: it is stored with each drill there that is on.

        Raises:
            NotStored: it is not, or not with each; bringing it again does no harm, and is of use unless `for_good`.
        """
        self._demand_known()
        tasks = [task for task in self._tasks.values() if task.target_namespace == namespace]
        ends = await asyncio.gather(*(_received(task, facts) for task in tasks))
        refusals = sorted((end for end in ends if end), key=lambda end: end.for_good)
        if refusals:
            raise refusals[0]

    def targets(self) -> frozenset[str]:
        """The target namespaces of the drills that are on. Raises NotStored."""
        self._demand_known()
        return frozenset(task.target_namespace for task in self._tasks.values())

    def _demand_known(self) -> None:
        if len(self._drills) < self._expected and time.monotonic() < self._expected_until:
            raise NotStored("the operator does not know all drills yet")

    async def about(self, namespace: str) -> About:
        """Which alerts are about a target namespace, as the drills on it know it after their first turn."""
        tasks = [task for task in self._tasks.values() if task.target_namespace == namespace]
        await asyncio.gather(*(task.known() for task in tasks))
        known = (task.about for task in tasks)
        return next((about for about in known if about), About(namespace))

    def stuck(self) -> Iterator[tuple[str, str, str]]:
        """Control namespace, drill and record of each undo that is stuck, as the tasks and the sweep know it."""
        for task in self._tasks.values():
            yield from ((self.settings.namespace, task.name, record) for record in task.stuck())
        yield from ((self.settings.namespace, "", record) for record in self._orphans.stuck(self.clock.now()))

    def failing(self) -> Iterator[tuple[str, str, int]]:
        """Control namespace and name of each drill whose last turn failed, and how many have failed in a row."""
        for task in self._tasks.values():
            if task.failures:
                yield self.settings.namespace, task.name, task.failures

    def ready(self) -> str:
        """Empty while the operator can work for anybody; else what is missing.

        The CRDs were looked for before all else. What is wrong with one drill is no reason: the others are served,
        and an operator that is not ready gets no webhooks and no scrapes.
        """
        if self.kube.silent_for >= SILENT_FOR:
            return f"the API server has not answered for {self.kube.silent_for.total_seconds():.0f} s"
        tasks = tuple(self._tasks.values())
        if len(tasks) > 1 and all(task.failures > UNREADY_AFTER for task in tasks):
            return f"the turns of all {len(tasks)} drills fail"
        return ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """The HTTP server, the sweep for orphans and the heartbeat, for as long as the operator runs."""
        token, deliver = self.settings.webhook_token, self.receive
        app = make_app(token, deliver, self.about, self.collector, self.ready, self.clock, self.targets)
        heartbeat = Heartbeat(self.kube, self.settings.namespace, self.clock, lambda: bool(self._tasks))
        beside = [asyncio.create_task(one) for one in (self._sweep(), heartbeat.run(), *self._witnesses())]
        async with serve(app, self.settings.port):
            try:
                yield
            finally:
                for task in beside:
                    task.cancel()
                await self.close()

    def _witnesses(self) -> Iterator[Coroutine[Any, Any, None]]:
        """What serves the API server's questions, where a folder for its Secret is mounted."""
        settings = self.settings
        for channel in discover().values() if settings.witness_folder else ():
            if channel.admission is not None:
                server = WitnessServer(channel.admission, self.receive, self.clock, self.collector.messages)
                yield server.run(Path(settings.witness_folder), settings.witness_host, settings.witness_port)

    async def close(self) -> None:
        """Ends all tasks, without a last turn: whoever is started next reads where they stood."""
        for task in list(self._tasks.values()):
            await task.stop()

    async def _sweep(self) -> None:
        sightings, reverters, kube = DrillLiveness(), all_reverters(self.kube, self.clock.now), self.kube.restoring
        while True:
            try:
                self.take_up(self.expired())
                listing = await list_records(kube, self.settings.namespace)
                self.take_up(one.record.drill.uid for one in listing.readable)
                self.take_up(one.drill_uid for one in listing.unreadable)
                for unread in listing.unreadable:
                    LOG.warning("undo record %s can't be read: %s", unread.ref.name, unread.why)
                await put_back_orphans(
                    kube, listing.readable, OPERATOR, self.clock, reverters, sightings, self._orphans
                )
            except (Unreachable, RecordError) as error:
                LOG.warning("the sweep for forgotten undo records failed: %s; it is tried again", error)
            except Exception:
                LOG.exception("the sweep for forgotten undo records failed; it is tried again")
            await asyncio.sleep(ORPHANS_EVERY)


async def _received(task: DrillWorker, facts: tuple[Fact, ...]) -> NotStored | None:
    """Why one drill did not store it: however it ends, the others store theirs."""
    try:
        await task.receive(facts)
    except NotStored as refused:
        return NotStored(f"drill {task.name}: {refused}", for_good=refused.for_good)
    except (EvidenceRefused, Unreachable) as error:
        return NotStored(str(error))
    return None


def is_settled(drill: dict[str, Any]) -> bool:
    """Whether a Drill needs nobody: it ended, our finalizer is gone, and no evidence was imported since.

    The finalizer is the last thing that is taken away. Where it is left, an operator died just before that, or
    something can't be verified: then the Drill can't be deleted without somebody who looks.
    """
    meta, status = drill["metadata"], drill.get("status") or {}
    machine = status.get("machine") or {}
    ended = machine.get("phase") in {p.value for p in TERMINAL} and Phase(machine["phase"]) in TERMINAL
    held = FINALIZER in (meta.get("finalizers") or ())
    needed = held or meta.get("deletionTimestamp") or imported_mark(meta) != machine.get("imported", "")
    return ended and not needed


def is_expired(drill: dict[str, Any], now: datetime) -> bool:
    """Whether an ended Drill is to be deleted by now, as far as it tells by itself; one that can't be read is not."""
    ttl = ttl_of(drill.get("spec") or {})
    if ttl is None or not is_settled(drill):
        return False
    try:
        due = expires_at(state_from_wire(drill["status"]["machine"]), ttl)
    except (KeyError, ValueError, TypeError, AttributeError):
        return False
    return due is not None and due <= now

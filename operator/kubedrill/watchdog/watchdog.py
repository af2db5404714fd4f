"""One look at everything that is to be put back, and what follows of it.

A look only reads and decides; each revert, each record that is closed and each finalizer that is taken off is a
task of its own, so that one that hangs holds up neither another nor the next look. The protocol makes it
safe that the operator does the same at the same moment.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Final

from kubedrill.api.drill import FINALIZER
from kubedrill.core.deadman import DrillSight, Ruling, Standing, may_close, may_free, may_revert
from kubedrill.core.undo_record import DrillIdentity, RecordState
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.protocol.clock import Clock
from kubedrill.protocol.drills import drill_path, post_event, remove_finalizer
from kubedrill.protocol.outcomes import Reversal, RevertOutcome
from kubedrill.protocol.outside import AWAITING_CONFIRMATION
from kubedrill.protocol.records import RecordTrouble, StoredRecord, close, list_records
from kubedrill.protocol.revert import revert
from kubedrill.protocol.sightings import Sightings, deleted_at
from kubedrill.protocol.undoing import Undoing
from kubedrill.reverters.catalogue import all_reverters
from kubedrill.watchdog.silence import Silence
from kubedrill.watchdog.tally import Tally

LOG = logging.getLogger(__name__)
BY: Final = "Watchdog"
METADATA_ONLY: Final = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}


class Watchdog:
    """The dead-man switch of one control namespace. What it remembers is by the UID of a record or Drill."""

    def __init__(
        self, kube: Kube, clock: Clock, namespace: str, tally: Tally, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._kube, self._clock, self._namespace, self._tally = kube, clock, namespace, tally
        self._reverters = all_reverters(clock.now)
        self._sightings = Sightings(monotonic)
        self._silence = Silence(monotonic)
        self._undoing = Undoing()
        self._names: dict[str, str] = {}
        self._said: set[tuple[str, str]] = set()
        self._running: dict[str, asyncio.Task[None]] = {}

    async def look(self) -> None:
        """Sees what is there and starts what follows of it.

        Raises:
            Unreachable: the API server did not answer.
            RecordTrouble: the undo records can't be listed.
        """
        stored = await list_records(self._kube, self._namespace)
        deleted = await self._drills_being_deleted()
        self._remember(stored, deleted)
        if stored or deleted:
            await self._silence.look(self._kube, self._namespace)
        sights = await self._sights(stored)
        for uid, sight in sights.items():
            try:
                self._judge([one for one in stored if one.record.drill.uid == uid], sight)
            except Exception:  # a record that nobody can judge must not hold up another drill's
                LOG.exception("the undo records of drill %s can't be judged", uid)
        for drill in deleted:
            self._judge_deleted(drill, sum(one.record.drill.uid == drill["metadata"]["uid"] for one in stored))
        now = self._clock.now()
        self._tally.looked(now, {self._names[uid] for uid in self._undoing.stuck(now) if uid in self._names})

    async def settle(self) -> None:
        """Waits until nothing that was started is under way any more."""
        while self._running:
            await asyncio.gather(*self._running.values())

    async def stop(self) -> None:
        """Ends what is under way; whoever looks next goes on from what is stored."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _drills_being_deleted(self) -> tuple[dict[str, Any], ...]:
        """The Drills that wait for our finalizer to go. When they can't be listed, nothing can be done for them."""
        try:
            answer = await self._kube.get(drill_path(self._namespace), headers=METADATA_ONLY)
        except Unreachable:
            return ()
        found = answer.body.get("items") or () if answer.ok else ()
        return tuple(drill for drill in found if drill["metadata"].get("deletionTimestamp")
                     and FINALIZER in drill["metadata"].get("finalizers", ()))

    async def _sights(self, stored: Iterable[StoredRecord]) -> Mapping[str, DrillSight]:
        """One look at each Drill that has records."""
        drills: dict[str, DrillIdentity] = {one.record.drill.uid: one.record.drill for one in stored}
        self._sightings.keep(drills)
        seen = await asyncio.gather(*(self._sightings.look(self._kube, drill) for drill in drills.values()))
        return dict(zip(drills, seen, strict=True))

    def _remember(self, stored: Iterable[StoredRecord], deleted: Iterable[Mapping[str, Any]]) -> None:
        """Forgets what is closed, and begins to count for what is new."""
        names = {one.uid: one.ref.name for one in stored}
        for uid in self._names.keys() - names.keys():
            self._undoing.done(uid)
        self._names = names
        self._said = {(uid, reason) for uid, reason in self._said if uid in names}
        self._silence.expect({*names, *(drill["metadata"]["uid"] for drill in deleted)})

    def _judge(self, stored: Iterable[StoredRecord], drill: DrillSight) -> None:
        """What is to be done for the records of one Drill."""
        stored = tuple(stored)
        all_reverted = all(one.record.state is RecordState.REVERTED for one in stored)
        for one in stored:
            now, silence = self._clock.now(), self._silence.concerning(one.uid)
            if one.record.state is RecordState.REVERTED:
                if may_close(drill, all_reverted=all_reverted, silence=silence).granted:
                    self._start(one.uid, self._close(one))
                continue
            ruling = may_revert(one.record, now, drill, silence)
            if ruling.granted and self._undoing.is_due(one.uid, now):
                self._start(one.uid, self._put_back(one, drill, ruling))

    def _judge_deleted(self, drill: dict[str, Any], open_records: int) -> None:
        """Whether a Drill that is being deleted is let go."""
        meta = drill["metadata"]
        sight = DrillSight(Standing.THERE, deleted_at(meta))
        silence = self._silence.concerning(meta["uid"])
        ruling = may_free(self._clock.now(), sight, open_records=open_records, silence=silence)
        if ruling.granted:
            self._start(meta["uid"], self._free(drill, ruling))

    def _start(self, uid: str, work: Coroutine[Any, Any, None]) -> None:
        """Begins a piece of work unless one for the same object is still under way."""
        if uid in self._running:
            work.close()
            return
        task = self._running[uid] = asyncio.create_task(self._guarded(uid, work))
        task.add_done_callback(lambda _: self._running.pop(uid, None))

    async def _guarded(self, uid: str, work: Coroutine[Any, Any, None]) -> None:
        """A piece of work; that it fails is told, and tried again by the next look."""
        try:
            await work
        except (Unreachable, RecordTrouble) as trouble:
            LOG.warning("%s; trying again", trouble)
        except Exception as error:
            LOG.exception("%s: it failed; trying again", self._names.get(uid, uid))
            self._undoing.tried(uid, RevertOutcome(Reversal.STALLED, "Failed", repr(error)), self._clock.now())

    async def _put_back(self, stored: StoredRecord, drill: DrillSight, ruling: Ruling) -> None:
        """Puts back what a record tells of, and says so."""
        record = stored.record
        LOG.info("%s of drill %s is put back: %s", record.subject, record.drill.name, ruling.message)
        # Of a Drill that is gone, nobody is left to confirm what was done by hand.
        confirmed = frozenset(record.faults) if drill.gone else frozenset()
        outcome = await revert(self._kube, stored.ref, BY, self._clock, confirmed, reverters=self._reverters)
        self._undoing.tried(stored.uid, outcome, self._clock.now())
        if outcome.state is not Reversal.REVERTED:
            await self._tell_trouble(stored, outcome)
            return
        done = outcome.stored.record.outcome if outcome.stored else None
        if done is None or done.by != BY:
            return
        self._tally.reverted(ruling.reason)
        ends = ", ".join(f"{field.path} {field.outcome}" for field in done.fields)
        note = f"{record.subject} was put back by the watchdog, because {ruling.message}: {ends}"
        await self._tell(record.drill, ruling.reason, note)

    async def _tell_trouble(self, stored: StoredRecord, outcome: RevertOutcome) -> None:
        """Says once for each record and reason what only somebody else can do."""
        by_hand = outcome.reason == AWAITING_CONFIRMATION
        stuck = stored.uid in self._undoing.stuck(self._clock.now())
        if not (by_hand or stuck) or (stored.uid, outcome.reason) in self._said:
            return
        self._said.add((stored.uid, outcome.reason))
        LOG.warning("%s can't be put back: %s %s", stored.record.subject, outcome.reason, outcome.message)
        await self._tell(stored.record.drill, "MustBeUndoneByHand" if by_hand else "CannotPutBack",
                         f"undo record {stored.ref.name}: {outcome.reason}: {outcome.message}")

    async def _close(self, stored: StoredRecord) -> None:
        if await close(self._kube, stored):
            LOG.info("undo record %s (%s) is closed", stored.ref.name, stored.record.subject)

    async def _free(self, drill: dict[str, Any], ruling: Ruling) -> None:
        """Takes our finalizer off a Drill."""
        meta = drill["metadata"]
        answer = await remove_finalizer(self._kube, drill)
        if answer.ok:
            await self._tell(DrillIdentity(meta["uid"], meta["name"], meta["namespace"]), ruling.reason,
                             f"the watchdog let it go: {ruling.message}, and nothing of it is left to put back")
        elif answer.status not in (404, 409, 422):
            LOG.warning("drill %s can't be let go: %s %s", meta["name"], answer.status, answer.message)

    async def _tell(self, drill: DrillIdentity, reason: str, note: str) -> None:
        """An Event about the Drill, in its own namespace: in the target's, players would read it."""
        about = {"metadata": {"name": drill.name, "namespace": drill.namespace, "uid": drill.uid}}
        await post_event(self._kube, about, reason, note, self._clock.now(), warning=True, by="watchdog")

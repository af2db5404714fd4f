"""One look at everything that is to be put back, and what follows of it.

A look only reads and decides; each revert, each record that is closed and each finalizer that is taken off is a
task of its own, so that one that hangs holds up neither another nor the next look. The protocol makes it
safe that the operator does the same at the same moment.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from typing import Any, Final

from kubedrill.api.drill import FINALIZER
from kubedrill.core.undo.record import DrillIdentity, RecordState
from kubedrill.core.undo.watchdog_rules import (
    DIFFERS,
    DrillPresence,
    DrillSeen,
    Judgement,
    may_close,
    may_free,
    may_revert,
)
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.plugins.operations.catalogue import all_reverters
from kubedrill.protocol.clock import Clock
from kubedrill.protocol.drill_liveness import DrillLiveness, deleted_at
from kubedrill.protocol.drills import drill_path, post_event, remove_finalizer
from kubedrill.protocol.outcomes import Reversal, RevertOutcome
from kubedrill.protocol.outside import AWAITING_CONFIRMATION
from kubedrill.protocol.revert import revert
from kubedrill.protocol.revert_tracker import UNVERIFIED, RevertTracker
from kubedrill.store.undo_records import Listing, RecordError, StoredRecord, UnreadableRecord, close, list_records
from kubedrill.watchdog.metrics import Tally
from kubedrill.watchdog.operator_silence import Silence
from kubedrill.watchdog.remains import remains_of

LOG = logging.getLogger(__name__)
BY: Final = "Watchdog"
METADATA_ONLY: Final = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}


class Watchdog:
    """The dead-man switch of one control namespace. What it remembers is by the UID of a record or Drill."""

    def __init__(
        self, kube: Kube, clock: Clock, namespace: str, tally: Tally, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._kube, self._clock, self._namespace, self._tally = kube, clock, namespace, tally
        self._reverters = all_reverters(kube, clock.now)
        self._sightings = DrillLiveness(monotonic)
        self._silence = Silence(monotonic)
        self._undoing = RevertTracker()
        self._names: dict[str, str] = {}
        self._said: set[tuple[str, str]] = set()
        self._left_alone: set[str] = set()
        self._running: dict[str, asyncio.Task[None]] = {}

    async def look(self) -> None:
        """Sees what is there and starts what follows of it.

        Raises:
            Unreachable: the API server did not answer.
            RecordTrouble: the undo records can't be listed.
        """
        listing = await list_records(self._kube, self._namespace)
        drills = await self._drills()
        deleted = tuple(drill for drill in drills if _waits_for_us(drill))
        self._remember(listing, deleted)
        if listing or deleted:
            await self._silence.look(self._kube, self._namespace)
        await self._tell_unreadable(listing.unreadable, drills)
        for uid, sight in (await self._sights(listing.readable)).items():
            try:
                await self._judge(listing.of(uid).readable, sight)
            except Exception:  # a record that nobody can judge must not hold up another drill's
                LOG.exception("the undo records of drill %s can't be judged", uid)
        doubted = await asyncio.gather(*(self._judge_deleted(drill, listing) for drill in deleted))
        now = self._clock.now()
        stuck = {self._names[uid] for uid in self._undoing.stuck(now) if uid in self._names}
        self._tally.looked(now, stuck.union(*doubted))

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

    async def _drills(self) -> tuple[dict[str, Any], ...]:
        """The metadata of all Drills. When they can't be listed, nothing can be done for those being deleted."""
        try:
            answer = await self._kube.get(drill_path(self._namespace), headers=METADATA_ONLY)
        except Unreachable:
            return ()
        return tuple(answer.body.get("items") or ()) if answer.ok else ()

    async def _sights(self, stored: Iterable[StoredRecord]) -> Mapping[str, DrillSeen]:
        """One look at each Drill that has records."""
        drills: dict[str, DrillIdentity] = {one.record.drill.uid: one.record.drill for one in stored}
        self._sightings.keep(drills)
        seen = await asyncio.gather(*(self._sightings.look(self._kube, drill) for drill in drills.values()))
        return dict(zip(drills, seen, strict=True))

    def _remember(self, listing: Listing, deleted: Iterable[Mapping[str, Any]]) -> None:
        """Forgets what is closed, and begins to count for what is new."""
        names = {one.uid: one.ref.name for one in listing.readable}
        names |= {one.uid: one.ref.name for one in listing.unreadable}
        for uid in self._names.keys() - names.keys():
            self._undoing.done(uid)
        self._left_alone &= names.keys()
        known = {*names, *(drill["metadata"]["uid"] for drill in deleted)}
        self._names = names
        self._said = {(uid, reason) for uid, reason in self._said if uid in known}
        self._silence.expect(known)

    async def _tell_unreadable(self, unreadable: Iterable[UnreadableRecord], drills: Iterable[dict[str, Any]]) -> None:
        """What can't be read is unknown: nothing is done with it, and it is told."""
        owners = {drill["metadata"]["uid"]: drill["metadata"] for drill in drills}
        for one in unreadable:
            owner = owners.get(one.drill_uid)
            trouble = RevertOutcome(Reversal.STALLED, "RecordUnreadable", f"it can't be read: {one.why}")
            await self._leave_alone(one.uid, one.ref.name, trouble, owner and _identity(owner))

    async def _leave_alone(self, uid: str, record: str, trouble: RevertOutcome, drill: DrillIdentity | None) -> None:
        """A record that is not carried out counts as stuck, for as long as that is so."""
        self._left_alone.add(uid)
        self._undoing.tried(uid, trouble, self._clock.now())
        await self._tell_once(uid, record, trouble, drill)

    def _taken_up(self, uid: str) -> None:
        """It is a record again: its undo is tried at once, and a new trouble is told."""
        if uid in self._left_alone:
            self._left_alone.discard(uid)
            self._undoing.done(uid)
            self._said -= {said for said in self._said if said[0] == uid}

    async def _judge(self, stored: Iterable[StoredRecord], drill: DrillSeen) -> None:
        """What is to be done for the records of one Drill."""
        for one in stored:
            now, silence = self._clock.now(), self._silence.concerning(one.uid)
            if one.record.state is RecordState.REVERTED:
                if may_close(drill).granted:
                    self._start(one.uid, self._close(one))
                continue
            ruling = may_revert(one.record, now, drill, silence)
            if ruling.reason == DIFFERS:
                trouble = RevertOutcome(Reversal.STALLED, DIFFERS, ruling.message)
                await self._leave_alone(one.uid, one.ref.name, trouble, one.record.drill)
                continue
            self._taken_up(one.uid)
            if ruling.granted and self._undoing.is_due(one.uid, now):
                self._start(one.uid, self._put_back(one, drill, ruling))

    async def _judge_deleted(self, drill: dict[str, Any], listing: Listing) -> Collection[str]:
        """Lets a Drill go that is being deleted, if nothing of it is left. What can't be verified, by its record."""
        meta = drill["metadata"]
        found = await remains_of(self._kube, drill, listing)
        if found is None:
            return ()
        sight = DrillSeen(DrillPresence.THERE, deleted_at(meta))
        ruling = may_free(
            self._clock.now(),
            sight,
            open_records=found.open_records,
            unverified=len(found.unverified),
            silence=self._silence.concerning(meta["uid"]),
        )
        if ruling.granted:
            self._start(meta["uid"], self._free(drill, ruling))
        for record, message in found.unverified.items():
            trouble = RevertOutcome(Reversal.STALLED, UNVERIFIED, message)
            await self._tell_once(meta["uid"], record, trouble, _identity(meta))
        return found.unverified

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
        except (Unreachable, RecordError) as trouble:
            LOG.warning("%s; trying again", trouble)
        except Exception as error:
            LOG.exception("%s: it failed; trying again", self._names.get(uid, uid))
            self._undoing.tried(uid, RevertOutcome(Reversal.STALLED, "Failed", repr(error)), self._clock.now())

    async def _put_back(self, stored: StoredRecord, drill: DrillSeen, ruling: Judgement) -> None:
        """Puts back what a record tells of, and says so."""
        record = stored.record
        LOG.info("%s of drill %s is restored: %s", record.subject, record.drill.name, ruling.message)
        # Of a Drill that is gone, nobody is left to confirm what was done by hand.
        confirmed = frozenset(record.faults) if drill.gone else frozenset()
        outcome = await revert(self._kube, stored, BY, self._clock, confirmed, reverters=self._reverters)
        self._undoing.tried(stored.uid, outcome, self._clock.now())
        if outcome.state is not Reversal.REVERTED:
            await self._tell_trouble(stored, outcome)
            return
        done = outcome.stored.record.outcome if outcome.stored else None
        if done is None or done.by != BY:
            return
        self._tally.reverted(ruling.reason)
        ends = ", ".join(f"{field.path} {field.outcome}" for field in done.fields)
        note = f"{record.subject} was restored by the watchdog, because {ruling.message}: {ends}"
        await self._tell(record.drill, ruling.reason, note)

    async def _tell_trouble(self, stored: StoredRecord, outcome: RevertOutcome) -> None:
        """Says once for each record and reason what only somebody else can do."""
        by_hand = outcome.reason == AWAITING_CONFIRMATION
        stuck = stored.uid in self._undoing.stuck(self._clock.now())
        if by_hand or stuck:
            await self._tell_once(stored.uid, stored.ref.name, outcome, stored.record.drill)

    async def _tell_once(self, uid: str, record: str, outcome: RevertOutcome, drill: DrillIdentity | None) -> None:
        """Says what only somebody else can do: once for each record and reason, in the log where no Drill is known."""
        if (uid, f"{record} {outcome.reason}") in self._said:
            return
        self._said.add((uid, f"{record} {outcome.reason}"))
        LOG.warning("undo record %s can't be restored: %s %s", record, outcome.reason, outcome.message)
        if drill is not None:
            by_hand = outcome.reason == AWAITING_CONFIRMATION
            await self._tell(
                drill,
                "MustBeUndoneByHand" if by_hand else "CannotPutBack",
                f"undo record {record}: {outcome.reason}: {outcome.message}",
            )

    async def _close(self, stored: StoredRecord) -> None:
        if await close(self._kube, stored):
            LOG.info("undo record %s (%s) is closed", stored.ref.name, stored.record.subject)

    async def _free(self, drill: dict[str, Any], ruling: Judgement) -> None:
        """Takes our finalizer off a Drill."""
        meta = drill["metadata"]
        answer = await remove_finalizer(self._kube, drill)
        if answer.ok:
            await self._tell(
                _identity(meta),
                ruling.reason,
                f"the watchdog let it go: {ruling.message}, and nothing of it is left to restore",
            )
        elif answer.status not in (404, 409, 422):
            LOG.warning("drill %s can't be let go: %s %s", meta["name"], answer.status, answer.message)

    async def _tell(self, drill: DrillIdentity, reason: str, note: str) -> None:
        """An Event about the Drill, in its own namespace: in the target's, players would read it."""
        about = {"metadata": {"name": drill.name, "namespace": drill.namespace, "uid": drill.uid}}
        await post_event(self._kube, about, reason, note, self._clock.now(), warning=True, by="watchdog")


def _waits_for_us(drill: Mapping[str, Any]) -> bool:
    """Whether a Drill is being deleted and our finalizer keeps it."""
    meta = drill["metadata"]
    return bool(meta.get("deletionTimestamp")) and FINALIZER in meta.get("finalizers", ())


def _identity(meta: Mapping[str, Any]) -> DrillIdentity:
    return DrillIdentity(meta["uid"], meta["name"], meta["namespace"])

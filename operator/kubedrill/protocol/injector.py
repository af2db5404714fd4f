"""One target's injection: read, plan, store the undo, patch, give ownership back, store that it is in."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from kubedrill.core.evidence.facts import Interval
from kubedrill.core.undo.genuine import fingerprint
from kubedrill.core.undo.operations import Refusal, objects_of
from kubedrill.core.undo.patches import Applied, after_values, inject_patch, landed
from kubedrill.core.undo.pointers import read
from kubedrill.core.undo.record import (
    BEGINS_WITHIN,
    REFUSED,
    UNREACHABLE,
    Again,
    Done,
    DrillIdentity,
    OutsideGroup,
    Progress,
    RecordState,
    UndoRecord,
)
from kubedrill.kube.client import Answer, Kube
from kubedrill.plugins.operations.base import Reverters
from kubedrill.protocol.clock import Clock
from kubedrill.protocol.injection_time import since
from kubedrill.protocol.intents import Intent
from kubedrill.protocol.objects import Inconclusive, Reply, give_back, namespace_uid_of, patch_target, read_as_recorded
from kubedrill.protocol.outcomes import FAULT_PATCHED, INJECTED_WRITTEN, RECORD_WRITTEN, At, Injection
from kubedrill.protocol.outside import seen_in
from kubedrill.protocol.plan import InjectionEnds, Planner, as_read, refused
from kubedrill.protocol.sustain import brought_on
from kubedrill.store import undo_records
from kubedrill.store.undo_records import RecordRef, StaleRecord, StoredRecord

LOG = logging.getLogger(__name__)
# No injection with less than this left to the deadline: longer than one request can take (15 s).
MARGIN = timedelta(seconds=20)
CHANGED_MEANWHILE = "ChangedMeanwhile"
ROUNDS = 8
Seen = dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Injector:
    """What is the same for all targets of one call to inject."""

    kube: Kube
    drill: DrillIdentity
    deadline: datetime
    clock: Clock
    reverters: Reverters
    at: At

    async def store(self, intent: Intent) -> tuple[StoredRecord, Seen]:
        """The record of an intent, and what it was made from if this call has made it. Nothing is touched yet."""
        planner = Planner(self.kube, self.drill, self.deadline, self.clock, self.reverters)
        for _ in range(ROUNDS):
            answer, namespace_uid = await self._found(intent)
            ref = self._ref(intent, namespace_uid)
            stored = await self._stored(intent, ref)
            if stored is not None:
                return self._ours(stored, intent), None
            self._in_time()
            # In this order: the target was read, then there was no record, and the plan's dry run proves that the
            # target is still as it was read. So what the record takes for somebody's value is no fault of ours.
            planned = await planner.record_of(intent, ref.name, namespace_uid, answer)
            created = await undo_records.create(self.kube, planned)
            if created is not None:
                await self.at(RECORD_WRITTEN)
                return created, answer.body if answer else {}
        raise InjectionEnds(
            Injection.PENDING, "Conflict", f"{intent.subject}: its undo record keeps appearing and disappearing"
        )

    async def rehearse(self, intent: Intent) -> None:
        """Plans an intent, and lets the API server try it with a dry run. Nothing is stored or touched.

        Raises:
            InjectionEnds: it would be refused, and by whom.
        """
        planner = Planner(self.kube, self.drill, self.deadline, self.clock, self.reverters)
        answer, namespace_uid = await self._found(intent)
        await planner.record_of(intent, self._ref(intent, namespace_uid).name, namespace_uid, answer)

    def _ref(self, intent: Intent, namespace_uid: str) -> RecordRef:
        return RecordRef(self.drill.namespace, intent.record_name(namespace_uid))

    async def _stored(self, intent: Intent, ref: RecordRef) -> StoredRecord | None:
        """The record on the subject; of one outside the API server also that of a version that named it otherwise."""
        stored = await undo_records.read(self.kube, ref)
        before = self._ref(intent, "")
        if stored is None and intent.outside and ref != before:
            return await undo_records.read(self.kube, before)
        return stored

    async def _found(self, intent: Intent) -> tuple[Answer | None, str]:
        """What a read of the target answers (of an outside subject nothing), and its namespace's UID."""
        space = intent.namespace
        if not space:
            return None, ""
        if intent.target is None:
            answer, namespace_uid = None, await namespace_uid_of(self.kube, space)
        else:
            answer, namespace_uid = await asyncio.gather(
                self.kube.get(intent.target.path), namespace_uid_of(self.kube, space)
            )
        if not namespace_uid:
            raise InjectionEnds(Injection.REFUSED, "TargetMissing", f"namespace {space} is not there")
        return answer, namespace_uid

    async def carry_out(self, stored: StoredRecord, seen: Seen) -> StoredRecord:
        """Bring a stored intent into the world, once.

        `seen` is the object from which this very call has made the record, empty where there is none to read; None
        when somebody else did. It need not be read again: the patch carries its version, so it fails if the object has
        changed since.
        """
        alone = seen is not None
        for _ in range(ROUNDS):
            if stored.record.state is RecordState.INJECTED:
                return stored
            if stored.record.state is not RecordState.INTENDED:
                raise InjectionEnds(Injection.ENDED, "AlreadyReverted", f"{stored.record.subject} is back")
            try:
                if stored.record.target is None:
                    return await self._outside(stored, alone=alone)
                stored, seen = await self._one_round(stored, seen, alone=alone)
            except StaleRecord:
                again = await undo_records.read(self.kube, stored.ref)
                # another record of that name, even of this drill, tells that this one was put back and closed:
                # whoever made that one has asked whether it is still wanted, and this call has not
                if again is None or again.uid != stored.uid:
                    raise InjectionEnds(
                        Injection.ENDED, "RecordClosed", f"{stored.record.subject} is restored"
                    ) from None
                if fingerprint(again.record) != fingerprint(stored.record):
                    raise InjectionEnds(
                        Injection.REFUSED,
                        "RecordDiffers",
                        f"undo record {again.ref.name} says something else than when it was stored",
                    ) from None
                stored, seen, alone = again, None, False
        raise InjectionEnds(Injection.PENDING, "Conflict", f"{stored.record.subject} keeps being written by others")

    async def _one_round(self, stored: StoredRecord, seen: Seen, *, alone: bool) -> tuple[StoredRecord, Seen]:
        """Patch if it is certain that nobody has; gives the record Injected, or claimed for a next try.

        `seen`: what this call wrote the record from, if it did so last; `alone`: nobody else has ever written it.
        """
        record = stored.record
        if seen is None:
            seen = await self._read(record)
            match landed(record, seen):
                case Applied.YES:
                    return await self._finish(stored, record, seen, since(record, seen, self.clock)), seen
                case Applied.UNKNOWN:
                    raise _undone(record)
                case Applied.NO:
                    self._in_time()
                    stored = await self._claim(stored, seen)
                    record = stored.record
        self._in_time()
        assert record.target is not None  # noqa: S101  told apart by the caller
        sent = self.clock.now()
        patch = inject_patch(record, seen)
        reply, answer = await patch_target(self.kube, record.target, patch, record.manager)
        if reply is Reply.DONE:
            await self.at(FAULT_PATCHED)
            at = Interval(sent - self.clock.error, self.clock.now() + self.clock.error)
            return await self._finish(stored, after_values(record, answer.body), answer.body, at), seen
        if reply not in (Reply.MOVED, Reply.GONE):
            raise refused(record.subject, reply, answer)
        # A precondition failed, so it was certainly not done by us; and if the claim succeeds, by nobody who has
        # claimed it since. Whoever had claimed it before may have patched after our claim all the same, and a
        # player have undone that: then the generation tells.
        seen = await self._read(record)
        match landed(record, seen):
            case Applied.YES:
                raise StaleRecord(record.name)
            case Applied.UNKNOWN if not alone:
                raise _undone(record)
        return await self._claim(stored, seen), seen

    async def _claim(self, stored: StoredRecord, seen: dict[str, Any]) -> StoredRecord:
        """Rewrite the record from a new read, which makes it ours: whoever claimed it before fails at his."""
        record = stored.record
        if seen["metadata"]["uid"] != record.target_uid or any(
            read(seen, path) != value
            for field in record.fields
            for path, value in (*field.guards, (field.path, field.before))
        ):
            raise _undone(record)
        claimed = replace(as_read(record, seen), attempt=record.attempt + 1, intended_at=self.clock.now())
        return await undo_records.write(self.kube, stored, claimed)

    async def _finish(
        self, stored: StoredRecord, record: UndoRecord, seen: dict[str, Any], at: Interval
    ) -> StoredRecord:
        """No trace on the target, then the record: Injected."""
        try:
            await give_back(self.kube, record, seen)
        except Inconclusive as refused:
            LOG.warning("the fault is in, and a trace of it stays until it is restored: %s", refused)
        written = await undo_records.write(self.kube, stored, record.moved_to(RecordState.INJECTED, injected=at))
        await self.at(INJECTED_WRITTEN)
        return written

    async def _outside(self, stored: StoredRecord, *, alone: bool) -> StoredRecord:
        """An operation that changes no fields; its reverter sees to it that twice is once.

        Somebody may have done it before, and died before saying so: any time since it was intended. What is sent to
        the API server is claimed by everybody but the one who has stored the record (`alone`), unless it is seen to be
        in: so who puts it back knows how many requests may be under way still.
        """
        self._in_time()
        space, uid = stored.record.subject_namespace, stored.record.namespace_uid
        if uid and await namespace_uid_of(self.kube, space) != uid:
            raise InjectionEnds(Injection.REFUSED, "TargetMissing", f"namespace {space} is gone since this was planned")
        sends = any(objects_of(g.operation) for g in stored.record.groups if isinstance(g, OutsideGroup))
        if sends and not alone:
            found = await seen_in(stored.record, self.reverters)
            if found.keys() == {*stored.record.faults}:
                (seen,) = found.values()
                return await self._outside_is_in(stored, seen.since, seen.made)
        if (sends and not alone) or self.clock.now() - stored.record.claimed > BEGINS_WITHIN / 2:
            # Too old to begin, soon. To write it fails once somebody puts it back: then nobody begins any more.
            record, now = stored.record, self.clock.now()
            claimed = replace(record, attempt=record.attempt + 1, loose=record.loose + 1, claimed_at=now)
            stored = await undo_records.write(self.kube, stored, claimed)
        sent, made = stored.record.intended_at, ""
        for group in stored.record.groups:
            progress = await brought_on(stored.record, group, self.reverters)
            ends = _not_in(progress)
            if sends and (isinstance(progress, Refusal) or (isinstance(progress, Again) and progress.answered)):
                await undo_records.write(self.kube, stored, stored.record.arrived())
            if ends is not None:
                raise ends
            made = progress.made if isinstance(progress, Done) else made
        return await self._outside_is_in(stored, Interval(sent, self.clock.now()), made)

    async def _outside_is_in(self, stored: StoredRecord, at: Interval, made: str) -> StoredRecord:
        """The record: Injected."""
        await self.at(FAULT_PATCHED)
        at = Interval(at.not_before - self.clock.error, at.not_after + self.clock.error)
        record = stored.record.arrived().moved_to(RecordState.INJECTED, injected=at, made=made)
        written = await undo_records.write(self.kube, stored, record)
        await self.at(INJECTED_WRITTEN)
        return written

    async def _read(self, record: UndoRecord) -> dict[str, Any]:
        seen = await read_as_recorded(self.kube, record)
        if seen is None:
            raise _undone(record)
        return seen

    def _ours(self, stored: StoredRecord, intent: Intent) -> StoredRecord:
        """A record that was there already: carried out only if it is this drill's, for this very subject."""
        theirs = stored.record.drill
        if theirs.uid != self.drill.uid:
            raise InjectionEnds(
                Injection.REFUSED,
                "TargetBusy",
                f"{stored.record.subject} is the target of drill"
                f" {theirs.namespace}/{theirs.name}, which is not restored yet",
            )
        if stored.record.target != intent.target or not set(intent.faults) <= set(stored.record.faults):
            raise InjectionEnds(
                Injection.REFUSED,
                "RecordOfOther",
                f"undo record {stored.ref.name} is this drill's, but tells of"
                f" {stored.record.subject} ({', '.join(stored.record.faults)}), not of {intent.subject}"
                f" ({', '.join(intent.faults)})",
            )
        return stored

    def _in_time(self) -> None:
        left = self.deadline - self.clock.now()
        if left < MARGIN:
            raise InjectionEnds(
                Injection.REFUSED,
                "TooLate",
                f"{max(0, round(left.total_seconds()))} s are left to the"
                f" deadline; nothing is injected with less than {MARGIN.seconds} s left",
            )


def _not_in(progress: Progress | Refusal) -> InjectionEnds | None:
    """The end that a step of a reverter means; None when it is in."""
    if isinstance(progress, Refusal):
        state = Injection.UNDONE if progress.reason == CHANGED_MEANWHILE else Injection.REFUSED
        return InjectionEnds(state, progress.reason, progress.message)
    if isinstance(progress, Again) and progress.reason in (UNREACHABLE, REFUSED):
        return InjectionEnds(Injection.PENDING, progress.reason, progress.message)
    return None


def _undone(record: UndoRecord) -> InjectionEnds:
    return InjectionEnds(
        Injection.UNDONE,
        CHANGED_MEANWHILE,
        f"{record.subject} was changed by somebody while the injection was under way; it is not injected (again)",
    )

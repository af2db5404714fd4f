"""Putting back: from a record alone, whoever does it, however often, and whatever else is gone.

The operator, the watchdog and a person with the break-glass command all come through here, possibly at the
same time: every write has a precondition, and the outcome is written into the record before anything else
is told. It never gives up: it says Retry or Stalled, and the caller comes back; no other record waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from kubedrill.core.evidence.facts import Interval
from kubedrill.core.measure.results import FieldOutcome
from kubedrill.core.undo.genuine import differs, fingerprint
from kubedrill.core.undo.operations import Target
from kubedrill.core.undo.ownership import given_back
from kubedrill.core.undo.patches import FieldEnd, RevertPlan, plan_revert
from kubedrill.core.undo.record import Outcome, RecordState, UndoRecord
from kubedrill.core.undo.related_fields import given_up
from kubedrill.kube.client import Answer, Kube, Unreachable
from kubedrill.kube.refusals import REFUSED, is_refusal, named_fields, reason_of, words
from kubedrill.plugins.operations.base import Reverters
from kubedrill.protocol import fence
from kubedrill.protocol.clock import Clock
from kubedrill.protocol.injection_time import found_in
from kubedrill.protocol.objects import Inconclusive, Reply, give_back, patch_target, read_as_recorded
from kubedrill.protocol.outcomes import (
    REVERT_PATCHED,
    REVERTED_WRITTEN,
    At,
    Reversal,
    RevertOutcome,
    nothing,
)
from kubedrill.protocol.outside import seen_in, undo_outside
from kubedrill.protocol.residue import Left, clear_away
from kubedrill.store import undo_records
from kubedrill.store.undo_records import NotGenuine, RecordError, RecordRef, StaleRecord, StoredRecord

ROUNDS = 8
BELIEVED = 2
"""How often an answer that reads like a failed precondition is believed of an object that has not moved at all."""
SOON = timedelta(milliseconds=500)
LATER = timedelta(seconds=2)
# How long the faulted pods may take to go by themselves once the fields are back, and a refused clean-up to go through.
CLEARING = timedelta(seconds=60)
PODS_LEAVING = "PodsLeaving"
CLEAN_UP_REFUSED = "CleanUpRefused"
# An API server that asks to be left alone (Retry-After) is obeyed, for so long at the most.
LONGEST_RETRY_AFTER = timedelta(seconds=60)


class _NotYet(Exception):
    """The revert of a record does not end now."""

    def __init__(
        self, state: Reversal, reason: str, message: str, *, after: timedelta = LATER, restored: bool = False
    ) -> None:
        super().__init__(message)
        self.state, self.reason, self.message, self.after = state, reason, message, after
        self.restored = restored


async def revert(
    kube: Kube,
    what: RecordRef | StoredRecord,
    by: str,
    clock: Clock,
    confirmed_asks: frozenset[str] = frozenset(),
    *,
    overwrite: bool = False,
    reverters: Reverters | None = None,
    on: At = nothing,
) -> RevertOutcome:
    """Put back what a record tells of, and store the outcome in it.

    Args:
        kube: the API server.
        what: the record; as it was read, by whoever judges records: another one under its name is left alone then.
        by: who does it (Operator, Watchdog, a person's name); stands in the outcome.
        clock: the API server's time.
        confirmed_asks: faults whose undo by hand the facilitator has confirmed.
        overwrite: also put back what somebody else has changed since (a facilitator's choice).
        reverters: for operations that are not changes of fields.
        on: called at the named points between the writes.

    Returns:
        Reverted with the outcome of every field; Retry or Stalled with the reason otherwise.
    """
    ref, judged = (what, "") if isinstance(what, RecordRef) else (what.ref, fingerprint(what.record))
    reverting = _Reverting(kube.restoring, by, clock, confirmed_asks, overwrite, reverters or {}, on, judged)
    try:
        return await reverting.run(ref)
    except _NotYet as why:
        return RevertOutcome(why.state, why.reason, why.message, why.after, restored=why.restored)
    except Unreachable as error:
        return RevertOutcome(Reversal.RETRY, "Unreachable", str(error)[:500], LATER)
    except NotGenuine as found:
        return RevertOutcome(Reversal.STALLED, found.reason, str(found)[:500], LATER)
    except (Inconclusive, RecordError) as trouble:
        end = _not_yet(str(trouble)[:500], trouble.answer)
        return RevertOutcome(end.state, end.reason, end.message, end.after)


@dataclass(frozen=True, slots=True)
class _Reverting:
    kube: Kube
    by: str
    clock: Clock
    confirmed_asks: frozenset[str]
    overwrite: bool
    reverters: Reverters
    at: At
    judged: str = ""

    async def run(self, ref: RecordRef) -> RevertOutcome:
        """Tries until nobody else writes the record in between."""
        said = ""
        for _ in range(ROUNDS):
            stored = await undo_records.read(self.kube, ref)
            if stored is None:
                return RevertOutcome(Reversal.REVERTED, "RecordClosed", "it was restored and closed before")
            if differs(fingerprint(stored.record), self.judged):
                raise _NotYet(Reversal.RETRY, "RecordReplaced", f"{ref.name} is another record by now", after=SOON)
            try:
                if stored.record.state is not RecordState.REVERTED:
                    stored = await self.put_back(stored)
            except StaleRecord as stale:
                said = str(stale)
                continue
            ends = stored.record.outcome.fields if stored.record.outcome else ()
            return RevertOutcome(Reversal.REVERTED, stored=stored, fields=ends, restored=True)
        raise _NotYet(Reversal.RETRY, "Conflict", f"others are writing the record: {said}", after=SOON)

    async def put_back(self, stored: StoredRecord) -> StoredRecord:
        """One try: Reverting → put back → seen to be back → cleared away → Reverted."""
        left: tuple[Left, ...] = ()
        if stored.record.target is None:
            stored, fields = await self._outside(stored)
            await self.at(REVERT_PATCHED)
        else:
            stored, fields = await self._object(stored, stored.record.target)
            left = await self._cleared(stored, fields)
        notes = tuple(str(one) for one in left)
        at = stored.record.restored_at or self.clock.now()
        outcome = Outcome(self.by, at, fields, notes)
        record = stored.record.moved_to(RecordState.REVERTED, restored_at=at, outcome=outcome)
        written = await undo_records.write(self.kube, stored, record)
        await self.at(REVERTED_WRITTEN)
        return written

    async def _outside(self, stored: StoredRecord) -> tuple[StoredRecord, tuple[FieldOutcome, ...]]:
        """Operations that change no fields: what is seen to be in is stored as Reverting, then undone."""
        stored = await self._begun(stored, (), stored.record.injected)
        found = await seen_in(stored.record, self.reverters)
        injected = stored.record.injected or next((one.since for one in found.values()), None)
        if injected is not None and stored.record.injected is None:
            stored = replace(stored, record=stored.record.arrived())  # what made it is under way no more
        stored = await self._begun(stored, tuple(found), injected)
        undone = await undo_outside(self.kube, stored.record, self.reverters, self.confirmed_asks, self.clock.now())
        if not isinstance(undone, RevertOutcome):
            return stored, undone
        if undone.restored and stored.record.restored_at is None:
            await undo_records.write(self.kube, stored, replace(stored.record, restored_at=self.clock.now()))
        raise _NotYet(undone.state, undone.reason, undone.message, after=undone.after, restored=undone.restored)

    async def _object(self, stored: StoredRecord, target: Target) -> tuple[StoredRecord, tuple[FieldOutcome, ...]]:
        """The fields of an object: planned, stored as Reverting, written, ownership given back, read back."""
        unmoved = _Unmoved(stored.record.subject)
        for _ in range(ROUNDS):
            seen = await read_as_recorded(self.kube, stored.record)
            unmoved.read_back(seen)
            plan = plan_revert(stored.record, seen, overwrite=self.overwrite)
            injected = found_in(stored.record, seen, plan.restoring, self.clock)
            stored = await self._begun(stored, plan.restoring, injected)
            if seen is None or seen["metadata"]["uid"] != stored.record.target_uid:
                return stored, plan.fields
            if stored.record.injected is None:
                # Only what is read after Reverting is stored holds against a frozen operator's late patch.
                seen = await read_as_recorded(self.kube, stored.record)
                plan = plan_revert(stored.record, seen, overwrite=self.overwrite)
                if seen is None:
                    return stored, plan.fields
            if plan.patch:
                plan = await self._written(stored.record, target, seen, plan, unmoved)
            elif stored.record.injected is None and not fence.standing(stored.record, seen):
                refused = await fence.put_up(self.kube, stored.record, seen)
                unmoved.answered(seen, refused)
                continue
            fields = await self._verified(stored.record, plan)
            if fields is not None:
                return stored, fields
        raise _NotYet(Reversal.RETRY, "Conflict", f"{stored.record.subject} is always written", after=SOON)

    async def _written(
        self, record: UndoRecord, target: Target, seen: dict[str, Any], plan: RevertPlan, unmoved: _Unmoved
    ) -> RevertPlan:
        """Send the patch; without the fields that the server refuses because of what somebody else has changed."""
        kept: frozenset[str] = frozenset()
        while plan.patch:
            reply, answer = await patch_target(self.kube, target, plan.patch, record.manager)
            if reply is Reply.DONE:
                await self.at(REVERT_PATCHED)
                return plan
            if reply in (Reply.MOVED, Reply.GONE):
                # what a failed precondition means shows when it is read back
                unmoved.answered(seen, answer)
                return plan
            more = given_up(record, seen, named_fields(answer)) if reply is Reply.INVALID else frozenset()
            if more <= kept:
                raise _not_yet(f"{record.subject}: {words(answer)}", answer)
            kept = kept | more
            plan = plan_revert(record, seen, overwrite=self.overwrite, kept=kept)
        return plan

    async def _verified(self, record: UndoRecord, plan: RevertPlan) -> tuple[FieldOutcome, ...] | None:
        """Every field's end as it is read back, with no trace of ours left. None: not so, plan again."""
        seen = await read_as_recorded(self.kube, record)
        if seen is not None:
            try:
                seen = await give_back(self.kube, record, seen)
            except Inconclusive as refused:
                # the values may be back: what is not is who owns them, and the owner's next apply would fail for that
                back = not plan_revert(record, seen).patch
                raise _not_yet(str(refused)[:500], refused.answer, restored=back) from refused
            if given_back(seen["metadata"].get("managedFields") or (), record.manager, record.owners):
                return None
        kept = tuple(f.path for f in plan.fields if f.outcome == FieldEnd.KEPT_PLAYER_EDIT)
        meant = replace(record, restoring=(*record.restoring, *plan.restoring))
        now = plan_revert(meant, seen, kept=kept)
        return None if now.patch else now.fields

    async def _cleared(self, stored: StoredRecord, fields: Iterable[FieldOutcome]) -> tuple[Left, ...]:
        """What the controllers keep of the fault is gone, or had its time: what is left, and why."""
        record = stored.record
        if record.target is None or all(f.outcome in (FieldEnd.GONE, FieldEnd.CARRIED_OVER) for f in fields):
            return ()
        seen = await read_as_recorded(self.kube, record)
        if seen is None or seen["metadata"]["uid"] != record.target_uid:
            return ()
        since = record.restored_at or self.clock.now()
        patient = self.clock.now() - since < CLEARING
        left = await clear_away(self.kube, record, seen, patient=patient)
        if left and record.restored_at is None:
            await undo_records.write(self.kube, stored, replace(record, restored_at=since))
        if left and patient:
            refused = any(one.refused for one in left)
            raise _NotYet(
                Reversal.RETRY,
                CLEAN_UP_REFUSED if refused else PODS_LEAVING,
                f"{record.subject} is restored; still awaited: {'; '.join(map(str, left))}",
                after=LATER if refused else SOON,
                restored=True,
            )
        return left

    async def _begun(self, stored: StoredRecord, restoring: tuple[str, ...], injected: Interval | None) -> StoredRecord:
        """The record as Reverting, with the fields that are about to be written, and the injection as found."""
        record = stored.record
        known = tuple(dict.fromkeys((*record.restoring, *restoring)))
        if record.state is RecordState.REVERTING and (known, injected) == (record.restoring, record.injected):
            return stored
        return await undo_records.write(
            self.kube, stored, record.moved_to(RecordState.REVERTING, restoring=known, injected=injected)
        )


class _Unmoved:
    """Tells a refusal that reads like a failed precondition from one: nothing that it could have failed on has moved.

    A webhook may answer 409, 404 or a bare 422. What it is about shows when the object is read back: with the version
    that the write carried, no precondition can have failed.
    """

    def __init__(self, subject: str) -> None:
        self._subject, self._version, self._answer, self._times = subject, "", Answer(0, {}), 0

    def answered(self, sent: dict[str, Any], answer: Answer | None) -> None:
        """What was answered to a write that carried this object's version; None when it was done."""
        self._version = sent["metadata"]["resourceVersion"] if answer is not None else ""
        self._answer = answer or self._answer

    def read_back(self, seen: dict[str, Any] | None) -> None:
        """The object as it is now.

        Raises:
            _NotYet: it has not moved, again.
        """
        if not self._version or seen is None or seen["metadata"]["resourceVersion"] != self._version:
            self._times = 0
            return
        self._times += 1
        if self._times >= BELIEVED:
            raise _NotYet(Reversal.STALLED, REFUSED, f"{self._subject}: {words(self._answer)}")


def _not_yet(message: str, answer: Answer, *, restored: bool = False) -> _NotYet:
    """The end of a try: refused for what it is, or for the moment."""
    pause = max(LATER, min(answer.retry_after, LONGEST_RETRY_AFTER))
    if is_refusal(answer):
        return _NotYet(Reversal.STALLED, reason_of(answer), message, after=pause, restored=restored)
    return _NotYet(Reversal.RETRY, "ServerBusy", message, after=pause, restored=restored)

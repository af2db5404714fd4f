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

from kubedrill.core.facts import Interval
from kubedrill.core.genuine import differs, fingerprint
from kubedrill.core.operations import Ask, Target
from kubedrill.core.ownership import given_back
from kubedrill.core.results import FieldOutcome
from kubedrill.core.undo import FieldEnd, RevertPlan, kin_of, plan_revert
from kubedrill.core.undo_record import Again, Outcome, OutsideGroup, RecordState, UndoRecord
from kubedrill.kube.client import Answer, Kube, Unreachable
from kubedrill.protocol import fence, records
from kubedrill.protocol.clock import Clock
from kubedrill.protocol.landing import found_in
from kubedrill.protocol.objects import Reply, Unsure, causes, give_back, patch_target, read_target
from kubedrill.protocol.outcomes import (
    REVERT_PATCHED,
    REVERTED_WRITTEN,
    At,
    Reversal,
    RevertOutcome,
    nothing,
)
from kubedrill.protocol.records import NotGenuine, RecordRef, RecordTrouble, StaleRecord, StoredRecord
from kubedrill.protocol.residue import clear_away
from kubedrill.protocol.reverters import Reverters

ROUNDS = 8
SOON = timedelta(milliseconds=500)
LATER = timedelta(seconds=2)
# How long the faulted pods may take to go by themselves once the fields are back.
CLEARING = timedelta(seconds=60)
PODS_LEAVING = "PodsLeaving"
AWAITING_CONFIRMATION = "AwaitingConfirmation"
# An API server that asks to be left alone (Retry-After) is obeyed, for so long at the most.
LONGEST_RETRY_AFTER = timedelta(seconds=60)


class _NotYet(Exception):
    """The revert of a record does not end now."""

    def __init__(self, state: Reversal, reason: str, message: str, *, after: timedelta = LATER) -> None:
        super().__init__(message)
        self.state, self.reason, self.message, self.after = state, reason, message, after


async def revert(
    kube: Kube, what: RecordRef | StoredRecord, by: str, clock: Clock, confirmed_asks: frozenset[str] = frozenset(), *,
    overwrite: bool = False, reverters: Reverters | None = None, on: At = nothing,
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
    reverting = _Reverting(kube, by, clock, confirmed_asks, overwrite, reverters or {}, on, judged)
    try:
        return await reverting.run(ref)
    except _NotYet as why:
        return RevertOutcome(why.state, why.reason, why.message, why.after,
                             restored=why.reason == PODS_LEAVING)
    except Unreachable as error:
        return RevertOutcome(Reversal.RETRY, "Unreachable", str(error)[:500], LATER)
    except NotGenuine as found:
        return RevertOutcome(Reversal.STALLED, found.reason, str(found)[:500], LATER)
    except (Unsure, RecordTrouble) as trouble:
        forbidden = trouble.answer.status == 403
        return RevertOutcome(
            Reversal.STALLED if forbidden else Reversal.RETRY, "Forbidden" if forbidden else "ServerBusy",
            str(trouble)[:500], _pause(trouble.answer))


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
        for _ in range(ROUNDS):
            stored = await records.read(self.kube, ref)
            if stored is None:
                return RevertOutcome(Reversal.REVERTED, "RecordClosed", "it was put back and closed before")
            if differs(fingerprint(stored.record), self.judged):
                raise _NotYet(Reversal.RETRY, "RecordReplaced", f"{ref.name} is another record by now", after=SOON)
            try:
                if stored.record.state is not RecordState.REVERTED:
                    stored = await self.put_back(stored)
            except StaleRecord:
                continue
            ends = stored.record.outcome.fields if stored.record.outcome else ()
            return RevertOutcome(Reversal.REVERTED, stored=stored, fields=ends, restored=True)
        raise _NotYet(Reversal.RETRY, "Conflict", "others are writing the record", after=SOON)

    async def put_back(self, stored: StoredRecord) -> StoredRecord:
        """One try: Reverting → put back → seen to be back → cleared away → Reverted."""
        left: tuple[str, ...] = ()
        if stored.record.target is None:
            stored = await self._begun(stored, (), stored.record.injected)
            fields = await self._outside(stored.record)
            await self.at(REVERT_PATCHED)
        else:
            stored, fields = await self._object(stored, stored.record.target)
            left = await self._cleared(stored, fields)
        notes = tuple(f"{name} still has pods and was left" for name in left)
        at = stored.record.restored_at or self.clock.now()
        outcome = Outcome(self.by, at, fields, notes)
        record = stored.record.moved_to(RecordState.REVERTED, restored_at=at, outcome=outcome)
        written = await records.write(self.kube, stored, record)
        await self.at(REVERTED_WRITTEN)
        return written

    async def _object(
        self, stored: StoredRecord, target: Target
    ) -> tuple[StoredRecord, tuple[FieldOutcome, ...]]:
        """The fields of an object: planned, stored as Reverting, written, ownership given back, read back."""
        for _ in range(ROUNDS):
            seen = await self._seen(stored.record, target)
            plan = plan_revert(stored.record, seen, overwrite=self.overwrite)
            injected = found_in(stored.record, seen, plan.restoring, self.clock)
            stored = await self._begun(stored, plan.restoring, injected)
            if seen is None or seen["metadata"]["uid"] != stored.record.target_uid:
                return stored, plan.fields
            if stored.record.injected is None:
                # Only what is read after Reverting is stored holds against a frozen operator's late patch.
                seen = await self._seen(stored.record, target)
                plan = plan_revert(stored.record, seen, overwrite=self.overwrite)
                if seen is None:
                    return stored, plan.fields
            if plan.patch:
                plan = await self._written(stored.record, target, seen, plan)
            elif stored.record.injected is None and not fence.standing(stored.record, seen):
                await fence.put_up(self.kube, stored.record, seen)
                continue
            fields = await self._verified(stored.record, target, plan)
            if fields is not None:
                return stored, fields
        raise _NotYet(Reversal.RETRY, "Conflict", f"{stored.record.subject} is always written", after=SOON)

    async def _written(
        self, record: UndoRecord, target: Target, seen: dict[str, Any], plan: RevertPlan
    ) -> RevertPlan:
        """Send the patch; without the fields that the server refuses because of somebody else's change."""
        kept: frozenset[str] = frozenset()
        while plan.patch:
            reply, answer = await patch_target(self.kube, target, plan.patch, record.manager)
            if reply in (Reply.DONE, Reply.MOVED, Reply.GONE):
                # what a failed precondition means shows when it is read back
                if reply is Reply.DONE:
                    await self.at(REVERT_PATCHED)
                return plan
            if reply is not Reply.INVALID:
                forbidden = reply is Reply.FORBIDDEN
                raise _NotYet(Reversal.STALLED if forbidden else Reversal.RETRY, str(reply),
                              f"{record.subject}: {answer.status} {answer.message}", after=_pause(answer))
            more = kept.union(*(kin_of(record, cause) for cause in causes(answer)))
            if more == kept:
                raise _NotYet(Reversal.STALLED, "Invalid", f"{record.subject}: {answer.message}")
            kept = more
            plan = plan_revert(record, seen, overwrite=self.overwrite, kept=kept)
        return plan

    async def _verified(
        self, record: UndoRecord, target: Target, plan: RevertPlan
    ) -> tuple[FieldOutcome, ...] | None:
        """Every field's end as it is read back, with no trace of ours left. None: not so, plan again."""
        seen = await self._seen(record, target)
        if seen is not None:
            seen = await give_back(self.kube, record, seen)
            if given_back(seen["metadata"].get("managedFields") or (), record.manager, record.owners):
                return None
        kept = tuple(f.path for f in plan.fields if f.outcome == FieldEnd.KEPT_PLAYER_EDIT)
        meant = replace(record, restoring=(*record.restoring, *plan.restoring))
        now = plan_revert(meant, seen, kept=kept)
        return None if now.patch else now.fields

    async def _cleared(self, stored: StoredRecord, fields: Iterable[FieldOutcome]) -> tuple[str, ...]:
        """What the controllers keep of the fault is gone, or had its time: names of what is left."""
        record = stored.record
        if record.target is None or all(f.outcome in (FieldEnd.GONE, FieldEnd.CARRIED_OVER) for f in fields):
            return ()
        seen = await self._seen(record, record.target)
        if seen is None or seen["metadata"]["uid"] != record.target_uid:
            return ()
        since = record.restored_at or self.clock.now()
        patient = self.clock.now() - since < CLEARING
        left = await clear_away(self.kube, record, seen, patient=patient)
        if left and record.restored_at is None:
            await records.write(self.kube, stored, replace(record, restored_at=since))
        if left and patient:
            raise _NotYet(Reversal.RETRY, PODS_LEAVING, f"{record.subject} is back, but pods of the fault are"
                          f" still there: {', '.join(left)}", after=SOON)
        return left

    async def _outside(self, record: UndoRecord) -> tuple[FieldOutcome, ...]:
        """Operations outside the API server, each by its reverter or by the facilitator's hands."""
        groups = (group for group in record.groups if isinstance(group, OutsideGroup))
        return tuple([await self._outside_group(record, group) for group in groups])

    async def _outside_group(self, record: UndoRecord, group: OutsideGroup) -> FieldOutcome:
        operation = group.operation
        if isinstance(operation, Ask):
            if record.injected is None:
                return _by_hand(record, operation, FieldEnd.UNTOUCHED)
            if group.fault not in self.confirmed_asks:
                raise _NotYet(Reversal.RETRY, AWAITING_CONFIRMATION,
                              f"the facilitator must undo {group.fault} and confirm it: {operation.undo}")
            return _by_hand(record, operation, FieldEnd.RESTORED)
        progress = await self.reverters[type(operation)].revert(record, group)
        if isinstance(progress, Again):
            raise _NotYet(Reversal.RETRY, progress.reason, progress.message, after=progress.after)
        return FieldOutcome(record.subject, group.fault, "", "", progress.note, str(FieldEnd.RESTORED))

    async def _begun(
        self, stored: StoredRecord, restoring: tuple[str, ...], injected: Interval | None
    ) -> StoredRecord:
        """The record as Reverting, with the fields that are about to be written, and the injection as found."""
        record = stored.record
        known = tuple(dict.fromkeys((*record.restoring, *restoring)))
        if record.state is RecordState.REVERTING and (known, injected) == (record.restoring, record.injected):
            return stored
        return await records.write(
            self.kube, stored, record.moved_to(RecordState.REVERTING, restoring=known, injected=injected)
        )

    async def _seen(self, record: UndoRecord, target: Target) -> dict[str, Any] | None:
        return (await read_target(self.kube, target, record.namespace_uid)).seen


def _pause(answer: Answer) -> timedelta:
    """The least time to the next try after an answer that was no success."""
    return max(LATER, min(answer.retry_after, LONGEST_RETRY_AFTER))


def _by_hand(record: UndoRecord, operation: Ask, end: FieldEnd) -> FieldOutcome:
    return FieldOutcome(record.subject, "by hand", "", operation.do, operation.undo, str(end))

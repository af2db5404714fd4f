"""Releasing: the rollout of a target is let go while its drill goes on, because somebody took the fault out.

    live read: the fault is out → record Injected, with what is about to be written → patch → ownership back
    → read back → record Injected, with what was released

The record stays open, and the later revert finds these fields as they were. As everywhere in the protocol each
write has a precondition, so it may be done again at any time, by several processes at once, and beside a revert:
whoever moves the record to Reverting ends it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kubedrill.core.undo.ownership import entry_of, given_back
from kubedrill.core.undo.record import RecordState, UndoRecord
from kubedrill.core.undo.release import holding, plan_release, taken_out
from kubedrill.kube.client import Answer, Kube, Unreachable
from kubedrill.kube.refusals import is_refusal, reason_of, words
from kubedrill.protocol.objects import Inconclusive, Reply, give_back, patch_target, read_as_recorded
from kubedrill.protocol.outcomes import Reversal, RevertOutcome
from kubedrill.protocol.revert import LATER, LONGEST_RETRY_AFTER, ROUNDS, SOON
from kubedrill.store import undo_records
from kubedrill.store.undo_records import RecordError, RecordRef, StaleRecord, StoredRecord

NOTHING_HELD = "NothingHeld"
FAULT_IS_IN = "FaultIsIn"
RELEASED = "Released"


async def release(kube: Kube, ref: RecordRef) -> RevertOutcome:
    """Give back what holds a target's rollout, if the fault is out of it.

    Returns:
        Reverted when there is nothing (left) to do, with the reason; Retry or Stalled otherwise.
    """
    try:
        for _ in range(ROUNDS):
            try:
                done = await _tried(kube, ref)
            except StaleRecord:
                continue
            if done is not None:
                return done
    except Unreachable as error:
        return RevertOutcome(Reversal.RETRY, "Unreachable", str(error)[:500], LATER)
    except (Inconclusive, RecordError) as trouble:
        return _not_now(str(trouble), trouble.answer)
    return RevertOutcome(Reversal.RETRY, "Conflict", f"{ref.name}: record or target is always written", SOON)


async def _tried(kube: Kube, ref: RecordRef) -> RevertOutcome | None:
    """One try. None: somebody has written in between, look again."""
    stored = await undo_records.read(kube, ref)
    if stored is None or stored.record.target is None or not _is_due(stored.record):
        return RevertOutcome(Reversal.REVERTED, NOTHING_HELD)
    target = stored.record.target
    seen = await read_as_recorded(kube, stored.record)
    if seen is None or not taken_out(stored.record, seen):
        return RevertOutcome(Reversal.REVERTED, FAULT_IS_IN)
    plan = plan_release(stored.record, seen)
    if plan.patch:
        stored = await _begun(kube, stored, seen, plan.restoring)
        reply, answer = await patch_target(kube, target, plan.patch, stored.record.manager)
        if reply in (Reply.MOVED, Reply.GONE):
            return None
        if reply is not Reply.DONE:
            return _not_now(f"the rollout of {target} can't be let go: {words(answer)}", answer)
        seen = answer.body
    seen = await give_back(kube, stored.record, seen)
    if given_back(seen["metadata"].get("managedFields") or (), stored.record.manager, stored.record.owners):
        return None
    if plan.patch and plan_release(stored.record, await read_as_recorded(kube, stored.record) or seen).patch:
        return None
    record = replace(stored.record, released=(*stored.record.released, *holding(stored.record)))
    return RevertOutcome(Reversal.REVERTED, RELEASED, stored=await undo_records.write(kube, stored, record))


def _is_due(record: UndoRecord) -> bool:
    return record.state is RecordState.INJECTED and bool(holding(record))


async def _begun(kube: Kube, stored: StoredRecord, seen: dict[str, Any], restoring: tuple[str, ...]) -> StoredRecord:
    """The record with the fields that are about to be written, and with the owners that they have now.

    Whoever reverts knows them for ours by that. Owners have changed since the injection: of one whose other
    fields somebody has taken over, the recorded list would tell no more that he is still there.
    """
    record = stored.record
    entries = seen["metadata"].get("managedFields") or ()
    owners = record.owners if entry_of(entries, record.manager) else tuple(entries)
    begun = replace(record, restoring=tuple(dict.fromkeys((*record.restoring, *restoring))), owners=owners)
    return stored if begun == record else await undo_records.write(kube, stored, begun)


def _not_now(message: str, answer: Answer) -> RevertOutcome:
    """Refused for what it is, or for the moment. The undo at the end does not depend on it."""
    pause = max(LATER, min(answer.retry_after, LONGEST_RETRY_AFTER))
    if is_refusal(answer):
        return RevertOutcome(Reversal.STALLED, reason_of(answer), message[:500], pause)
    return RevertOutcome(Reversal.RETRY, "ServerBusy", message[:500], pause)

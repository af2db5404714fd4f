"""Putting back by hand, from the undo records alone: what they say, and one record's revert until it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from kubedrill.api.base import GROUP
from kubedrill.core.measure.results import FieldOutcome
from kubedrill.core.undo.operations import Ask
from kubedrill.core.undo.patches import FieldEnd
from kubedrill.core.undo.record import OutsideGroup, RecordState, UndoRecord, shown
from kubedrill.core.undo.watchdog_rules import DrillPresence
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.paths import ALL_GROUPS
from kubedrill.plugins.operations.catalogue import all_reverters, kind_of
from kubedrill.protocol.clock import Clock
from kubedrill.protocol.drill_liveness import standing_of
from kubedrill.protocol.drills import drill_path
from kubedrill.protocol.outcomes import Reversal, RevertOutcome
from kubedrill.protocol.outside import AWAITING_CONFIRMATION
from kubedrill.protocol.revert import revert
from kubedrill.store import undo_records
from kubedrill.store.undo_records import RecordError, RecordRef, StaleRecord, StoredRecord

FORBIDDEN: Final = "Forbidden"
LEFT: Final = (FieldEnd.SUPERSEDED, FieldEnd.KEPT_PLAYER_EDIT)
"""Ends of a field that somebody else changed: theirs was kept."""
STILL_BROKEN: Final = (FieldEnd.CARRIED_OVER, FieldEnd.NOT_RESTORED)


@dataclass(frozen=True, slots=True)
class Effort:
    """How it is put back: by whom, by which clock, for how long, and what the facilitator has decided.

    `confirmed` are manual faults that were undone by hand. `overwrite` also puts back what somebody else has
    changed since.
    """

    by: str
    clock: Clock
    patience: timedelta
    confirmed: frozenset[str] = frozenset()
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """What an effort came to: the record as it was before, and the outcome of its revert."""

    stored: StoredRecord
    outcome: RevertOutcome

    @property
    def restored(self) -> bool:
        """Whether nothing of the fault is left: what others changed is theirs, what is gone is gone."""
        broken = any(field.outcome in STILL_BROKEN for field in self.outcome.fields)
        return self.outcome.state is Reversal.REVERTED and not broken

    @property
    def forbidden(self) -> bool:
        """Whether it is for want of rights that it is not restored."""
        return not self.restored and self.outcome.reason == FORBIDDEN


async def put_back(kube: Kube, ref: RecordRef, effort: Effort) -> RevertOutcome:
    """Revert one record until it ends, is refused, waits for a person, or patience does."""
    loop = asyncio.get_running_loop()
    until = loop.time() + effort.patience.total_seconds()
    if effort.overwrite:
        with suppress(StaleRecord, RecordError, Unreachable):  # the revert itself tells what is wrong
            await _opened_again(kube, ref)
    while True:
        outcome = await revert(
            kube,
            ref,
            effort.by,
            effort.clock,
            effort.confirmed,
            overwrite=effort.overwrite,
            reverters=all_reverters(kube, effort.clock.now),
        )
        over = outcome.state is not Reversal.RETRY or outcome.reason == AWAITING_CONFIRMATION
        if over or loop.time() + outcome.after.total_seconds() > until:
            return outcome
        await asyncio.sleep(outcome.after.total_seconds())


async def _opened_again(kube: Kube, ref: RecordRef) -> None:
    """A record that has ended with somebody's change kept is Reverting once more, to overwrite that."""
    stored = await undo_records.read(kube, ref)
    if stored is None or stored.record.state is not RecordState.REVERTED or stored.record.outcome is None:
        return
    if any(field.outcome in LEFT for field in stored.record.outcome.fields):
        await undo_records.write(kube, stored, stored.record.moved_to(RecordState.REVERTING, outcome=None))


async def is_drill_gone(kube: Kube, record: UndoRecord) -> bool:
    """Whether nobody is left to take the outcome over: the Drill is gone, or nobody knows of drills any more."""
    drill = record.drill
    standing = standing_of(drill, await kube.get(drill_path(drill.namespace, drill.name)))
    return standing is DrillPresence.GONE or (standing is DrillPresence.UNSERVED and await _is_unserved(kube))


async def _is_unserved(kube: Kube) -> bool:
    """Whether the API server lists all its groups, and ours is not among them."""
    answer = await kube.get(ALL_GROUPS)
    groups = answer.body.get("groups")
    return answer.ok and bool(groups) and GROUP not in {group["name"] for group in groups or ()}


def needs_the_inside(record: UndoRecord) -> bool:
    """Whether it undoes what only answers inside the cluster: a queue, an Alertmanager."""
    outside = (group.operation for group in record.groups if isinstance(group, OutsideGroup))
    return record.state is not RecordState.REVERTED and any(kind_of(o).is_inside for o in outside)


def asked_of_people(record: UndoRecord) -> dict[str, Ask]:
    """What somebody did by hand, and has to undo by hand, by fault."""
    groups = (group for group in record.groups if isinstance(group, OutsideGroup))
    return {group.fault: group.operation for group in groups if isinstance(group.operation, Ask)}


def described(record: UndoRecord, at: datetime) -> Iterator[str]:
    """A record in lines: whose, how far, until when, and what it puts back."""
    where = f" in {record.target.namespace}" if record.target else ""
    past = ", which is past" if record.deadline < at else ""
    deadline = f"{record.deadline:%Y-%m-%dT%H:%M:%SZ}"
    yield f"{record.drill.name}: {record.subject}{where} is {record.state}, to be back by {deadline}{past}"
    for touched in record.fields:
        yield f"    {touched.path}: {shown(touched.before)} → {shown(touched.after)}"
    for group in record.groups:
        if isinstance(group, OutsideGroup):
            yield f"    {kind_of(group.operation).recorded(group.operation)}"


def told(ended: Ended) -> Iterator[str]:
    """What became of a record, field by field."""
    record, outcome = ended.stored.record, ended.outcome
    name = f"{record.drill.name}: {record.subject}"
    if outcome.restored and outcome.state is not Reversal.REVERTED:
        yield f"✗ {name} is not cleared away: {outcome.message}"
        return
    if outcome.state is not Reversal.REVERTED:
        yield f"✗ {name} is not restored, {outcome.reason}: {outcome.message}"
        return
    yield f"✓ {name} is restored" if ended.restored else f"✗ {name} is still broken"
    yield from (f"    {_end(field)}" for field in outcome.fields)
    if outcome.stored and outcome.stored.record.outcome:
        yield from (f"    {note}" for note in outcome.stored.record.outcome.notes)


def _end(field: FieldOutcome) -> str:
    who = f", by {field.who}" if field.who else ""
    when = f" at {field.when}" if field.when else ""
    now = f" is {field.now}" if field.now else ""
    return f"{field.outcome}: {field.path}{now}{who}{when}"

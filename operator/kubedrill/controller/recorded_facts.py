"""What the undo records tell: read anew at every turn, so an operator that died right after a write loses nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta

from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.undo.operations import ABSENT
from kubedrill.core.undo.record import RecordState, UndoRecord
from kubedrill.plugins.fields import REMOVED, shown
from kubedrill.plugins.sources.base import OwnWrites
from kubedrill.store.undo_records import StoredRecord


def recorded_facts(records: Iterable[UndoRecord], clock_error: timedelta) -> Iterator[Fact]:
    """When each fault was injected, and when and by whom it was put back."""
    for record in records:
        yield from _injected(record)
        if record.state is RecordState.REVERTED:
            yield from _reverted(record, clock_error)


def _injected(record: UndoRecord) -> Iterator[Fact]:
    if record.injected is None:
        return
    for fault in record.faults:
        yield Fact(
            FactKind.FAULT_INJECTED,
            record.injected,
            Source.OPERATOR,
            f"injected/{fault}",
            evidence=f"{record.subject} was patched and answered",
            detail={"fault": fault, "target": record.subject},
        )


def _reverted(record: UndoRecord, clock_error: timedelta) -> Iterator[Fact]:
    outcome = record.outcome
    if outcome is None:
        return
    at = Interval.at(record.restored_at or outcome.at, clock_error)
    wrote = any(f.outcome == "Restored" for f in outcome.fields)
    for fault in record.faults:
        yield Fact(
            FactKind.FAULT_REVERTED,
            at,
            Source.OPERATOR,
            f"reverted/{fault}",
            evidence=f"{record.subject} read back",
            detail={"fault": fault, "target": record.subject, "by": outcome.by, "wrote": wrote},
        )


def own_writes(records: Iterable[StoredRecord], before: OwnWrites) -> OwnWrites:
    """What the drill itself wrote or puts back; what earlier records told of stays true."""
    managers, values = set(before.managers), set(before.values)
    for stored in records:
        record = stored.record
        managers.add(record.manager)
        for field in record.fields:
            # a watch tells of a field that is absent as None
            both = (None if value is ABSENT else shown(value) for value in (field.before, field.after))
            values |= {(record.subject, field.path, value) for value in both}
    return OwnWrites(frozenset(managers), frozenset(values))


def without_own_removals(facts: Iterable[Fact], injected: Collection[str]) -> tuple[Fact, ...]:
    """The facts without removals of objects that may be ours.

    A watch does not tell who has removed an object. While its undo record says that it is in, nobody of ours removes
    it; from Reverting on it may have been us. `injected` are the subjects of records that say Injected.
    """
    return tuple(f for f in facts if f.detail.get("path") != REMOVED or f.detail.get("target") in injected)

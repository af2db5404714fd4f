"""What the undo records tell: read anew at every turn, so an operator that died right after a write loses nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from kubedrill.core.facts import Fact, FactKind, Interval, Source
from kubedrill.core.undo_record import RecordState, UndoRecord


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
        yield Fact(FactKind.FAULT_INJECTED, record.injected, Source.OPERATOR, f"injected/{fault}",
                   evidence=f"{record.subject} was patched and answered",
                   detail={"fault": fault, "target": record.subject})


def _reverted(record: UndoRecord, clock_error: timedelta) -> Iterator[Fact]:
    outcome = record.outcome
    if outcome is None:
        return
    at = Interval.at(record.restored_at or outcome.at, clock_error)
    wrote = any(f.outcome == "Restored" for f in outcome.fields)
    for fault in record.faults:
        yield Fact(FactKind.FAULT_REVERTED, at, Source.OPERATOR, f"reverted/{fault}",
                   evidence=f"{record.subject} read back",
                   detail={"fault": fault, "target": record.subject, "by": outcome.by, "wrote": wrote})

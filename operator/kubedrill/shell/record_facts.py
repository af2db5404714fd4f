"""What stored undo records tell the machine: how far they are, what was injected, which writes are our own."""

from __future__ import annotations

from collections.abc import Iterable

from kubedrill.core.facts import Fact, FactKind, Source
from kubedrill.core.operations import ABSENT
from kubedrill.core.state import RecordSeen
from kubedrill.core.undo_record import RecordState
from kubedrill.protocol.records import StoredRecord
from kubedrill.signals.fields import shown
from kubedrill.signals.workload import OwnWrites


def record_seen(stored: StoredRecord) -> RecordSeen:
    """An undo record as the machine sees it."""
    record, outcome = stored.record, stored.record.outcome
    return RecordSeen(
        record.name, record.state.value, record.faults, record.subject,
        fields=outcome.fields if outcome and record.state is RecordState.REVERTED else (),
        by=outcome.by if outcome else "", notes=outcome.notes if outcome else (),
    )


def injected_facts(stored: StoredRecord) -> Iterable[Fact]:
    """What a record tells of the injection, fault by fault: it knows although nobody lived to say it."""
    record = stored.record
    if record.injected is None:
        return
    for fault in record.faults:
        yield Fact(FactKind.FAULT_INJECTED, record.injected, Source.OPERATOR, f"injected/{fault}",
                   evidence=f"{record.subject} was patched and answered",
                   detail={"fault": fault, "target": record.subject})


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

"""What the faults of one drill are to do: planned from what is there at that moment, until their undo records stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kubedrill.api.drill_status import FaultStep
from kubedrill.core.machine.state import State
from kubedrill.core.undo.operations import Operation, Refusal, SetFields
from kubedrill.core.undo.record import OutsideGroup
from kubedrill.store.undo_records import StoredRecord

UNKNOWN = Refusal("NotPlanned", "what it does is not known: it was not planned before it was to be injected")


@dataclass(frozen=True, slots=True)
class InjectionPlan:
    """The operations of each fault, or why it can't be planned as things are now."""

    operations: Mapping[str, tuple[Operation, ...]] = field(default_factory=dict)
    refusals: Mapping[str, Refusal] = field(default_factory=dict)

    def of(
        self, faults: Iterable[str], stored: Iterable[StoredRecord]
    ) -> tuple[dict[str, tuple[Operation, ...]], dict[str, Refusal]]:
        """What these faults do, and which of them can't be planned. An undo record says more than any plan."""
        known = recorded_operations(stored)
        operations: dict[str, tuple[Operation, ...]] = {}
        refused: dict[str, Refusal] = {}
        for fault in faults:
            if found := known.get(fault):
                operations[fault] = found
            elif planned := self.operations.get(fault):
                operations[fault] = planned
            else:
                refused[fault] = self.refusals.get(fault, UNKNOWN)
        return operations, refused


def has_unrecorded(state: State, stored: Iterable[StoredRecord]) -> bool:
    """Whether a fault is still to be injected of which no undo record says what it does."""
    recorded = recorded_operations(stored)
    return any(f.step in (FaultStep.PLANNED, FaultStep.STARTED) and f.name not in recorded for f in state.faults)


def recorded_operations(stored: Iterable[StoredRecord]) -> dict[str, tuple[Operation, ...]]:
    """By fault, enough of each recorded operation to find its record again: the record itself says the rest."""
    found: dict[str, tuple[Operation, ...]] = {}
    for one in stored:
        record = one.record
        for group in record.groups:
            if isinstance(group, OutsideGroup):
                operation: Operation = group.operation
            elif record.target is not None:
                operation = SetFields(record.target, ())
            else:
                continue
            found[group.fault] = (*found.get(group.fault, ()), operation)
    return found

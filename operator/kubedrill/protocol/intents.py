"""From the drill's operations to one intent a target: who is to be touched, by which faults, how.

The subject of an operation decides the record, and the record is the lock: a workload, a queue at a Redis, an
alert at an Alertmanager. What a facilitator is asked for locks nothing and is the drill's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kubedrill.core.undo.operations import Operation, SetFields, Subject, Target, namespace_of, subject_of
from kubedrill.core.undo.record import DrillIdentity, OutsideGroup, record_name


@dataclass(frozen=True, slots=True)
class Intent:
    """All operations of a drill on one subject, each with its fault's name. `target` only for API objects."""

    lock: Subject
    operations: tuple[tuple[str, Operation], ...]
    target: Target | None = None

    @property
    def subject(self) -> str:
        """The subject as people read it."""
        return self.lock.shown

    @property
    def faults(self) -> tuple[str, ...]:
        """Names of the faults, each once."""
        return tuple(dict.fromkeys(fault for fault, _ in self.operations))

    @property
    def changes(self) -> tuple[tuple[str, SetFields], ...]:
        """The changes of fields among the operations."""
        return tuple((fault, op) for fault, op in self.operations if isinstance(op, SetFields))

    @property
    def outside(self) -> tuple[OutsideGroup, ...]:
        """The operations that are not changes of fields."""
        return tuple(OutsideGroup(f, op) for f, op in self.operations if not isinstance(op, SetFields))

    @property
    def namespace(self) -> str:
        """The namespace that the subject lives in; empty where it is in none."""
        return namespace_of(self.operations[0][1])

    def record_name(self, namespace_uid: str) -> str:
        """The name of its undo record. That of an earlier version had no UID for subjects outside the API server."""
        return record_name(self.lock.group, self.lock.kind, namespace_uid, self.lock.name)


def by_subject(drill: DrillIdentity, planned: Mapping[str, Sequence[Operation]]) -> tuple[Intent, ...]:
    """One intent a subject, in the order of the faults."""
    found: dict[str, Intent] = {}
    for fault, operations in planned.items():
        for operation in operations:
            intent = _intent(drill, fault, operation)
            key = intent.target.path if intent.target else intent.subject
            so_far = found.get(key)
            found[key] = (
                intent
                if so_far is None
                else Intent(so_far.lock, (*so_far.operations, *intent.operations), so_far.target)
            )
    return tuple(found.values())


def _intent(drill: DrillIdentity, fault: str, operation: Operation) -> Intent:
    only = ((fault, operation),)
    if isinstance(operation, SetFields):
        target = operation.target
        return Intent(Subject(target.group, target.kind, target.name, str(target)), only, target)
    return Intent(subject_of(operation, fault, drill.uid), only)

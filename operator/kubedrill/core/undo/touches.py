"""What a fault touches, kept in the Drill's status: enough to see whether it is in when its undo record is lost.

At the start it is what was planned; from the record on, what that says. It is for looking and for telling people,
never for writing: an undo is only ever done from a record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import TypeAdapter

from kubedrill.api.quantities import parse_quantity
from kubedrill.core.measure.results import FieldOutcome
from kubedrill.core.undo.operations import ABSENT, Create, SetFields, Target, Value
from kubedrill.core.undo.patches import FieldEnd
from kubedrill.core.undo.pointers import found_again, read
from kubedrill.core.undo.record import FieldGroup, FieldUndo, OutsideGroup, UndoRecord, cut, shown

MOST_FIELDS: Final = 50


@dataclass(frozen=True, slots=True)
class Touch:
    """Fields of one object that a fault writes, each with its value before and after."""

    target: Target
    fields: tuple[FieldUndo, ...]

    def is_in(self, seen: Any) -> bool:
        """Whether a field of the object has the fault's value. One that the fault leaves as it is tells nothing."""
        return any(_has(seen, field) for field in self.fields if not _same(field.before, field.after))

    def was_in_before(self, other: UndoRecord) -> bool:
        """Whether another drill's record on the object took a value of this fault for what was there before it."""
        before = {field.path: field.before for field in other.fields}
        return any(
            field.path in before and _same(before[field.path], field.after)
            for field in self.fields
            if not _same(field.before, field.after)
        )


Touches = tuple[Touch, ...]
_ADAPTER: Final = TypeAdapter(Touches)


def planned_touches(operations: Iterable[Any], objects: Mapping[Target, Any]) -> Touches:
    """What operations that are planned will touch, with the values as they are in the objects now."""
    found = []
    for operation in operations:
        if isinstance(operation, Create):
            found.append(_made(operation))
        elif isinstance(operation, SetFields) and operation.target in objects:
            here = objects[operation.target]
            changes = (FieldUndo(c.path, read(here, c.path), c.value, c.guards) for c in operation.changes)
            found.append(Touch(operation.target, tuple(changes)))
    return _bounded(found)


def recorded_touches(record: UndoRecord) -> Mapping[str, Touches]:
    """What each fault of a record touches. Of what is outside the API server, nothing is known here."""
    target = record.target
    if target is None:
        outside = (group for group in record.groups if isinstance(group, OutsideGroup))
        return {g.fault: (_made(g.operation),) for g in outside if isinstance(g.operation, Create)}
    return {
        fault: _bounded(
            Touch(target, group.fields)
            for group in record.groups
            if isinstance(group, FieldGroup) and group.fault == fault
        )
        for fault in record.faults
    }


def _made(operation: Create) -> Touch:
    """An object that is made: it is in while anything has its name."""
    target = operation.target
    return Touch(target, (FieldUndo("/metadata/name", ABSENT, target.name),))


def unverified(touches: Touches, target: str, fault: str) -> Iterator[FieldOutcome]:
    """The outcome of each field when nobody knows whether the fault is in, with the values for people."""
    for touch in touches:
        for field in touch.fields:
            yield FieldOutcome(
                target, field.path, cut(shown(field.before)), cut(shown(field.after)), "", str(FieldEnd.UNVERIFIED)
            )
    if not touches:
        yield FieldOutcome(target, fault, "", "", "", str(FieldEnd.UNVERIFIED))


def touches_to_wire(touches: Touches) -> list[Any]:
    """As JSON for `status.machine`."""
    return list(_ADAPTER.dump_python(touches, mode="json", exclude_defaults=True))


def touches_from_wire(wire: Any) -> Touches:
    """As they were stored."""
    return _ADAPTER.validate_python(wire or ())


def _bounded(touches: Iterable[Touch]) -> Touches:
    """At most as many fields as the status has room for, and only what is needed of each."""
    left, found = MOST_FIELDS, []
    for touch in touches:
        fields = tuple(FieldUndo(f.path, f.before, f.after, f.guards) for f in touch.fields[:left])
        left -= len(fields)
        if fields:
            found.append(replace(touch, fields=fields))
    return tuple(found)


def _has(seen: Any, field: FieldUndo) -> bool:
    place = found_again(seen, field.path, field.guards)
    return place is not None and _same(read(seen, place[0]), field.after)


def _same(one: Value, other: Value) -> bool:
    """Whether two values are the same for the API server, which writes 0.5Gi as 512Mi."""
    if one == other or one is ABSENT or other is ABSENT:
        return bool(one == other)
    if not (isinstance(one, str) and isinstance(other, str)):
        return False
    try:
        return parse_quantity(one) == parse_quantity(other)
    except ValueError:
        return False

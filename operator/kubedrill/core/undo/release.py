"""Letting a rollout go: what held it while the fault was in, given back as soon as somebody took the fault out.

A fault's write holds the workload's rollout, so that no other pods are replaced than was announced. Whoever
repairs the template must find the workload's own strategy: else the repair would be held, too. What is in the
template is left to them, and to the undo.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kubedrill.core.undo.operations import TEMPLATE
from kubedrill.core.undo.patches import RevertPlan, plan_revert
from kubedrill.core.undo.pointers import found_again, read
from kubedrill.core.undo.record import FieldGroup, FieldUndo, UndoRecord


def holding(record: UndoRecord) -> tuple[str, ...]:
    """The paths of the record's fields that hold the rollout, of those that are not given back yet."""
    return tuple(f.path for f in record.fields if _holds(f) and f.path not in record.released)


def taken_out(record: UndoRecord, seen: Mapping[str, Any]) -> bool:
    """Whether somebody has taken the faults out of a target that still is the one that was injected.

    The first field of a group is the fault itself. While one of several faults is in, the rollout stays held.
    """
    if seen["metadata"].get("uid") != record.target_uid:
        return False
    faults = [g.fields[0] for g in record.groups if isinstance(g, FieldGroup) and g.fields]
    return bool(faults) and not any(_stands(fault, seen) for fault in faults)


def plan_release(record: UndoRecord, seen: Mapping[str, Any]) -> RevertPlan:
    """What to write so that the rollout is held no longer; somebody's own change of these fields is kept."""
    held = holding(record)
    groups = tuple(
        replace(g, fields=tuple(f for f in g.fields if f.path in held))
        for g in record.groups
        if isinstance(g, FieldGroup)
    )
    return plan_revert(replace(record, groups=groups), seen)


def _stands(fault: FieldUndo, seen: Mapping[str, Any]) -> bool:
    place = found_again(seen, fault.path, fault.guards)
    return place is not None and bool(read(seen, place[0]) == fault.after)


def _holds(field: FieldUndo) -> bool:
    """Whether a field's new value holds a rollout.

    A partition that was lowered lets the last pod be replaced, which its owner did not want to be: a repair needs
    that still, and it is put back with the rest.
    """
    if field.path.startswith(TEMPLATE) or field.before == field.after:
        return False
    lowered = isinstance(field.before, int) and isinstance(field.after, int) and field.before > field.after
    return not (field.path.endswith("/partition") and lowered)

"""Fields of one object, changed in one write. The protocol itself carries that out and derives its undo."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from kubedrill.core.undo.operations import ABSENT, SetFields, Target
from kubedrill.core.undo.pointers import read
from kubedrill.plugins.operations.base import Need, OperationKind


def _planned(operation: SetFields, objects: Mapping[Target, Any]) -> Iterable[str]:
    current = objects.get(operation.target, {})
    for change in operation.changes:
        before = read(current, change.path)
        back = "removed again" if before is ABSENT else f"restored to {_shown(before)}"
        yield f"{operation.target} {change.path}: {_shown(before)} → {_shown(change.value)}; {back}"


def _recorded(operation: SetFields) -> str:
    return f"{operation.target}: {', '.join(change.path for change in operation.changes)}"


def _shown(value: Any) -> str:
    return "absent" if value is ABSENT else value if isinstance(value, str) else json.dumps(value)


def _needs(operation: SetFields) -> tuple[Need, ...]:
    target = operation.target
    return (Need(target.group, target.plural, ("get", "patch"), ("get", "patch")),)


OPERATION: Final = OperationKind(operation=SetFields, planned=_planned, recorded=_recorded, needs=_needs)

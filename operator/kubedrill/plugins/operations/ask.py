"""Something that the facilitator is asked to do by hand, and to undo by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kubedrill.core.undo.operations import Ask, Target
from kubedrill.plugins.operations.base import OperationKind


def _planned(operation: Ask, _objects: Mapping[Target, Any]) -> Iterable[str]:
    yield f"undo, by the facilitator: {operation.undo}"


def _recorded(operation: Ask) -> str:
    return f"by hand: {operation.do}; to be undone: {operation.undo}"


OPERATION: Final = OperationKind(operation=Ask, planned=_planned, recorded=_recorded)

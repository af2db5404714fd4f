"""What a planned fault would do, for people: by its kind, and by the kind of each of its operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubedrill.api.faults import Fault
from kubedrill.core.undo.operations import Target
from kubedrill.plugins.faults import discover
from kubedrill.plugins.faults.base import Plan
from kubedrill.plugins.operations.catalogue import kind_of


def planned_in_words(fault: Fault, plan: Plan[Any], objects: Mapping[Target, Mapping[str, Any]]) -> Iterator[str]:
    """What a fault would do to what is there, and how it is undone, line by line."""
    yield from discover()[fault.kind].describe(fault.params, plan)
    for operation in plan.operations:
        yield from kind_of(operation).planned(operation, objects)

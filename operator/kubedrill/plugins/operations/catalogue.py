"""The registry of operations: each member is a module of this package with `OPERATION`.

All members ship with the project, for operator, watchdog and break-glass command must know the same ones: a record with
an operation that is not known here can't be read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from kubedrill.core.undo.operations import Operation
from kubedrill.kube.client import Kube
from kubedrill.plugins.operations import announce, ask, create, enqueue, remove, set_fields
from kubedrill.plugins.operations.base import OperationKind, Reverter

KINDS: Final[Mapping[type[Any], OperationKind[Any]]] = MappingProxyType(
    {module.OPERATION.operation: module.OPERATION for module in (set_fields, create, remove, enqueue, announce, ask)}
)
"""Every operation, by the class of its data."""


def kind_of(operation: Operation) -> OperationKind[Any]:
    """What is known of an operation."""
    return KINDS[type(operation)]


def all_reverters(kube: Kube, now: Callable[[], datetime]) -> dict[type[Any], Reverter]:
    """What carries out and undoes each operation that is no change of fields. `now` is the reference clock."""
    return {kind.operation: kind.reverter(kube, now) for kind in KINDS.values() if kind.reverter is not None}

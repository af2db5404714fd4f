"""Fake jobs in a queue, taken out again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kubedrill.core.undo.operations import Enqueue, Target
from kubedrill.plugins.operations.base import OperationKind
from kubedrill.plugins.operations.redis import RedisJobs


def _planned(operation: Enqueue, _objects: Mapping[Target, Any]) -> Iterable[str]:
    yield f"undo: every job whose id begins with {operation.prefix} is taken out, and no other"


def _recorded(operation: Enqueue) -> str:
    return f"fake jobs {operation.prefix}… in {operation.key} at {operation.host}:{operation.port}"


OPERATION: Final = OperationKind(
    operation=Enqueue,
    planned=_planned,
    recorded=_recorded,
    reverter=lambda _, clock: RedisJobs(clock),
    is_inside=True,
    remarks=lambda jobs, operation: jobs.remarks(operation),
)

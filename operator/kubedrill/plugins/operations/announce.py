"""An alert that is held up at Alertmanager until it is resolved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kubedrill.core.undo.operations import Announce, Target
from kubedrill.plugins.operations.alertmanager import AnnouncedAlerts
from kubedrill.plugins.operations.base import OperationKind
from kubedrill.plugins.ways_in import ways_in


def _planned(_operation: Announce, _objects: Mapping[Target, Any]) -> Iterable[str]:
    yield "undo: the alert is resolved; it ends by itself when it is not refreshed"


def _recorded(operation: Announce) -> str:
    return f"alert {operation.labels['alertname']} at {operation.host}:{operation.port}"


OPERATION: Final = OperationKind(
    operation=Announce,
    planned=_planned,
    recorded=_recorded,
    reverter=lambda kube, clock: AnnouncedAlerts(clock, ways_in(kube.restoring)),
    is_inside=True,
)

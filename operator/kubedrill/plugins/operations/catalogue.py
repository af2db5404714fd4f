"""All reverters, by what they undo."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from kubedrill.core.undo.operations import Announce, Enqueue
from kubedrill.plugins.operations.alertmanager import AnnouncedAlerts
from kubedrill.plugins.operations.redis import RedisJobs


def all_reverters(now: Callable[[], datetime]) -> dict[type[Enqueue | Announce], RedisJobs | AnnouncedAlerts]:
    """What undoes each operation outside the API server. `now` is the reference clock."""
    return {Enqueue: RedisJobs(now), Announce: AnnouncedAlerts(now)}

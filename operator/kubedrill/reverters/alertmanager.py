"""An alert at Alertmanager that lasts as long as it is refreshed, and is resolved by the undo.

It carries a short end, so it resolves by itself when everybody who could undo it is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import aiohttp

from kubedrill.core.operations import Announce, Refusal
from kubedrill.core.undo_record import UNREACHABLE, Again, Done, OutsideGroup, Progress, UndoRecord

REFRESH: Final = timedelta(seconds=10)
LASTS: Final = 3 * REFRESH
"""Two refreshes may get lost before the alert ends by itself."""
LOOK_AGAIN: Final = timedelta(seconds=1)
AFTER_OUTAGE: Final = timedelta(seconds=2)
_PATIENCE: Final = aiohttp.ClientTimeout(total=5)


class AnnouncedAlerts:
    """The reverter of `Announce`. `url_of` says where a Service is reached from here, by host and port."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        url_of: Callable[[str, int], str] = lambda host, port: f"http://{host}:{port}",
    ) -> None:
        self._clock = clock
        self._url_of = url_of

    async def prepare(self, operation: Announce) -> Refusal | None:
        """Whether Alertmanager answers. Touches nothing."""
        try:
            await self._active(operation)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            where = f"{operation.host}:{operation.port}"
            return Refusal("AlertmanagerUnreachable", f"Alertmanager at {where} does not answer: {error}")
        return None

    async def inject(self, record: UndoRecord, group: OutsideGroup) -> Progress:
        """Let it be active for LASTS more, not beyond the deadline; Done only when the deadline is past."""
        operation = _operation(group)
        now = self._clock()
        if now >= record.deadline:
            return Done("the deadline is past, so it is not refreshed")
        try:
            await self._post(operation, now, min(now + LASTS, record.deadline))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return _unreachable(operation, error)
        return Again(REFRESH, "Refreshing", f"{operation.labels['alertname']} is announced")

    async def count(self, group: OutsideGroup) -> int | None:  # noqa: ARG002  the interface
        """None: an alert is there or not."""
        return None

    async def revert(self, record: UndoRecord, group: OutsideGroup) -> Progress:  # noqa: ARG002  the interface
        """Resolve it; Done when Alertmanager does not list it any more."""
        operation = _operation(group)
        try:
            if await self._active(operation):
                now = self._clock()
                await self._post(operation, now, now)
            left = await self._active(operation)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return _unreachable(operation, error)
        name = operation.labels["alertname"]
        if left:
            return Again(LOOK_AGAIN, "StillActive", f"{name} is resolved, but Alertmanager lists it yet")
        return Done(f"{name} is resolved")

    async def _post(self, operation: Announce, now: datetime, ends: datetime) -> None:
        # Alertmanager keeps the earliest start of overlapping posts; left out, the start would be the end.
        alert = {
            "labels": dict(operation.labels),
            "annotations": dict(operation.annotations),
            "startsAt": now.isoformat(),
            "endsAt": ends.isoformat(),
        }
        async with (
            aiohttp.ClientSession(timeout=_PATIENCE) as session,
            session.post(self._alerts(operation), json=[alert]) as answer,
        ):
            if answer.status >= 400:
                raise aiohttp.ClientError(f"{answer.status} {(await answer.text())[:200]}")

    async def _active(self, operation: Announce) -> bool:
        """Whether it is there, silenced and inhibited ones included."""
        matcher = [("filter", f"{name}={_quoted(value)}") for name, value in operation.labels.items()]
        async with (
            aiohttp.ClientSession(timeout=_PATIENCE, raise_for_status=True) as session,
            session.get(self._alerts(operation), params=matcher) as answer,
        ):
            found: list[dict[str, Any]] = await answer.json()
        return any(alert.get("labels") == dict(operation.labels) for alert in found)

    def _alerts(self, operation: Announce) -> str:
        return f"{self._url_of(operation.host, operation.port)}/api/v2/alerts"


def _operation(group: OutsideGroup) -> Announce:
    if not isinstance(group.operation, Announce):
        raise TypeError(f"fault {group.fault}: {type(group.operation).__name__} is not for Alertmanager")
    return group.operation


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _unreachable(operation: Announce, error: Exception) -> Again:
    return Again(AFTER_OUTAGE, UNREACHABLE, f"Alertmanager at {operation.host}:{operation.port}: {error}"[:300])

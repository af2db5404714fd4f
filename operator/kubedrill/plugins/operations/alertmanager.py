"""An alert at Alertmanager that lasts as long as it is refreshed, and is resolved by the undo.

It carries a short end, so it resolves by itself when everybody who could undo it is gone.

Alertmanager is a stranger's, and this code runs in the watchdog too, on which everybody's undo depends. So nothing
that it says is parsed: asked for the alerts with all of our labels, one of which nobody else has, it says `[]` or it
lists one. Another alert with these labels and more counts as ours, and is waited for: that is the safe mistake.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import aiohttp

from kubedrill.core.access import MonitoringAccess
from kubedrill.core.undo.operations import Announce, Refusal
from kubedrill.core.undo.record import UNREACHABLE, Again, Done, OutsideGroup, Progress, UndoRecord
from kubedrill.kube.addresses import StrangersNames
from kubedrill.kube.answers import NoAnswer, elsewhere, read_up_to
from kubedrill.kube.client import Unreachable
from kubedrill.kube.strangers import refusal, why_silent
from kubedrill.plugins.ways_in import WayIn, WaysIn

REFRESH: Final = timedelta(seconds=10)
LASTS: Final = 3 * REFRESH
"""Two refreshes may get lost before the alert ends by itself."""
LOOK_AGAIN: Final = timedelta(seconds=1)
AFTER_OUTAGE: Final = timedelta(seconds=2)
MOST_BYTES: Final = 128 << 10
"""Of a list of one alert; with labels and annotations as long as they may be, and escaped, it has half of that."""
_PATIENCE: Final = aiohttp.ClientTimeout(total=5)
_LISTED: Final = ((b"", b""), (b"{", b"}"))
"""How what is within the brackets begins and ends: there is nothing, or there are objects."""
_FAILURES: Final = (Unreachable, aiohttp.ClientError, OSError, TimeoutError, ValueError)


class AnnouncedAlerts:
    """The reverter of `Announce`. `ways` say how it is asked, `address_of` where a host and port are from here."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        ways: WaysIn | None = None,
        address_of: Callable[[str, int], str] = lambda host, port: f"{host}:{port}",
    ) -> None:
        self._clock, self._ways, self._address_of = clock, ways or WaysIn(), address_of

    async def prepare(self, operation: Announce) -> Refusal | None:
        """Whether Alertmanager answers. Touches nothing."""
        try:
            await self._active(operation)
        except _FAILURES as error:
            return Refusal("AlertmanagerUnreachable", _told(operation, error))
        return None

    async def inject(self, record: UndoRecord, group: OutsideGroup) -> Progress:
        """Let it be active for LASTS more, not beyond the deadline; Done only when the deadline is past."""
        operation = _operation(group)
        now = self._clock()
        if now >= record.deadline:
            return Done("the deadline is past, so it is not refreshed")
        try:
            await self._post(operation, now, min(now + LASTS, record.deadline))
        except _FAILURES as error:
            return Again(AFTER_OUTAGE, UNREACHABLE, _told(operation, error))
        return Again(REFRESH, "Refreshing", f"{operation.labels['alertname']} is announced")

    async def count(self, group: OutsideGroup) -> int | None:  # noqa: ARG002  the interface
        """None: an alert is there or not."""
        return None

    async def seen_in(self, record: UndoRecord, group: OutsideGroup) -> None:
        """None: when it began to fire, the record tells."""

    async def revert(self, record: UndoRecord, group: OutsideGroup) -> Progress:  # noqa: ARG002  the interface
        """Resolve it; Done when Alertmanager does not list it any more."""
        operation = _operation(group)
        try:
            if await self._active(operation):
                now = self._clock()
                await self._post(operation, now, now)
            left = await self._active(operation)
        except _FAILURES as error:
            return Again(AFTER_OUTAGE, UNREACHABLE, _told(operation, error))
        name = operation.labels["alertname"]
        if left:
            return Again(LOOK_AGAIN, "StillActive", f"{name} is resolved, but Alertmanager still lists it")
        return Done(f"{name} is resolved")

    async def _post(self, operation: Announce, now: datetime, ends: datetime) -> None:
        # Alertmanager keeps the earliest start of overlapping posts; left out, the start would be the end.
        alert = {
            "labels": dict(operation.labels),
            "annotations": dict(operation.annotations),
            "startsAt": now.isoformat(),
            "endsAt": ends.isoformat(),
        }

        async def posted(way: WayIn) -> None:
            async with _session() as session, session.post(self._url(way), json=[alert], **way.options) as answer:
                _demand_ok(answer.status, way.access)

        await self._ways.through(operation.host, operation.port, operation.access, posted)

    async def _active(self, operation: Announce) -> bool:
        """Whether it is there, silenced and inhibited ones included. Raises Unanswered."""
        matcher = [("filter", f"{name}={_quoted(value)}") for name, value in operation.labels.items()]

        async def listed(way: WayIn) -> bytes:
            async with _session() as session, session.get(self._url(way), params=matcher, **way.options) as answer:
                _demand_ok(answer.status, way.access)
                return await read_up_to(answer.content.iter_any(), MOST_BYTES)

        return _lists_some(await self._ways.through(operation.host, operation.port, operation.access, listed))

    def _url(self, way: WayIn) -> str:
        scheme = "https" if way.access.tls else "http"
        return way.url(f"{scheme}://{self._address_of(way.host, way.port)}", "/api/v2/alerts")


def _operation(group: OutsideGroup) -> Announce:
    if not isinstance(group.operation, Announce):
        raise TypeError(f"fault {group.fault}: {type(group.operation).__name__} is not for Alertmanager")
    return group.operation


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _session() -> aiohttp.ClientSession:
    # what unfolds a thousandfold is not asked for, and is not unfolded
    return aiohttp.ClientSession(
        timeout=_PATIENCE,
        connector=aiohttp.TCPConnector(resolver=StrangersNames()),
        headers={"Accept-Encoding": "identity"},
        auto_decompress=False,
    )


def _demand_ok(status: int, access: MonitoringAccess) -> None:
    """Raises Unanswered. Its words are not shown: they may be somebody else's secret."""
    if 300 <= status < 400:
        raise elsewhere(status)
    if no := refusal(status, b"", None, access):
        raise no
    if status != 200:
        raise NoAnswer(f"answers {status}")


def _lists_some(body: bytes) -> bool:
    """Whether a list of alerts has any. Raises Unanswered."""
    whole = body.strip()
    within = whole[1:-1].strip()
    if len(whole) < 2 or (whole[:1], whole[-1:]) != (b"[", b"]") or (within[:1], within[-1:]) not in _LISTED:
        raise NoAnswer("answers with something that is not a list of alerts")
    return bool(within)


def _told(operation: Announce, error: Exception) -> str:
    said = str(error) if isinstance(error, NoAnswer | Unreachable) else why_silent(error, operation.access)
    return f"Alertmanager at {operation.host}:{operation.port} {said}"

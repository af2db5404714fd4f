"""The operator's heartbeat, from the event loop itself: a frozen process is silent, whatever made it so.

It has connections of its own: it tells of the process, not of how much else is asked. It beats only while there
is a drill that needs the operator: an operator with nothing to do writes nothing.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.lanes import Lane
from kubedrill.protocol.clock import Clock
from kubedrill.protocol.lease import BEAT_SECONDS, beat

LOG = logging.getLogger(__name__)


class Heartbeat:
    """Renews the operator's Lease while `busy` says so."""

    def __init__(self, kube: Kube, namespace: str, clock: Clock, busy: Callable[[], bool]) -> None:
        self._kube = kube.on(Lane.HEARTBEAT)
        self._namespace, self._clock, self._busy = namespace, clock, busy
        self._holder = socket.gethostname()
        self._failing = False

    async def run(self) -> None:
        """Beats until it is cancelled."""
        while True:
            await self.once()
            await asyncio.sleep(BEAT_SECONDS)

    async def once(self) -> None:
        """One beat, if there is anything to beat for. A failure is said once, until it succeeds again."""
        if not self._busy():
            return
        trouble = await self._trouble()
        if trouble and not self._failing:
            LOG.warning("the heartbeat fails, so the watchdog may take this operator's drills over: %s", trouble)
        self._failing = bool(trouble)

    async def _trouble(self) -> str:
        """Why the Lease could not be renewed; empty when it was."""
        try:
            answer = await beat(self._kube, self._namespace, self._holder, self._clock.now())
        except Unreachable as error:
            return str(error)
        return "" if answer.ok else f"{answer.status} {answer.reason} {answer.message}"

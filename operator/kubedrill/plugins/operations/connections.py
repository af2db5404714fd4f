"""The connections to other people's Redis: a new one each time, and one in reserve from a fault's push to its undo.

A new one, because the Service may lead elsewhere by now. In reserve, because the workers that are scaled up for the
fake jobs may take all the connections that Redis allows (`maxclients`). Whoever has none in reserve (an operator that
was restarted, the watchdog) asks again and again, and has the first that becomes free.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from kubedrill.core.undo.operations import Enqueue
from kubedrill.plugins.operations.resp import CutOff, RedisRefuses, RedisSilent, Wire

Resolve = Callable[[str, int], tuple[str, int]]
"""Where a Service is reached from here, by host and port."""

IDLE: Final = 120.0
"""Seconds after which a reserve is closed that nobody has renewed: somebody else has undone the fault."""
_PUSHES_IN_FOR: Final = 2.0
_TRIES_EVERY: Final = 0.05


@dataclass(slots=True)
class _Kept:
    wire: Wire
    since: float


class RedisConnections:
    """The connections of one process. Not shared between event loops."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._kept: dict[tuple[str, int, str], _Kept] = {}

    @asynccontextmanager
    async def to(self, operation: Enqueue) -> AsyncIterator[Wire]:
        """A connection of an operation while the block runs; in reserve afterwards, if nothing went wrong.

        Raises:
            Unanswered: there is none to be had.
            RedisRefuses: it is refused.
        """
        key = (operation.host, operation.port, operation.prefix)
        where = self._resolve(operation.host, operation.port)
        kept = self._kept.get(key)
        if kept is None or not kept.wire.is_open:
            wire = await _first_free(*where)
        else:
            wire = await _one(*where) or kept.wire
        try:
            yield wire
        except BaseException:
            wire.close()
            raise
        if kept is None or kept.wire is not wire:
            self.done(operation)
        self._keep(key, wire)

    def done(self, operation: Enqueue) -> None:
        """Nothing more is to be asked for this operation."""
        kept = self._kept.pop((operation.host, operation.port, operation.prefix), None)
        if kept:
            kept.wire.close()

    def _keep(self, key: tuple[str, int, str], wire: Wire) -> None:
        loop = asyncio.get_running_loop()
        self._kept[key] = _Kept(wire, loop.time())
        loop.call_later(IDLE, _close_idle, weakref.ref(self), loop)

    def close_idle(self, now: float) -> None:
        """Close what was not used for IDLE."""
        for key in [key for key, kept in self._kept.items() if now - kept.since >= IDLE]:
            self._kept.pop(key).wire.close()


def _close_idle(connections: weakref.ref[RedisConnections], loop: asyncio.AbstractEventLoop) -> None:
    there = connections()
    if there is not None:
        there.close_idle(loop.time())


async def _first_free(host: str, port: int) -> Wire:
    """A connection that answers; while all are taken, the first that becomes free within a moment."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _PUSHES_IN_FOR
    while (wire := await _one(host, port)) is None:
        if loop.time() >= until:
            raise RedisSilent("all the connections that it allows are taken (maxclients)")
        await asyncio.sleep(_TRIES_EVERY)
    return wire


async def _one(host: str, port: int) -> Wire | None:
    """A connection that answers; None when all are taken."""
    wire = await Wire.connected(host, port)
    try:
        await wire.call("PING")
    except RedisRefuses as refusal:
        if refusal.is_full:
            wire.close()
            return None
        return wire  # it answers; what it refuses, the caller will hear
    except CutOff:  # one too many is cut off at once, mostly before its words are through
        return None
    return wire

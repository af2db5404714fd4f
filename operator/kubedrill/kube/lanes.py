"""The connections to one API server: bounded, and kept apart in lanes.

HTTP/1.1 takes one for each request under way, a watch for as long as it stands. However many watches stand and however
many requests hang, a restore finds a free one.
"""

from __future__ import annotations

import asyncio
import copy
import time
from asyncio.sslproto import SSLProtocol
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Final

from kubernetes.aio.client import ApiClient


class Unreachable(Exception):
    """No answer: the connection failed, was cut or timed out. Whether the request was done is unknown.

    Also when no connection became free in time (the message says so): then nothing was sent.
    """


class Lane(StrEnum):
    """What a connection is kept for. A request waits only for those of its own lane."""

    WATCHES = "watches"
    ORDINARY = "ordinary requests"
    TURNS = "turns"
    RESTORING = "restores"
    HEARTBEAT = "the heartbeat"


CONNECTIONS: Final[Mapping[Lane, int]] = {
    Lane.WATCHES: 480,  # five a namespace with a drill in play, one for all words in the control namespace: 95 drills
    Lane.ORDINARY: 60,
    Lane.TURNS: 40,
    Lane.RESTORING: 40,
    Lane.HEARTBEAT: 2,
}
"""The most connections of each lane at a time. Their sum bounds what one process asks of an API server."""
READ_AT_ONCE: Final = 32 * 1024
"""So many bytes a TLS connection reads at a time, into a buffer that it keeps while it stands. A record has 16 KiB."""


def with_small_buffers() -> None:
    """Has all TLS connections that this process makes from now on read `READ_AT_ONCE` bytes at a time.

    By itself asyncio keeps 256 KiB for each, and offers no setting: with 300 watches that is 75 MiB for a few lines a
    second.
    """
    SSLProtocol.max_size = READ_AT_ONCE


class Connections:
    """The connections of one lane: a client with a pool of its own, and who waits for one, in order."""

    def __init__(self, lane: Lane, template: ApiClient) -> None:
        self._lane, self._most = lane, CONNECTIONS[lane]
        config = copy.copy(template.configuration)  # it shares the credentials, which are renewed in place
        config.connection_pool_maxsize = self._most
        self.api = ApiClient(config)
        self.api.default_headers.update(template.default_headers)
        self._free = asyncio.Semaphore(self._most)

    @asynccontextmanager
    async def one(self, what: str, timeout: float) -> AsyncIterator[float]:
        """A free connection; gives the seconds that are left of the request's time. Raises Unreachable."""
        asked = time.monotonic()
        try:
            async with asyncio.timeout(timeout):
                await self._free.acquire()
        except TimeoutError as error:
            raise Unreachable(
                f"{what}: no free connection within {timeout:g} s: all {self._most} for {self._lane} are in use"
            ) from error
        try:
            yield max(0.001, timeout - (time.monotonic() - asked))
        finally:
            self._free.release()

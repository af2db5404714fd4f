"""HTTP to Prometheus and Alertmanager, which belong to strangers: no redirects, and an end to everything.

Each answer may have so many bytes, so does a whole turn of a drill, and so many large ones may be in this process
at once, whoever they are from. An answer is decoded and read in one go, so that of what it was made of nothing is
left but what its reader gives back.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import urlsplit

import aiohttp

from kubedrill.core.access import MonitoringAccess
from kubedrill.core.plan.drill_plan import Endpoint
from kubedrill.kube.addresses import StrangersNames
from kubedrill.kube.answers import (
    MOST_VALUES,
    NoAnswer,
    TooMuch,
    decoded,
    elsewhere,
    read_up_to,
    too_long,
    values_in,
)
from kubedrill.kube.client import Unreachable
from kubedrill.kube.strangers import refusal, why_silent
from kubedrill.plugins.sources.polled import ALERTS
from kubedrill.plugins.ways_in import WayIn, WaysIn

T = TypeVar("T")
Read = Callable[[Any], T]
"""Makes of an answer's JSON what is wanted of it. Raises Unanswered."""

TIMEOUT: Final = 3.0
MIB: Final = 1 << 20
MOST_OF_ALERTS: Final = MIB
MOST_OF_PROMETHEUS: Final = 4 * MIB
MOST_OF_A_TURN: Final = 8 * MIB
SMALL: Final = 64 << 10
"""Smaller answers wait for nobody: nearly all are."""
LARGE_AT_ONCE: Final = 12
"""In this process, so 48 MiB of bytes. A drill has one of them at a time."""
LARGE_WITHIN: Final = 1.0
WINDOW: Final = 32 << 10
"""What may be under way from a stranger before it is read. Otherwise each connection takes 256 KiB at a time."""
CONNECTIONS: Final = 8
"""To one Service, for one drill: one that never ends its answer holds up no other question for long."""


class Turn:
    """What the answers of one turn of one drill may come to."""

    def __init__(self, most_bytes: int = MOST_OF_A_TURN, most_values: int = MOST_VALUES) -> None:
        self._bytes, self._values = most_bytes, most_values

    async def metered(self, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
        """The chunks of a body while there is something left for them. Raises Unanswered."""
        async for chunk in chunks:
            self._bytes -= len(chunk)
            if self._bytes < 0:
                raise TooMuch("answers with more than is read in one turn")
            yield chunk

    def decoded(self, raw: bytes) -> Any:
        """The JSON of a body while there is something left for its values. Raises Unanswered."""
        values = values_in(raw)
        if self._values < values <= MOST_VALUES:
            raise TooMuch("answers with more values than are read in one turn")
        found = decoded(raw)
        self._values -= values
        return found


class Fetch(Protocol):
    """One GET at a Service of the cluster, and what `read` makes of its answer, whatever the status.

    Raises:
        Unreachable: nobody answers.
        Unanswered: the answer says nothing; the message names who gave it.
    """

    async def __call__(
        self, endpoint: Endpoint, path: str, query: Sequence[tuple[str, str]], read: Read[T], turn: Turn
    ) -> T:
        """What was read."""


class Room:
    """Room for large answers in one process: so many at once, each for a second."""

    def __init__(self, at_once: int = LARGE_AT_ONCE) -> None:
        self._places = asyncio.Semaphore(at_once)

    async def __aenter__(self) -> None:
        await self._places.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._places.release()


ROOM: Final = Room()


def in_cluster(endpoint: Endpoint) -> str:
    """A server's address as a pod has it."""
    return f"{'https' if endpoint.access.tls else 'http'}://{endpoint.host}:{endpoint.port}"


class WebClient:
    """Asks the servers of one drill; `resolve` gives their base URLs, `ways` how each is asked."""

    def __init__(
        self,
        resolve: Callable[[Endpoint], str] = in_cluster,
        timeout: float = TIMEOUT,
        room: Room = ROOM,
        ways: WaysIn | None = None,
    ) -> None:
        self._resolve, self._timeout, self._room, self._ways = resolve, timeout, room, ways or WaysIn()
        self._one_large = asyncio.Lock()
        self._looked_for: Counter[str] = Counter()
        self._session: aiohttp.ClientSession | None = None

    async def fetch(
        self, endpoint: Endpoint, path: str, query: Sequence[tuple[str, str]], read: Read[T], turn: Turn
    ) -> T:
        """What `read` makes of the answer. Raises Unreachable and Unanswered."""
        base = self._resolve(endpoint)

        async def asked(way: WayIn) -> T:
            most = MOST_OF_ALERTS if path == ALERTS else MOST_OF_PROMETHEUS
            url = way.url(base, path)
            async with (
                self._opened().get(url, params=list(query), **way.options) as answer,
                AsyncExitStack() as held,
            ):
                raw = await self._body(answer, most, turn, held)
                return read(_told(answer.status, raw, turn, endpoint.access))

        try:
            async with asyncio.timeout(self._timeout):
                return await self._ways.through(endpoint.host, endpoint.port, endpoint.access, asked)
        except NoAnswer as error:
            raise type(error)(f"{endpoint} {error}") from error
        except Unreachable as error:
            raise Unreachable(f"{endpoint} is not asked: {error}") from error
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            looked_for = self._looked_for[urlsplit(base).hostname or ""] > 0
            raise Unreachable(f"{endpoint} {why_silent(error, endpoint.access, looked_for=looked_for)}") from error

    async def close(self) -> None:
        """End the connections. Who asks again opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None),  # one for all of it, waiting for room included, is ours
                connector=aiohttp.TCPConnector(
                    limit_per_host=CONNECTIONS, socket_factory=_narrow, resolver=StrangersNames(self._looked_for)
                ),
                headers={"Accept-Encoding": "identity"},
                auto_decompress=False,  # what unfolds a thousandfold is not asked for
                read_bufsize=SMALL // 4,
            )
        return self._session

    async def _body(self, answer: aiohttp.ClientResponse, most: int, turn: Turn, held: AsyncExitStack) -> bytes:
        """The body. A large one takes its place in the process's room, until `held` is left."""
        if 300 <= answer.status < 400:
            raise elsewhere(answer.status)
        if (answer.content_length or 0) > most:
            raise too_long(most)
        chunks = turn.metered(answer.content.iter_any())
        try:
            raw = await _first(chunks)
            if len(raw) <= SMALL:
                return raw
            await held.enter_async_context(self._one_large)
            await held.enter_async_context(self._room)
            async with asyncio.timeout(LARGE_WITHIN):
                return await read_up_to(chunks, most, raw)
        except TimeoutError:
            raise TooMuch("takes too long over a large answer") from None
        finally:
            await chunks.aclose()


def _told(status: int, raw: bytes, turn: Turn, access: MonitoringAccess) -> Any:
    """The JSON of an answer. Raises NoAnswer, of another status than a good one by what that status says."""
    if 200 <= status < 300:
        return turn.decoded(raw)
    said: Any = None
    with suppress(NoAnswer):
        said = turn.decoded(raw)
    if no := refusal(status, raw, said, access):
        raise no
    return said


def _narrow(address: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol, _, _ = address
    one = socket.socket(family, kind, protocol)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
    return one


async def _first(chunks: AsyncIterator[bytes]) -> bytes:
    """A small body whole, of a large one a little more than SMALL."""
    raw = bytearray()
    async for chunk in chunks:
        raw += chunk
        if len(raw) > SMALL:
            break
    return bytes(raw)

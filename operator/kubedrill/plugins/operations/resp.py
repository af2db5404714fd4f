"""A connection to Redis whose answers can't make us grow: RESP2, with a budget of bytes, values and depth a reply.

An own few lines, because the Redis at the other end is somebody else's: a client library reads whatever size is
announced, recurses as deep as it is told to, and connects to where a server's push message points.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Final, TypeAlias

MOST_BYTES: Final = 1 << 20
MOST_VALUES: Final = 10_000
DEEPEST: Final = 4
"""Deeper than any answer that is asked for: entries of a stream would be four lists deep."""
_LINE: Final = 1 << 16
_CONNECTS_WITHIN: Final = 2.0
_ANSWERS_WITHIN: Final = 5.0

# In Redis before 7 the error that stopped a script stands somewhere in the text.
_CODES: Final = re.compile(
    r"\b(NOAUTH|WRONGPASS|DENIED|NOPERM|READONLY|CROSSSLOT|MOVED|ASK|OOM|MISCONF|NOREPLICAS|EXECABORT|WRONGTYPE"
    r"|LOADING|BUSY|TRYAGAIN|CLUSTERDOWN|MASTERDOWN)\b"
)
_PASSING: Final = frozenset({"LOADING", "BUSY", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN"})
_FULL: Final = "max number of clients"


class RedisSilent(Exception):
    """Nobody answered, or not as Redis does, or more than the budget."""


class CutOff(RedisSilent):
    """The other end has closed the connection."""


class RedisRefuses(Exception):
    """An error reply. `code` is the word of it that says what is wrong (READONLY); empty when there is none."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        found = _CODES.search(text)
        self.code = found[1] if found else ""

    @property
    def passing(self) -> bool:
        """Whether it will be otherwise without anybody's doing."""
        return self.code in _PASSING or self.is_full

    @property
    def is_full(self) -> bool:
        """Whether it has no connection left."""
        return _FULL in str(self)


Reply: TypeAlias = "int | str | RedisRefuses | list[Reply] | None"
Command = tuple[str | int, ...]


@dataclass(slots=True)
class _Budget:
    """What is left to a reply."""

    size: int = MOST_BYTES
    values: int = MOST_VALUES

    def spend(self, size: int, values: int) -> None:
        """So much is read next."""
        self.size -= size
        self.values -= values
        if self.size < 0 or self.values < 0:
            raise RedisSilent(f"it answers with more than {MOST_BYTES} bytes or {MOST_VALUES} values")


class Wire:
    """One connection. After anything but a whole reply it is closed: what came next would answer something else."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def connected(cls, host: str, port: int) -> Wire:
        """A new connection.

        Raises:
            Unanswered: there is none to be had.
        """
        try:
            async with asyncio.timeout(_CONNECTS_WITHIN):
                return cls(*await asyncio.open_connection(host, port, limit=_LINE))
        except TimeoutError:
            raise RedisSilent(f"no connection within {_CONNECTS_WITHIN:g} s") from None
        except (OSError, ValueError) as error:
            raise RedisSilent(str(error)) from error

    @property
    def is_open(self) -> bool:
        """Whether something can be asked."""
        return not self._writer.is_closing() and not self._reader.at_eof()

    async def call(self, *command: str | int) -> Reply:
        """The answer to one command.

        Raises:
            RedisRefuses: it is an error.
            Unanswered: there is none.
        """
        (answer,) = await self.calls(command)
        if isinstance(answer, RedisRefuses):
            raise RedisRefuses(str(answer))  # another one: an exception that its own frame holds keeps this alive
        return answer

    async def calls(self, *commands: Command) -> list[Reply]:
        """The answers to commands that are sent in one piece; errors are among them.

        Raises:
            Unanswered: one of them is not answered.
        """
        try:
            self._writer.write(b"".join(_packed(command) for command in commands))
            async with asyncio.timeout(_ANSWERS_WITHIN):
                return [await self._reply(_Budget(), DEEPEST) for _ in commands]
        except BaseException as error:
            self.close()
            if isinstance(error, TimeoutError):
                raise RedisSilent(f"no answer within {_ANSWERS_WITHIN:g} s") from None
            if isinstance(error, ConnectionError | EOFError):
                raise CutOff(f"it closed the connection ({error})") from error
            if isinstance(error, OSError | ValueError | asyncio.LimitOverrunError):
                raise RedisSilent(str(error)) from error
            raise

    def close(self) -> None:
        """At once: there is nothing left to be said."""
        if not self._loop.is_closed():
            self._writer.transport.abort()

    def __del__(self) -> None:
        """Whoever forgets it leaves no connection open at somebody else's Redis."""
        self.close()

    async def _reply(self, budget: _Budget, depth: int) -> Reply:
        line = await self._reader.readuntil(b"\r\n")
        budget.spend(len(line), 1)
        kind, said = line[:1], line[1:-2]
        if kind == b"+":
            return _text(said)
        if kind == b"-":
            return RedisRefuses(_words(said))
        if kind == b":":
            return int(said)
        if kind not in (b"$", b"*"):
            raise RedisSilent("what answers is not Redis")
        length = int(said)
        if length == -1:
            return None
        if length < 0:
            raise RedisSilent("what answers is not Redis")
        if kind == b"$":
            budget.spend(length, 0)
            return _text((await self._reader.readexactly(length + 2))[:-2])
        if depth == 0:
            raise RedisSilent(f"it answers with lists more than {DEEPEST} deep")
        return [await self._reply(budget, depth - 1) for _ in range(length)]


def _packed(command: Command) -> bytes:
    parts = [str(part).encode(errors="surrogateescape") for part in command]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


def _words(said: bytes) -> str:
    """For people's eyes: no sign that a terminal or a log would obey."""
    return "".join(sign if sign.isprintable() else "?" for sign in said[:300].decode(errors="replace"))


def _text(said: bytes) -> str:
    return said.decode(errors="surrogateescape")

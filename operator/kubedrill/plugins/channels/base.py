"""The contract of a channel to people: all that the rest of the project must know of it.

A channel is a module of this package with a constant `CHANNEL`. What it delivers is told once, however often it is
delivered: a turn may end right after a message has reached people, and the next one delivers it again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from kubedrill.core.evidence.facts import Interval
from kubedrill.core.machine.bounds import parts_of
from kubedrill.core.rights import Right
from kubedrill.kube.client import Kube
from kubedrill.kube.clock import ServerClock

LONGEST_NUMBER: Final = "(99/99) "


@dataclass(frozen=True, slots=True)
class Message:
    """What the people of a target namespace are told. `kind` is an inject's channel in the API: Client or Note."""

    namespace: str
    kind: str
    sender: str
    body: str

    @property
    def words(self) -> str:
        """What it says, after the name of who says it."""
        return f"{self.sender}: {self.body}" if self.sender else self.body


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a message: `at` is when people were told the whole of it; without it, `why` they were not.

    `for_good`: trying again does not help. Else it is delivered again at the next turn.
    """

    at: Interval | None = None
    why: str = ""
    for_good: bool = False


def numbered_parts(words: str, most_bytes: int) -> tuple[str, ...]:
    """Words in parts of at most so many bytes, each with its number (`(2/3) `) where there is more than one."""
    if len(words.encode("utf-8", "replace")) <= most_bytes:
        return (words,)
    parts = parts_of(words, most_bytes - len(LONGEST_NUMBER))
    return tuple(f"({number}/{len(parts)}) {part}" for number, part in enumerate(parts, start=1))


Deliver = Callable[[Kube, ServerClock, Message, str], Awaitable[Delivery]]
"""Tells people a message. Two messages have different keys, and one has the same key after a restart: told under one
key twice is told once, at the time of the first. A message that is too long is told in parts; it is delivered when all
of them are, and after a crash only those are sent that were not."""


@dataclass(frozen=True, slots=True)
class Outbound:
    """How a channel tells people: which kinds of messages it carries, and what the operator must be allowed for it."""

    carries: frozenset[str]
    deliver: Deliver
    rights: tuple[Right, ...] = ()


@dataclass(frozen=True, slots=True)
class ChannelKind:
    """One channel: its module's name in camelCase is what it is called.

    - `summary`: what it is, in one sentence.
    - `outbound`: how it tells people something, if it does.
    """

    name: str
    summary: str
    outbound: Outbound | None = None

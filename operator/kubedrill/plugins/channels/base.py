"""The contract of a channel to people: all that the rest of the project must know of it.

A channel is a module of this package with a constant `CHANNEL`. What comes in is verified before it is looked at, and
read by pure functions into facts, each with the same id whenever the same is told again. What goes out is told once,
however often it is delivered: a turn may end right after a message has reached people, and the next one delivers it
again.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import Fact, Interval
from kubedrill.core.evidence.timestamps import Received
from kubedrill.core.machine.bounds import parts_of
from kubedrill.core.machine.state import CheckResult
from kubedrill.core.plan.drill_plan import DrillPlan, Endpoint, Participant
from kubedrill.core.rights import Right
from kubedrill.kube.client import Kube
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.paths import Namespaced

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
class Arrival:
    """When a message came in, by a clock that is known to within `error`, and what it must be about to count."""

    about: About
    at: datetime
    error: timedelta


@dataclass(frozen=True, slots=True)
class Webhook:
    """How somebody else's system calls the operator's HTTP server.

    - `route`: the path, which holds `{namespace}`: the target namespace that the message is for, or `EVERY_NAMESPACE`.
    - `verified(headers, secret)`: whether the caller is who may call, told before the body is read.
    - `read(message, arrival)`: the facts in the JSON of a body, bounded in number and length. A `ValueError` says
      what is wrong with a message that is none.
    """

    route: str
    verified: Callable[[Mapping[str, str], str], bool]
    read: Callable[[Any, Arrival], tuple[Fact, ...]]


@dataclass(frozen=True, slots=True)
class Admitted:
    """What a question of the API server's tells: `uid` is the question's, `namespace` what it is about."""

    uid: str
    namespace: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class AdmissionHook:
    """How the API server tells the operator what is asked of it, by a webhook that allows everything.

    `read(review, at)` gives the facts in an `AdmissionReview` that was asked at that time. A `ValueError` says what is
    wrong with one that is none.
    """

    read: Callable[[Any, Interval], Admitted]


@dataclass(frozen=True, slots=True)
class Hearing:
    """Whose words count: those of the players, about one drill, said after it was made.

    `control` tells that the words lie in the control namespace, where the facilitator speaks.
    """

    drill: str
    players: tuple[Participant, ...]
    since: datetime
    control: bool = False


@dataclass(frozen=True, slots=True)
class SpokenObjects:
    """How people speak by objects that they make at the API server, which has verified who makes them.

    They are listed and watched in the target and the control namespace (`where`). `read(object, receipt, hearing)`
    gives the facts in one; none where it is about something else, or no word at all.
    """

    where: Namespaced
    read: Callable[[Mapping[str, Any], Received, Hearing], tuple[Fact, ...]]
    rights: tuple[Right, ...] = ()


class Asking(Protocol):
    """How monitoring is asked: by the operator in its own way, by `kubectl drill doctor` where there is none."""

    async def __call__(self, endpoint: Endpoint, path: str) -> Any:
        """The JSON with which a server answers; raises NoAnswer with what is wrong."""


@dataclass(frozen=True, slots=True)
class DoctorCheck:
    """What doctor looks at of a channel, and what to do where that is not as it should be."""

    look: Callable[[Asking, DrillPlan], Awaitable[CheckResult]]
    fix: str


@dataclass(frozen=True, slots=True)
class ChannelKind:
    """One channel: its module's name in camelCase is what it is called.

    - `summary`: what it is, in one sentence.
    - `identity`: how people are known in it, as the players' identities call it; empty where nobody is named.
    - `webhook`, `objects`, `admission`: how somebody tells us something, if they do.
    - `outbound`: how it tells people something, if it does.
    - `doctor`: what is looked at before a drill, where more than rights is needed.
    """

    name: str
    summary: str
    identity: str = ""
    webhook: Webhook | None = None
    objects: SpokenObjects | None = None
    admission: AdmissionHook | None = None
    outbound: Outbound | None = None
    doctor: DoctorCheck | None = None


def bears(headers: Mapping[str, str], secret: str) -> bool:
    """Whether a caller bears the secret as its token; nobody does where there is none. In constant time."""
    # a header may hold any bytes, which are no UTF-8 then
    given = headers.get("Authorization", "").encode("utf-8", "surrogateescape")
    return bool(secret) and hmac.compare_digest(given, f"Bearer {secret}".encode())

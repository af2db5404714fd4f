"""What a source that is polled declares: what to ask of whom, and what the answers come to.

It asks in conversations, generators that give questions and are given what was read of their answers: so a source
decides what to ask next and never touches the network. Whoever polls it (the controller's probe) asks, guards each
conversation by itself, and bounds what the answers may come to.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple, Protocol

from kubedrill.core.evidence.facts import Fact, Series
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.core.plan.surroundings import StopReading
from kubedrill.kube.answers import MOST_VALUES
from kubedrill.plugins.sources.prometheus import LoadedRule, RawSeries

MIB: Final = 1 << 20
ALERTS: Final = "/api/v2/alerts"
"""Where an Alertmanager tells of its alerts."""


class AskedServer(StrEnum):
    """Which of a drill's servers is asked."""

    PROMETHEUS = "Prometheus"
    ALERTMANAGER = "Alertmanager"


@dataclass(frozen=True, slots=True)
class Share:
    """What the answers of one probe may come to, for all sources that name the same one."""

    name: str
    most_bytes: int
    most_values: int


MEASURED: Final = Share("measured", 8 * MIB, MOST_VALUES)
"""For the bulk of it: rules, alerts and series."""


@dataclass(frozen=True, slots=True)
class Question:
    """One GET. `read` makes of its answer what is wanted of it, with the instant at which it came; it may raise."""

    path: str
    query: tuple[tuple[str, str], ...]
    read: Callable[[Any, datetime], Any]


Conversation = Generator[tuple[Question, ...], Sequence[Any], Any]
"""Each step's questions are asked at once. That an answer is missing is raised there. It returns what it found."""


class Heard(NamedTuple):
    """What one conversation returned, or (`error`) why it returned nothing."""

    found: Any
    error: str


@dataclass(frozen=True, slots=True)
class PollScope:
    """What is asked for: all since `since`. The probe began at `began`; `now` is later once the answers are there.

    `error` is how far the clocks may be apart. `rules` are the alert rules as the last probe found them loaded.
    `fired` are the labels of each alert's series that have fired; None while it could not be asked which did.
    `before_start`: nothing was touched yet, so what would be in the drill's way is asked for, too.
    """

    drill_plan: DrillPlan
    since: datetime
    began: datetime
    now: datetime
    error: timedelta
    rules: Mapping[str, LoadedRule]
    fired: Mapping[str, tuple[Mapping[str, str], ...]] | None = None
    before_start: bool = False


@dataclass(frozen=True, slots=True)
class Polled:
    """What a source has to say after a probe: always the whole since `since`.

    `withheld` says of expected alerts what would keep people from being told of them if they fired now.

    Of `facts` a drill keeps so many and no more; `decisive` ones are kept however many there are. `errors` tell what
    of it rests on an earlier probe, because an answer is missing.
    """

    facts: tuple[Fact, ...] = ()
    decisive: tuple[Fact, ...] = ()
    series: Mapping[str, Series] = field(default_factory=dict)
    rules: Mapping[str, LoadedRule] = field(default_factory=dict)
    fired: Mapping[str, tuple[Mapping[str, str], ...]] | None = None
    pending: frozenset[str] = frozenset()
    firing: frozenset[str] = frozenset()
    stops: tuple[StopReading, ...] = ()
    withheld: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


class Poll(Protocol):
    """One drill's poll of one source. It may remember what it was told."""

    def ask(self, scope: PollScope) -> Iterable[Conversation]:
        """The conversations of a probe, held at the same time, and with each of a pair of servers."""

    def told(self, scope: PollScope, heard: Sequence[Heard]) -> Polled:
        """What it comes to; `heard` is what each conversation came to, in their order, server by server."""


class KeptSamples(Protocol):
    """The samples of what one query gave so far, within the room that there is for them."""

    raw: bool
    step: timedelta

    def restart(self, *, raw: bool, step: timedelta) -> None:
        """Forgets everything: the query is asked in another way from now on."""

    def seconds_to_read(self, since: datetime, now: datetime) -> int:
        """How far back must be asked to know everything since `since`."""

    def merge(self, series: Iterable[RawSeries], now: datetime) -> None:
        """Takes over what was read at `now`."""

    def since(self, since: datetime) -> tuple[RawSeries, ...]:
        """Every series with its samples from `since` on."""


@dataclass(frozen=True, slots=True)
class Polling:
    """Of whom a source asks, out of which share, and how one drill's poll of it is begun.

    `begin(kept)` is given what makes room for the samples of one more query.
    """

    server: AskedServer
    share: Share
    begin: Callable[[Callable[[], KeptSamples]], Poll]


def errors_of(heard: Iterable[Heard]) -> tuple[str, ...]:
    """What went wrong, each once."""
    return tuple(dict.fromkeys(one.error for one in heard if one.error))


def evaluated_now(query: str, read: Callable[[Any], Any]) -> Question:
    """What an expression is now, or a range of it until now: to be asked of Prometheus."""
    return Question("/api/v1/query", (("query", query),), lambda answer, _: read(answer))

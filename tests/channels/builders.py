"""What an example of a channel holds: a message that comes in, or where what goes out arrives."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from pydantic.alias_generators import to_camel
from tests.signals.builders import PLAYERS, at, between, receipt

from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.kube.client import Kube
from kubedrill.kube.clock import ServerClock
from kubedrill.plugins.channels.base import Arrival, ChannelKind, Hearing

EXAMPLES = Path(__file__).parent / "examples"
ARRIVAL = Arrival(About("shop"), at(8), timedelta(milliseconds=50))
HEARING = Hearing("monday", PLAYERS, at(0))


class Outside(Protocol):
    """Where messages arrive; `away` says that nothing gets through now."""

    away: bool

    @property
    def told(self) -> list[str]:
        """What people have read, in its order."""

    @property
    def kube(self) -> Kube:
        """The way to it."""

    @property
    def clock(self) -> ServerClock:
        """The reference clock."""


@dataclass(frozen=True)
class Example:
    """`gives`: the kinds of facts that come of `message` (a webhook's, or a review) or of `word` (an object that
    somebody made).

    `outside` makes a new place at which nothing has arrived yet.
    """

    gives: frozenset[FactKind] = frozenset()
    message: Any = None
    word: dict[str, Any] | None = None
    outside: Callable[[], Outside] | None = None


def examples() -> dict[str, Example]:
    """The example of each channel, in a module of its module's name."""
    modules = (module.name for module in pkgutil.iter_modules([str(EXAMPLES)]))
    return {to_camel(name): importlib.import_module(f"tests.channels.examples.{name}").EXAMPLE for name in modules}


def heard(channel: ChannelKind, example: Example) -> tuple[Fact, ...]:
    """The facts that come of an example."""
    if channel.webhook:
        return channel.webhook.read(example.message, ARRIVAL)
    if channel.admission:
        return channel.admission.read(example.message, between(8, 9)).facts
    if channel.objects:
        assert example.word is not None
        return channel.objects.read(example.word, receipt(8), HEARING)
    return ()

"""What a source of evidence declares of itself, and nobody else needs to know."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import Any, Final

from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.core.evidence.timestamps import Received
from kubedrill.kube.paths import Namespaced
from kubedrill.kube.watch import WatchEvent
from kubedrill.plugins.sources.polled import Polling

LOG = logging.getLogger(__name__)


class How(StrEnum):
    """How facts come in."""

    WATCH = "Watch"  # objects of the target namespace, told by shared informers
    POLL = "Poll"  # asked about once a second
    IMPORT = "Import"  # a text that the facilitator brings when the drill has ended


@dataclass(frozen=True, slots=True)
class OwnWrites:
    """What the drill itself wrote, from its undo records.

    `managers` are the records' field manager names; `values` the (target, pointer, value) that it set or put
    back. The values are needed because ownership is handed back at once: after a re-list the manager's name
    may be gone.
    """

    managers: frozenset[str] = frozenset()
    values: frozenset[tuple[str, str, Any]] = frozenset()


@dataclass(frozen=True, slots=True)
class Watched:
    """A kind whose objects are watched: where they are, what their kind is called, the fields to keep of each.

    Fields are dotted, without indexes (`status.conditions.type`). A `remembered` kind is known by its objects' names
    (`Deployment/worker`), and is stored with the evidence as it is now: after a restart its changes are told from that.
    One that is watched `where_made` is so only for drills that make such objects: it costs others no connection.
    """

    where: Namespaced
    kind: str
    fields: tuple[str, ...]
    remembered: bool = False
    where_made: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What the watches of a source have told: events of one kind, at once.

    `complete` says that all kinds which the source watches were listed. `now` is what may be said of this moment, for
    what is not in an event: a listing may be empty.
    """

    events: Sequence[WatchEvent]
    complete: bool
    now: Received

    @property
    def receipt(self) -> Received:
        """When the last event came, or this moment where there is none."""
        return self.events[-1].receipt if self.events else self.now


Reader = Callable[[Told], Iterable[Fact]]
"""One drill's own: it may remember what it told."""


@dataclass(frozen=True, slots=True)
class ImportScope:
    """What an imported text is read for: a namespace, who the drill itself is, how far the clocks may be apart."""

    namespace: str
    own_users: frozenset[str]
    error: timedelta


def _imports_nothing(_lines: Iterable[str], _scope: ImportScope) -> tuple[Fact, ...]:
    return ()


def _reads_nothing(_own: Callable[[], OwnWrites]) -> Reader:
    return lambda _: ()


@dataclass(frozen=True, slots=True)
class SourceKind:
    """One source of evidence: its module's name is its name.

    - `facts`: the kinds of facts that it may give. Each has an interval that holds the true instant.
    - `bounds`: in words, where an interval's ends come from.
    - `watches` and `reader` of one that is watched: `reader(own)` gives a drill its reader; `own` tells what the drill
      itself wrote. What it reads must be among the fields that it keeps; rights to get, list and watch follow from it.
    - `polling` of one that is polled: of whom it asks what, and what the answers come to.
    - `imports(lines, scope)` of one that is imported.

    What somebody sends comes over a channel.
    """

    name: str
    how: How
    facts: frozenset[FactKind]
    bounds: str
    watches: tuple[Watched, ...] = ()
    reader: Callable[[Callable[[], OwnWrites]], Reader] = _reads_nothing
    polling: Polling | None = None
    imports: Callable[[Iterable[str], ImportScope], tuple[Fact, ...]] = _imports_nothing


def each(read: Callable[[WatchEvent], Iterable[Fact]]) -> Reader:
    """A reader of one event at a time. A poison object is logged and passed over, and holds up no other."""

    def reader(told: Told) -> Iterator[Fact]:
        for event in told.events:
            yield from one_by_one(event.object, partial(read, event))

    return reader


UNREADABLE: Final = (KeyError, ValueError, TypeError, AttributeError, IndexError, OverflowError)


def one_by_one(item: Mapping[str, Any], read: Callable[[], Iterable[Fact]]) -> tuple[Fact, ...]:
    """The facts about one object; none where it can't be read."""
    try:
        return tuple(read())
    except UNREADABLE:
        LOG.exception("an object could not be read and is passed over: %s", str(item.get("metadata"))[:300])
        return ()

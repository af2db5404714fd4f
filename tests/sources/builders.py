"""What an example of a source tells: objects that are there, an event or an answer, and what truly happened when."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.signals.builders import receipt

from kubedrill.api.faults import Fault
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.core.evidence.timestamps import Received
from kubedrill.kube.kept_fields import kept
from kubedrill.kube.paths import Namespaced
from kubedrill.kube.watch import IDENTITY, WatchEvent
from kubedrill.plugins.sources import watched_kinds
from kubedrill.plugins.sources.base import OwnWrites, SourceKind, Told

EXAMPLES = Path(__file__).parent / "examples"
OTHER = "uid-of-poison"


@dataclass(frozen=True)
class Example:
    """`truth`: the instant of each fact that comes of it.

    Of a source that is watched: `there` is listed, then `event` comes, received as `received`. Of any other: `read`
    gives its facts. `faults` are those of a drill that watches it, where not every drill does.
    """

    truth: Mapping[FactKind, datetime]
    there: Sequence[tuple[Namespaced, dict[str, Any]]] = ()
    event: tuple[Namespaced, str, dict[str, Any]] | None = None
    received: Received = field(default_factory=lambda: receipt(8.3))
    read: Callable[[], Iterable[Fact]] | None = None
    faults: tuple[Fault, ...] = ()


def examples() -> dict[str, Example]:
    """The example of each source, in a module of its name."""
    modules = (module.name for module in pkgutil.iter_modules([str(EXAMPLES)]))
    return {name: importlib.import_module(f"tests.sources.examples.{name}").EXAMPLE for name in modules}


class Reading:
    """A reader that is told what an example says; `cut` tells whether only what the sources declare is kept of it."""

    def __init__(self, source: SourceKind, example: Example, *, cut: bool = True) -> None:
        self._source, self._example, self._cut = source, example, cut
        self._reader = source.reader(OwnWrites)
        self._before: dict[str, dict[str, Any]] = {}

    def begin(self) -> list[Fact]:
        """What is told of what is there, kind by kind."""
        kinds = [watched.where for watched in self._source.watches]
        told = []
        for where in kinds:
            found = [self._event(where, "ADDED", item) for of, item in self._example.there if of == where]
            told += self._tell(found, complete=where == kinds[-1])
        return told

    def event(self) -> list[Fact]:
        """What is told of the event."""
        assert self._example.event is not None
        return self._tell([self._event(*self._example.event)], complete=True)

    def poison(self, item: dict[str, Any]) -> list[Fact]:
        """What is told of an object of which nothing but its UID is what it should be."""
        where = self._source.watches[0].where
        return self._tell([self._event(where, kind, item) for kind in ("ADDED", "MODIFIED", "DELETED")], complete=True)

    def _event(self, where: Namespaced, kind: str, item: dict[str, Any]) -> WatchEvent:
        watched = watched_kinds()[where]
        if self._cut:
            item = kept(item, frozenset(watched.fields) | IDENTITY)
        item = {"kind": watched.kind, **item}
        uid = (
            str((item.get("metadata") or {}).get("uid", OTHER)) if isinstance(item.get("metadata"), Mapping) else OTHER
        )
        before, self._before[uid] = self._before.get(uid), item
        return WatchEvent(kind, item, before, self._example.received)

    def _tell(self, events: Sequence[WatchEvent], *, complete: bool) -> list[Fact]:
        return list(self._reader(Told(events, complete, self._example.received)))


class Asked(dict[str, Any]):
    """An object that notes, dotted and without indexes, which fields a reader asks it for by their names."""

    def __init__(self, item: Mapping[str, Any], noted: set[str], at: str = "") -> None:
        super().__init__({key: _asked(value, noted, f"{at}{key}") for key, value in item.items()})
        self._noted, self._at = noted, at

    def __getitem__(self, key: str) -> Any:
        self._noted.add(f"{self._at}{key}")
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self._noted.add(f"{self._at}{key}")
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self._noted.add(f"{self._at}{key}")
        return super().__contains__(key)


def _asked(value: Any, noted: set[str], at: str) -> Any:
    if isinstance(value, Mapping):
        return Asked(value, noted, f"{at}.")
    return [_asked(one, noted, at) for one in value] if isinstance(value, list) else value


def fields_asked_for(source: SourceKind, example: Example) -> set[str]:
    """The fields that a reader asks for of what an example tells, whether they are there or not."""
    noted: set[str] = set()
    assert example.event is not None
    where, kind, item = example.event
    there = [(of, Asked(thing, noted)) for of, thing in example.there]
    seen = replace(example, there=there, event=(where, kind, Asked(item, noted)))
    facts_of(source, seen, cut=False)
    return noted


def is_kept(field_asked: str, fields: Iterable[str]) -> bool:
    """Whether a field is declared, lies below one that is, or holds one."""
    return any(
        field_asked == one or one.startswith(f"{field_asked}.") or field_asked.startswith(f"{one}.") for one in fields
    )


def facts_of(source: SourceKind, example: Example, *, cut: bool = True) -> list[Fact]:
    """All that comes of an example."""
    if example.read is not None:
        return list(example.read())
    reading = Reading(source, example, cut=cut)
    return [*reading.begin(), *reading.event()]

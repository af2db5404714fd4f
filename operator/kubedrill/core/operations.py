"""What a fault does to the world, as data: operations, each with an undo that is derived, never written.

A fault kind plans operations for one target (`faults/`); `core.undo` derives from what was observed just
before how each is undone; the shell carries them out (`shell/protocol`). So a fault kind has no revert code
and cannot lack one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from kubedrill.core.paths import ApiPath, demand_host, object_path, segment


class _Absent:
    """The value of a field that is not there. Undoing to it removes the field."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()
Value = Any  # JSON, or ABSENT


@dataclass(frozen=True, slots=True)
class Target:
    """An object at the API server: group ("" for core), version, kind, plural, namespace and name.

    There is none whose names would lead elsewhere (BadName): not in a plan, and not in a record that is read.
    """

    group: str
    version: str
    kind: str
    plural: str
    namespace: str
    name: str

    def __post_init__(self) -> None:
        for name in (self.version, self.plural, self.namespace, self.name, *((self.group,) if self.group else ())):
            segment(name)

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    @property
    def path(self) -> ApiPath:
        """The object's path at the API server."""
        group_version = f"{self.group}/{self.version}" if self.group else self.version
        return object_path(group_version, self.namespace, self.plural, self.name)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field's wished value. `path` is a JSON pointer; list items by index (`/spec/template/spec/containers/0/…`).

    `guards` are (pointer, value) pairs that must hold for the pointer to mean what it says, for example the
    name of the container behind an index.
    """

    path: str
    value: Value
    guards: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class SetFields:
    """Changes fields of one object, all in one write. They form a group: put back together or not at all."""

    target: Target
    changes: tuple[FieldChange, ...]
    # pods that the undo must see replaced because their controller would wait for them for ever
    # (a StatefulSet with ordered pods): the label selector of the workload's own pods
    unstick: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Enqueue:
    """Pushes fake jobs `<prefix><n>`, n = 1 … count, `rate` a second, to a Redis list or stream."""

    host: str
    port: int
    kind: str
    key: str
    in_flight: tuple[str, ...]
    prefix: str
    count: int
    rate: int
    job: Mapping[str, str]
    redelivery: timedelta

    def __post_init__(self) -> None:
        demand_host(self.host)


@dataclass(frozen=True, slots=True)
class Announce:
    """Fires an alert at Alertmanager with a short end, refreshed until the undo resolves it."""

    host: str
    port: int
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    def __post_init__(self) -> None:
        demand_host(self.host)


@dataclass(frozen=True, slots=True)
class Ask:
    """Asks the facilitator to do something by hand and, later, to undo it."""

    do: str
    undo: str


Operation = SetFields | Enqueue | Announce | Ask


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a fault is not planned: a CamelCase reason and a sentence that says what to do."""

    reason: str
    message: str

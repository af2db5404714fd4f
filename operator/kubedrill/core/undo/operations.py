"""What a fault does to the world, as data: operations, each with an undo that is derived, never written.

A fault kind plans operations for one target (`plugins/faults/`); `core.undo.patches` derives from what was observed
just before how each is undone; `protocol/` carries them out. So a fault kind has no revert code and cannot lack one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar, Final

from kubedrill.core.access import OPEN, MonitoringAccess
from kubedrill.core.paths import ApiPath, demand_host, object_path, segment


class _Absent:
    """The value of a field that is not there. Undoing to it removes the field."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()
Value = Any  # JSON, or ABSENT
TEMPLATE: Final = "/spec/template/"
"""What is below it makes a workload's pods; what is beside it decides which of them are replaced."""


class Consumable(StrEnum):
    """What a fault may use up, and its undo must therefore do without."""

    MEMORY = "memory"
    DISK = "disk"
    CONNECTIONS = "connections"
    QUOTA = "quota"
    PERMISSIONS = "permissions"


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
    """Changes fields of one object, all in one write. They form a group: put back together or not at all.

    The first change is the fault itself: while its value stands, the fault is in. The others follow from it.

    Every operation's `uses_up` is what its fault may use up; a contract test undoes it while all of that is.
    Pods of two revisions at once may use up the quota: it judges pods, and never the change of a workload.
    """

    uses_up: ClassVar[frozenset[Consumable]] = frozenset({Consumable.QUOTA})

    target: Target
    changes: tuple[FieldChange, ...]
    # pods that the undo must see replaced because their controller would wait for them for ever
    # (a StatefulSet with ordered pods): the label selector of the workload's own pods
    unstick: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Enqueue:
    """Pushes fake jobs `<prefix><n>`, n = 1 … count, `rate` a second, to a Redis list or stream.

    They may fill Redis' memory and its disk, and the workers that are scaled up for them take its connections.
    `namespace` is the one that the Service is in; empty in records of before it was stored.
    """

    uses_up: ClassVar[frozenset[Consumable]] = frozenset({Consumable.MEMORY, Consumable.DISK, Consumable.CONNECTIONS})

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
    namespace: str = ""

    def __post_init__(self) -> None:
        demand_host(self.host)


@dataclass(frozen=True, slots=True)
class Announce:
    """Fires an alert at Alertmanager with a short end, refreshed until the undo resolves it. It uses up nothing.

    `namespace` is the one that Alertmanager is in; empty in records of before it was stored, and for one outside.
    `access` is how it is asked: credentials by the name of their Secret, which whoever undoes it reads then.
    """

    uses_up: ClassVar[frozenset[Consumable]] = frozenset()

    host: str
    port: int
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    namespace: str = ""
    access: MonitoringAccess = OPEN

    def __post_init__(self) -> None:
        demand_host(self.host)


@dataclass(frozen=True, slots=True)
class Ask:
    """Asks the facilitator to do something by hand and, later, to undo it."""

    uses_up: ClassVar[frozenset[Consumable]] = frozenset()

    do: str
    undo: str


@dataclass(frozen=True, slots=True)
class Create:
    """Makes an object that is not there, once; the undo removes that very object, whoever has changed it since.

    `manifest` is what is sent. `since` is the version of the collection in which nothing had the name yet: from there
    on the API server tells whether anything ever had. Empty in a plan; filled in before the record is stored. What is
    made may use up a quota, and no quota is asked when something is removed.
    """

    uses_up: ClassVar[frozenset[Consumable]] = frozenset({Consumable.QUOTA})

    target: Target
    manifest: Mapping[str, Any]
    since: str = ""


@dataclass(frozen=True, slots=True)
class Victim:
    """One pod that is removed: by its UID, so that none of the same name is ever hit for it."""

    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Remove:
    """Removes pods of one workload, each of them once. Its controller makes new ones, so nothing is put back.

    `workload` is the owner; only pods that a controller of it would replace are removed. `count` of those that are
    ready, or of all where fewer are. `grace` is how many seconds each has to end; None: as many as it wants itself.
    `victims` are chosen just before the record is stored, and never again.
    """

    uses_up: ClassVar[frozenset[Consumable]] = frozenset()

    workload: Target
    count: int
    grace: int | None = None
    victims: tuple[Victim, ...] = ()

    def __post_init__(self) -> None:
        for victim in self.victims:
            segment(victim.name)


BesidesFields = Create | Remove | Enqueue | Announce | Ask
"""Operations that are carried out and undone by a reverter of their own, or by hand."""
Operation = SetFields | BesidesFields


@dataclass(frozen=True, slots=True)
class Subject:
    """What an operation is done to. The first three, with the namespace's UID, are the lock on it."""

    group: str
    kind: str
    name: str
    shown: str


def subject_of(operation: BesidesFields, fault: str, drill_uid: str) -> Subject:
    """What an operation is done to, as people read it, and as the lock on it is named.

    An object that is to be made has the lock of the object: whoever would change its fields has the same.
    """
    match operation:
        case Create(target=target):
            return Subject(target.group, target.kind, target.name, str(target))
        case Remove(workload=workload):
            shown = f"pods of {workload}"
        case Enqueue(host=host, port=port, key=key):
            shown = f"redis://{host}:{port}/{key}"
        case Announce(host=host, port=port, labels=labels):
            shown = f"alert {labels.get('alertname', '')} at {host}:{port}"
        case Ask():
            shown = f"by hand: {fault} of drill {drill_uid}"
    return Subject("", type(operation).__name__, shown, shown)


def objects_of(operation: Operation) -> frozenset[Target]:
    """The objects at the API server that an operation writes itself: two of one drill don't write the same."""
    match operation:
        case SetFields(target=target) | Create(target=target) | Remove(workload=target):
            return frozenset({target})
    return frozenset()


def namespace_of(operation: Operation) -> str:
    """The namespace that an operation's subject lives in; empty where it is in none, or that is not known."""
    match operation:
        case SetFields(target=target) | Create(target=target) | Remove(workload=target):
            return target.namespace
        case Enqueue(host=host, namespace=namespace) | Announce(host=host, namespace=namespace):
            # records of before it was stored have it in the name of the Service: <name>.<namespace>.svc
            parts = host.split(".")
            return namespace or (parts[1] if len(parts) == 3 and parts[2] == "svc" else "")
        case Ask():
            return ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a fault is not planned: a CamelCase reason and a sentence that says what to do."""

    reason: str
    message: str

"""The undo record: all that is needed to put one target back, whoever does it and whatever else is gone.

It is stored in the cluster (a Secret of type `kubedrill.dev/undo`) before the target is touched, and creating
it is the lock on the target: its name depends on the target alone. It outlives the Drill, the CRDs and the
operator, so it names everything by itself and refers to nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import PlainSerializer, PlainValidator, TypeAdapter
from pydantic_core import from_json as json_of

from kubedrill.core.evidence.facts import Interval
from kubedrill.core.measure.results import FieldOutcome
from kubedrill.core.paths import segment
from kubedrill.core.undo.operations import ABSENT, BesidesFields, Target, Value, namespace_of


def _written(value: Value) -> dict[str, Any]:
    return {} if value is ABSENT else {"is": value}


def _read(stored: Any) -> Value:
    return stored.get("is", ABSENT)


def _written_beside(values: Any) -> list[list[Any]] | None:
    return None if values is None else [[path, _written(value)] for path, value in values]


def _read_beside(stored: Any) -> Any:
    return None if stored is None else tuple((str(path), _read(value)) for path, value in stored)


# In the stored form `{"is": 3}` is the value 3 and `{}` is "not there": null would be ambiguous.
Stored = Annotated[Any, PlainSerializer(_written), PlainValidator(_read)]
Beside = Annotated[Any, PlainSerializer(_written_beside), PlainValidator(_read_beside)]


class RecordState(StrEnum):
    """How far the protocol has come. Only a Reverted record may be deleted."""

    INTENDED = "Intended"
    INJECTED = "Injected"
    REVERTING = "Reverting"
    REVERTED = "Reverted"


@dataclass(frozen=True, slots=True)
class DrillIdentity:
    """Whose drill it is. `namespace` is the Drill's, the control namespace, where the records live, too.

    `target_namespace` is the one that it breaks; empty in records of before it was stored.
    """

    uid: str
    name: str
    namespace: str
    target_namespace: str = ""

    def __post_init__(self) -> None:
        for name in (self.name, self.namespace, *((self.target_namespace,) if self.target_namespace else ())):
            segment(name)


@dataclass(frozen=True, slots=True)
class FieldUndo:
    """One touched field: before and after as the API server stores them (quantities are normalised).

    `created` is the pointer of the highest map that our write had to make for the field; it goes again with
    the field if nothing else is in it by then. Empty when nothing had to be made. `beside`: what stood around it once
    the fault was in (`core.undo.related_fields`), pointers with values; None in records of before that was kept.
    """

    path: str
    before: Stored
    after: Stored
    guards: tuple[tuple[str, Any], ...] = ()
    created: str = ""
    beside: Beside = None


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """The fields of one operation of a fault. `unstick`: labels of pods that a controller would wait for."""

    fault: str
    fields: tuple[FieldUndo, ...]
    unstick: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutsideGroup:
    """An operation that changes no fields; the operation itself says what is to be undone."""

    fault: str
    operation: BesidesFields


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the revert came to, field by field, by whom (Operator, Watchdog, a person) and when."""

    by: str
    at: datetime
    fields: tuple[FieldOutcome, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UndoRecord:
    """One drill's undo for one target.

    `attempt` counts claims: every write to the target is preceded by a write of this record by the same
    process, so of two that claim at once one is refused. A claim takes nothing back from an earlier claimer: what
    stops a late patch of that one is the resourceVersion that it carries, and the fence. `owners` is the target's
    managedFields list as it was read. `injected` says between which instants the fault was written; `restored_at`
    when the declared state was read back; `restoring` which fields the running revert, or the release before it,
    writes; `released` which fields were given back while the drill went on, as somebody had taken the fault out.
    `claimed_at` is when an operation of a reverter was last claimed; None before it was for a second time. `made` is
    the UID of the object that was made, as soon as it is known. `loose` is how many requests that carry out an
    operation may be under way to the API server: one for whoever has stored the record and one for each claim, less
    those that were answered or have arrived. `version` is that of the stored form.
    """

    drill: DrillIdentity
    name: str
    subject: str
    groups: tuple[FieldGroup | OutsideGroup, ...]
    manager: str
    deadline: datetime
    intended_at: datetime
    target: Target | None = None
    namespace_uid: str = ""
    target_uid: str = ""
    resource_version: str = ""
    generation: int = 0
    owners: tuple[dict[str, Any], ...] = ()
    state: RecordState = RecordState.INTENDED
    attempt: int = 1
    injected: Interval | None = None
    restored_at: datetime | None = None
    restoring: tuple[str, ...] = ()
    released: tuple[str, ...] = ()
    outcome: Outcome | None = None
    claimed_at: datetime | None = None
    made: str = ""
    loose: int = 1
    version: int = 1

    @property
    def fields(self) -> tuple[FieldUndo, ...]:
        """All fields of all faults on the target."""
        return tuple(f for g in self.groups if isinstance(g, FieldGroup) for f in g.fields)

    @property
    def target_namespace(self) -> str:
        """The namespace that the drill breaks, also where the record's own subject is in none."""
        return self.drill.target_namespace or (self.target.namespace if self.target else "")

    @property
    def subject_namespace(self) -> str:
        """The namespace that the record's subject lives in, and `namespace_uid` is of; empty where it is in none."""
        if self.target:
            return self.target.namespace
        return next((namespace_of(g.operation) for g in self.groups if isinstance(g, OutsideGroup)), "")

    @property
    def may_begin_until(self) -> datetime:
        """From when on no operation of a reverter can begin any more, by anybody's clock."""
        return self.claimed + BEGINS_WITHIN + CLOCKS_DIFFER

    @property
    def arrives_until(self) -> datetime:
        """From when on no request that began an operation can reach the API server any more."""
        return self.may_begin_until + UNDER_WAY

    def arrived(self) -> UndoRecord:
        """The record when one of the requests that may be under way was answered, or is seen to have arrived."""
        return replace(self, loose=max(0, self.loose - 1))

    @property
    def claimed(self) -> datetime:
        """When it was written last by somebody who was about to carry it out."""
        return self.claimed_at or self.intended_at

    def is_on(self, namespace: str, uid: str) -> bool:
        """Whether it holds a namespace, by its name and the UID that it has now (empty: that is not known).

        One that is about a namespace of the same name that is gone holds nothing.
        """
        if self.target_namespace != namespace:
            return False
        gone = self.subject_namespace == namespace and self.namespace_uid and uid and self.namespace_uid != uid
        return not gone

    @property
    def faults(self) -> tuple[str, ...]:
        """Names of the faults on this target, each once."""
        return tuple(dict.fromkeys(group.fault for group in self.groups))

    def moved_to(self, state: RecordState, **changes: Any) -> UndoRecord:
        """The record in another state."""
        return replace(self, state=state, **changes)


BEGINS_WITHIN = timedelta(seconds=30)
"""How long after its intent was stored, or last claimed, an operation outside the API server may begin.

Whoever carries it out there refuses to begin later, by its own clock: so a process that was frozen in between
begins nothing after somebody has concluded that it was never in.
"""
CLOCKS_DIFFER = timedelta(seconds=10)
"""How far the clock of what is outside may be from the API server's: it is refused if it is farther."""
UNDER_WAY = timedelta(seconds=90)
"""How long a request may be under way that was begun: the API server closes a connection on which nothing has come for
as long (its IdleTimeout), so what a process that was frozen in the middle of it sends later arrives nowhere."""


@dataclass(frozen=True, slots=True)
class Done:
    """A reverter has nothing left to do; `note` says what was found (for example: 12 jobs removed).

    `made`: the UID of the object that was made. `untouched`: it was never in and never will be, or somebody else has
    undone it. `superseded`: somebody else's is in its place, and is left alone.
    """

    note: str = ""
    made: str = ""
    untouched: bool = False
    superseded: bool = False


VERSION = 1
"""Of the stored form; records of before it was stored are of the first."""
UNREACHABLE = "Unreachable"
REFUSED = "Refused"
"""The reason of what answers and refuses: so it stays until somebody changes something there."""
DRAINING = "Draining"
"""The reason of an undo that waits for what may still come back: it is going on as it should."""


@dataclass(frozen=True, slots=True)
class Again:
    """A reverter wants to be called again after a while; `reason` is CamelCase, `message` a sentence.

    `restored`: what was in is out by now, and what is awaited is only what may still come late. `answered`: what was
    sent was not done, for certain: nothing of it is under way.
    """

    after: timedelta
    reason: str
    message: str = ""
    restored: bool = False
    answered: bool = False


Progress = Done | Again


def record_name(group: str, kind: str, namespace_uid: str, name: str) -> str:
    """The record's name: the same for every drill on the target, so that creating it is the lock."""
    return "undo-" + _digest(group, kind, namespace_uid, name)[:24]


OWN_MANAGER: Final = "manager-"
"""How the field managers of drills begin."""


def manager_name(drill_uid: str, record: str) -> str:
    """A field manager that is unique to the record and tells a player nothing."""
    return OWN_MANAGER + _digest(drill_uid, record)[:10]


def is_of_a_drill(manager: str) -> bool:
    """Whether a field manager is that of some drill's record."""
    return re.fullmatch(f"{OWN_MANAGER}[0-9a-f]{{10}}", manager) is not None


def to_json(record: UndoRecord, *, brief: bool = False) -> bytes:
    """The stored form; `brief` leaves out what is at its default."""
    return _ADAPTER.dump_json(record, exclude_defaults=brief)


def from_json(stored: bytes | str) -> UndoRecord:
    """The record of a stored form.

    Raises:
        ValueError: it is none, its names lead elsewhere than to a target, a drill or a Service, or its form is of a
            later version: what that means is not known here.
    """
    raw = json_of(stored)
    version = raw.get("version", VERSION) if isinstance(raw, dict) else VERSION
    if version != VERSION:
        raise ValueError(f"it was written by another version of KubeDrill (form {version!r}, this one knows {VERSION})")
    return _ADAPTER.validate_json(stored)


LONGEST = 256
"""Characters of a text that the status takes of what became of a field."""


def shown(value: Value) -> str:
    """A value as people read it in reports and messages."""
    if value is ABSENT:
        return "(absent)"
    return value if isinstance(value, str) else str(value)


def cut(text: str) -> str:
    """A text as long as the status may have it."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


_ADAPTER = TypeAdapter(UndoRecord)

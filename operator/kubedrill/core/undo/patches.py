"""The undo of every operation, derived from what was observed just before.

All pure: the protocol reads the object, asks here what to write, writes, and comes back with the answer. A patch
proves what it assumes, and a revert compares three ways, so that somebody else's change is always kept.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from kubedrill.core.measure.results import FieldOutcome
from kubedrill.core.undo.operations import ABSENT, Refusal, SetFields, Value
from kubedrill.core.undo.ownership import entry_of, last_changed_by, owned_paths
from kubedrill.core.undo.pointers import found_again, holds, hollow, missing_root, parent, put, read
from kubedrill.core.undo.record import FieldGroup, FieldUndo, UndoRecord, cut, shown
from kubedrill.core.undo.related_fields import beside

Patch = tuple[dict[str, Any], ...]
Object = Mapping[str, Any]
NOBODY = ("", "")


class Applied(StrEnum):
    """Whether an injection that nobody knows the answer of is in the object."""

    YES = "Yes"
    NO = "No"
    UNKNOWN = "Unknown"


class FieldEnd(StrEnum):
    """How a touched field ended; the words of `FieldOutcome.outcome`."""

    RESTORED = "Restored"
    UNTOUCHED = "Untouched"
    SUPERSEDED = "Superseded"
    KEPT_PLAYER_EDIT = "KeptPlayerEdit"
    GONE = "Gone"
    CARRIED_OVER = "CarriedOver"
    NOT_RESTORED = "NotRestored"
    UNVERIFIED = "Unverified"


@dataclass(frozen=True, slots=True)
class RevertPlan:
    """The one patch that puts back what is ours (empty: nothing to write), and every field's end."""

    patch: Patch
    fields: tuple[FieldOutcome, ...]

    @property
    def restoring(self) -> tuple[str, ...]:
        """Paths of the fields that the patch puts back."""
        return tuple(f.path for f in self.fields if f.outcome == FieldEnd.RESTORED) if self.patch else ()


def before_values(operation: SetFields, fault: str, seen: Object) -> FieldGroup | Refusal:
    """The operation's fields as they are now; `after` is still the wish, not what the server makes of it.

    Refused when a guard does not hold: then the pointer does not mean what the plan thought.
    """
    fields = []
    for change in operation.changes:
        if not holds(seen, change.guards):
            return Refusal(
                "TargetChanged",
                f"{operation.target} changed while the fault was planned:"
                f" {change.path} no longer means the same. Nothing was touched.",
            )
        created = missing_root(seen, parent(change.path)) if change.value is not ABSENT else ""
        before = _frozen(read(seen, change.path))
        fields.append(FieldUndo(change.path, before, change.value, change.guards, created))
    return FieldGroup(fault, tuple(fields), dict(operation.unstick))


def inject_patch(record: UndoRecord, seen: Object) -> Patch:
    """One JSON Patch: tests on uid, guards and before-values, the changes, and the resourceVersion.

    A `test` with null proves absence (a `replace` of an absent key silently adds, and proves nothing); the
    `replace` of the resourceVersion makes a stale read a clean 409.
    """
    draft = copy.deepcopy(dict(seen))
    changes: list[dict[str, Any]] = []
    for touched in record.fields:
        changes += _written(draft, touched.path, touched.after)
    return (
        _test("/metadata/uid", record.target_uid),
        *_guard_tests(record.fields),
        *(_presence_test(seen, field.path, field.before) for field in record.fields),
        *changes,
        {"op": "replace", "path": "/metadata/resourceVersion", "value": record.resource_version},
    )


def after_values(record: UndoRecord, answer: Object) -> UndoRecord:
    """The record with the after-values of an answer (of the dry run, then of the real patch), and what is beside."""
    groups = tuple(
        replace(
            group,
            fields=tuple(
                replace(f, after=_frozen(read(answer, f.path)), beside=beside(answer, f.path)) for f in group.fields
            ),
        )
        if isinstance(group, FieldGroup)
        else group
        for group in record.groups
    )
    return replace(record, groups=groups)


def landed(record: UndoRecord, seen: Object) -> Applied:
    """After a crash or a lost answer: is our injection in the object?

    Our manager's entry or all our after-values: yes. The generation as recorded: no. Anything else may be a
    player who has put the old values back in between, so it must not be injected again.
    """
    metadata = seen["metadata"]
    if metadata.get("uid") != record.target_uid:
        return Applied.UNKNOWN
    entry = entry_of(metadata.get("managedFields") or (), record.manager) or {}
    # a label alone is not the injection's: it is what a fence left that was cut short
    if any(path[0] != "f:metadata" for path in owned_paths(entry.get("fieldsV1") or {})):
        return Applied.YES
    if metadata.get("generation") == record.generation:
        return Applied.NO
    if all(read(seen, field.path) == field.after for field in record.fields):
        return Applied.YES
    return Applied.UNKNOWN


def plan_revert(
    record: UndoRecord, seen: Object | None, *, overwrite: bool = False, kept: Collection[str] = ()
) -> RevertPlan:
    """What to write so that the target is as it was, and what is left as somebody else made it.

    Three-way per field: as we left it → its before-value; as it was → nothing to do; anything else is
    somebody's change and stays (`overwrite`: is put back as well, a facilitator's choice). `kept` are fields
    whose before-value the server refused because of such a change (`core.undo.related_fields.given_up`). `seen` is
    None only after a live 404.
    """
    if seen is None:
        return RevertPlan((), tuple(_outcome(record, f, FieldEnd.GONE, ABSENT) for f in record.fields))
    if seen["metadata"].get("uid") != record.target_uid:
        return RevertPlan((), tuple(_replaced(record, field, seen) for field in record.fields))
    draft = copy.deepcopy(dict(seen))
    tests: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    outcomes = []
    hollowed = []
    for touched in record.fields:
        outcome, here = _settled(record, touched, seen, overwrite=overwrite, kept=kept)
        outcomes.append(outcome)
        if here is None:
            continue
        tests += [*_guard_tests((here,)), _presence_test(seen, here.path, read(seen, here.path))]
        changes += _written(draft, here.path, here.before)
        if here.created:
            hollowed.append(here.created)
    for made in dict.fromkeys(hollowed):
        if hollow(read(draft, made)):
            changes += _written(draft, made, ABSENT)
    if not changes:
        return RevertPlan((), tuple(outcomes))
    metadata = seen["metadata"]
    patch = (
        _test("/metadata/uid", record.target_uid),
        *_unique(tests),
        *changes,
        {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
    )
    return RevertPlan(patch, tuple(outcomes))


def _settled(
    record: UndoRecord, touched: FieldUndo, seen: Object, *, overwrite: bool, kept: Collection[str]
) -> tuple[FieldOutcome, FieldUndo | None]:
    """A field's end, and where it is now if it is to be written."""
    place = found_again(seen, touched.path, touched.guards)
    if place is None:
        return _outcome(record, touched, FieldEnd.SUPERSEDED, ABSENT), None
    here = replace(touched, path=place[0], guards=place[1], created=_moved(touched, place[0]))
    now = read(seen, here.path)
    changed = _last_changed(record, seen, here.path)
    if now == touched.before:
        # put back by an earlier try of ours, by a player, or never changed
        end = FieldEnd.RESTORED if touched.path in record.restoring else FieldEnd.UNTOUCHED
        return _outcome(record, touched, end, now, changed), None
    if touched.path in kept:
        end = FieldEnd.KEPT_PLAYER_EDIT if now == touched.after else FieldEnd.SUPERSEDED
        return _outcome(record, touched, end, now, changed), None
    if now == touched.after or overwrite:
        return _outcome(record, touched, FieldEnd.RESTORED, touched.before), here
    return _outcome(record, touched, FieldEnd.SUPERSEDED, now, changed), None


def _replaced(record: UndoRecord, touched: FieldUndo, seen: Object) -> FieldOutcome:
    """A field of a target that is another object by now: gone, unless our value was carried over into it."""
    place = found_again(seen, touched.path, touched.guards)
    now = read(seen, place[0]) if place else ABSENT
    carried = now == touched.after and now != touched.before
    end = FieldEnd.CARRIED_OVER if carried else FieldEnd.GONE
    return _outcome(record, touched, end, now, _last_changed(record, seen, place[0]) if place else NOBODY)


def _outcome(
    record: UndoRecord, touched: FieldUndo, end: FieldEnd, now: Value, changed: tuple[str, str] = NOBODY
) -> FieldOutcome:
    who, when = NOBODY if end in (FieldEnd.RESTORED, FieldEnd.GONE) else changed
    return FieldOutcome(
        record.subject,
        touched.path,
        cut(shown(touched.before)),
        cut(shown(touched.after)),
        cut(shown(now)),
        str(end),
        cut(who),
        cut(when),
    )


def _last_changed(record: UndoRecord, seen: Object, path: str) -> tuple[str, str]:
    """Who changed a field last, and when: somebody else than us."""
    return last_changed_by(seen["metadata"].get("managedFields") or (), seen, path, not_by=record.manager)


def _written(draft: Any, path: str, value: Value) -> list[dict[str, Any]]:
    """The operations that set (or remove) a field, applied to the draft as well; parents are made in one."""
    missing = missing_root(draft, path)
    if missing and value is ABSENT:
        return []
    put(draft, path, _frozen(value))
    if value is ABSENT:
        return [{"op": "remove", "path": path}]
    at = missing or path
    whole = copy.deepcopy(read(draft, at))
    return [{"op": "add" if missing else "replace", "path": at, "value": whole}]


def _presence_test(seen: Object, path: str, value: Value) -> dict[str, Any]:
    """A test that fails if the field is not what we think, absence included."""
    if value is ABSENT:
        return _test(missing_root(seen, path) or path, None)
    return _test(path, value)


def _guard_tests(fields: tuple[FieldUndo, ...]) -> list[dict[str, Any]]:
    return _unique([_test(path, value) for field in fields for path, value in field.guards])


def _unique(tests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [test for i, test in enumerate(tests) if test not in tests[:i]]


def _test(path: str, value: Value) -> dict[str, Any]:
    return {"op": "test", "path": path, "value": value}


def _moved(touched: FieldUndo, path: str) -> str:
    """Where the map that we made is if its list item has moved: as many steps into the new path."""
    if not touched.created:
        return ""
    return "/".join(path.split("/")[: touched.created.count("/") + 1])


def _frozen(value: Value) -> Value:
    """A value of its own: the object it was read from may change."""
    return copy.deepcopy(value) if value is not ABSENT else ABSENT

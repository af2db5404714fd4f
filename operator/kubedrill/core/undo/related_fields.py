"""Which fields stand or fall together, and whether somebody else has changed one of them since.

The API server refuses a value because of another: a limit below its request, a progress deadline below
minReadySeconds. Where somebody else moved that other one meanwhile, ours can't go back without undoing theirs, and
theirs is kept. Only then: a refusal for any other reason (a policy, a webhook) is nobody's edit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kubedrill.core.undo.operations import ABSENT, Value
from kubedrill.core.undo.pointers import found_again, parent, pointer, read, tokens
from kubedrill.core.undo.record import FieldUndo, UndoRecord

Object = Mapping[str, Any]
_SHALLOW = 1
"""Steps of `/spec`: its own fields are too many things to be kin, so only those that are named or touched count."""


def kin_root(path: str) -> str:
    """The map within which a field may contradict another: two steps up, but not out of a list's item.

    `…/resources/limits/memory` → `…/resources`; `/spec/minReadySeconds` → `/spec`.
    """
    near = parent(path)
    steps = tokens(near)
    return near if len(steps) <= _SHALLOW or steps[-1].isdigit() else parent(near)


def beside(document: Any, path: str) -> tuple[tuple[str, Value], ...]:
    """The single values around a field: pointers below its kin root with what stands there, the field's own left out.

    Kept in the record, so that a change by somebody else is told from what always was so.
    """
    root = kin_root(path)
    deep = len(tokens(root)) > _SHALLOW
    found = ((root + below, value) for below, value in _leaves(read(document, root), 2 if deep else 1))
    return tuple((at, value) for at, value in found if at != path)


def given_up(record: UndoRecord, seen: Object, causes: Iterable[str]) -> frozenset[str]:
    """The touched fields that are left as they are, because of what somebody else has changed since.

    Args:
        record: the undo record.
        seen: the object as it is now.
        causes: the fields that the refusal names, as the API server writes them.

    Returns:
        Paths of the record's fields: those in whose kin the refusal names a field *and* somebody else has changed
        one. Empty when the refusal is about something else, or nobody has changed anything.
    """
    lost: set[str] = set()
    places = {f.path: place[0] for f in record.fields if (place := found_again(seen, f.path, f.guards)) is not None}
    for named in filter(None, map(_pointer_of, causes)):
        for root in {kin_root(at) for at in places.values()}:
            kin = [f for f in record.fields if f.path in places and kin_root(places[f.path]) == root]
            if _is_about(named, root) and _changed(kin, places, seen, named):
                lost |= {f.path for f in kin}
    return frozenset(lost)


def _changed(kin: Iterable[FieldUndo], places: Mapping[str, str], seen: Object, named: str) -> bool:
    """Whether something among the kin is neither as it was nor as we left it."""
    kin = tuple(kin)
    if any(read(seen, places[f.path]) not in (f.before, f.after) for f in kin):
        return True
    touched = {places[f.path] for f in kin}
    return any(_moved(field, places[field.path], seen, named, touched) for field in kin)


def _moved(field: FieldUndo, place: str, seen: Object, named: str, touched: Iterable[str]) -> bool:
    """Whether a value beside a field is another than when the fault was injected."""
    if field.beside is None:  # a record of before these were kept
        return False
    old, new = kin_root(field.path), kin_root(place)
    was = {new + at.removeprefix(old): value for at, value in field.beside}
    now = dict(beside(seen, place))
    different = {at for at in was.keys() | now.keys() if was.get(at, ABSENT) != now.get(at, ABSENT)} - set(touched)
    return bool(different) if len(tokens(new)) > _SHALLOW else named in different


def _is_about(named: str, root: str) -> bool:
    """Whether a refusal that names a field is about the kin below a root."""
    if len(tokens(root)) <= _SHALLOW:
        return parent(named) == root
    return named == root or named.startswith(root + "/")


def _pointer_of(cause: str) -> str:
    """`spec.template.spec.containers[0].resources` as a pointer; empty for none."""
    return "/" + cause.replace("[", ".").replace("]", "").replace(".", "/") if cause else ""


def _leaves(value: Value, depth: int, at: tuple[str, ...] = ()) -> Iterator[tuple[str, Value]]:
    """The values that are no maps and no lists, at most `depth` steps below."""
    if isinstance(value, Mapping) and len(at) < depth:
        for key, below in value.items():
            yield from _leaves(below, depth, (*at, str(key)))
    elif at and not isinstance(value, Mapping | list) and value is not None:
        yield pointer(at), value

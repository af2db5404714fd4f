"""Who owns which field (`metadata.managedFields`), and giving back what our writes took.

A patch moves the fields' ownership to its manager for ever; the owner's next server-side apply then fails
with a conflict that names that manager and the exact fields. The API server accepts a list that is written by
itself, so exactly the paths in our entry are given back to those who had them, and no trace stays.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from kubedrill.core.undo.operations import ABSENT
from kubedrill.core.undo.pointers import pointer, read, tokens

Entry = dict[str, Any]
Path = tuple[str, ...]
_ITSELF = "."  # in fieldsV1: the node itself is owned, beside what is below it


def owned_paths(fields: Mapping[str, Any]) -> frozenset[Path]:
    """The set of paths that a `fieldsV1` tree stands for."""
    return frozenset(_walk(fields, ()))


def fields_tree(paths: Collection[Path]) -> dict[str, Any]:
    """The `fieldsV1` tree of a set of paths, as the API server writes it."""
    itself = () in paths
    below: dict[str, set[Path]] = {}
    for path in paths:
        if path:
            below.setdefault(path[0], set()).add(path[1:])
    tree: dict[str, Any] = {_ITSELF: {}} if itself and below else {}
    return tree | {step: fields_tree(below[step]) for step in sorted(below)}


def entry_of(entries: Iterable[Entry], manager: str) -> Entry | None:
    """The entry of a manager whose name is unique."""
    return next((entry for entry in entries if entry.get("manager") == manager), None)


def given_back(current: Sequence[Entry], manager: str, recorded: Sequence[Entry]) -> list[Entry] | None:
    """The list without our entry, its paths returned to their recorded owners; every other entry untouched.

    An owner whose whole entry went to us is put back as it was recorded, time included; one who has gone by
    himself since is not called back to life. None when there is nothing to write: no entry of ours, or it is
    the only one (an empty list is ignored by the API server and `[{}]` would wipe everybody's).
    """
    ours = [entry for entry in current if entry.get("manager") == manager]
    taken = frozenset(path for entry in ours for path in owned_paths(entry.get("fieldsV1") or {}))
    result = [entry for entry in current if entry.get("manager") != manager]
    if not ours:
        return None
    for owner in recorded:
        had = owned_paths(owner.get("fieldsV1") or {})
        back = had & taken
        if not back or owner.get("manager") == manager:
            continue
        at = next((i for i, entry in enumerate(result) if _identity(entry) == _identity(owner)), None)
        if at is None:
            if had <= taken:
                result.append(owner)
        else:
            has = owned_paths(result[at].get("fieldsV1") or {})
            result[at] = result[at] | {"fieldsV1": fields_tree(has | back)}
    return result or None


def holders_of(entries: Iterable[Entry], document: Any, path: str) -> tuple[Entry, ...]:
    """The entries that hold a field (a JSON pointer) of a document."""
    return tuple(entry for entry in entries if _owns(entry.get("fieldsV1") or {}, document, path))


def last_changed_by(entries: Sequence[Entry], document: Any, path: str, not_by: str = "") -> tuple[str, str]:
    """Manager and time (RFC 3339, whole seconds) of a field's latest owner; empty when nobody is known."""
    owners = [
        (str(entry.get("time", "")), str(entry.get("manager", "")))
        for entry in holders_of(entries, document, path)
        if entry.get("manager") != not_by
    ]
    when, who = max(owners, default=("", ""))
    return who, when


def _walk(fields: Mapping[str, Any], path: Path) -> Iterable[Path]:
    if path and (not fields or _ITSELF in fields):
        yield path
    for step, below in fields.items():
        if step != _ITSELF:
            yield from _walk(below, (*path, step))


def _identity(entry: Entry) -> tuple[Any, ...]:
    return tuple(entry.get(key) for key in ("manager", "operation", "apiVersion", "subresource"))


def _owns(fields: Mapping[str, Any], document: Any, path: str) -> bool:
    """Whether a tree reaches a JSON pointer; list items are told by their keys (`k:{"name":"web"}`)."""
    node: Mapping[str, Any] = fields
    at = ""
    for step in tokens(path):
        here, at = read(document, at), at + pointer([step])
        name = _item_key(node, read(document, at)) if isinstance(here, list) else f"f:{step}"
        if name not in node:
            return False
        node = node[name]
    return True


def _item_key(node: Mapping[str, Any], item: Any) -> str:
    for name in node:
        if name.startswith("k:") and item is not ABSENT:
            keys = json.loads(name[2:])
            if all(item.get(key) == value for key, value in keys.items()):
                return name
    return ""

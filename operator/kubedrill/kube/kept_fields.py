"""What is kept of an object that is watched: the fields that somebody reads, and no others.

A pod of the API server takes some 30 KiB of memory as plain dicts, what is read of it a seventh of that. The keys of
what is kept are those of the declaration, so ten thousand objects share them. They share short texts, too, which are
mostly the same (conditions, quantities, field managers): a quarter less again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from sys import intern
from typing import Any, Final

SHARED: Final = 24
"""Texts of at most so many characters are kept once, however many objects hold them."""
Tree = dict[str, Any]


def kept(item: Any, fields: frozenset[str]) -> Any:
    """An object with the declared fields alone, dotted and without indexes: `status.conditions.type`.

    A list's entries are each cut alike. What has another shape than was declared is kept as it is, for its reader to
    refuse. Without any field the object is kept whole.
    """
    return _cut(item, _tree(fields)) if fields else item


@cache
def _tree(fields: frozenset[str]) -> Tree:
    whole: Tree = {}
    for field in sorted(fields):  # a field comes before what is below it, which it holds already
        _put(whole, field.split("."))
    return whole


def _put(tree: Tree, parts: list[str]) -> None:
    for key in parts[:-1]:
        if tree.get(key) == {}:
            return
        tree = tree.setdefault(key, {})
    tree.setdefault(parts[-1], {})


def _cut(value: Any, tree: Tree) -> Any:
    if not tree:
        return _shared(value)
    if isinstance(value, Mapping):
        return {key: _cut(value[key], below) for key, below in tree.items() if key in value}
    if isinstance(value, list):
        return [_cut(one, tree) for one in value]
    return value


def _shared(value: Any) -> Any:
    if type(value) is str:
        return intern(value) if len(value) <= SHARED else value
    if isinstance(value, Mapping):
        return {key: _shared(below) for key, below in value.items()}
    return [_shared(one) for one in value] if isinstance(value, list) else value


def union(fields: Iterable[Iterable[str]]) -> frozenset[str]:
    """What all of several readers need."""
    return frozenset(field for some in fields for field in some)

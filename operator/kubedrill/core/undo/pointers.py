"""JSON pointers (RFC 6901) into API objects: reading, what is missing, writing on a copy, finding again.

"Not there" is a value of its own (`ABSENT`): undoing to it removes the field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kubedrill.core.undo.operations import ABSENT, Value

Guards = tuple[tuple[str, Value], ...]


def tokens(path: str) -> tuple[str, ...]:
    """The unescaped steps of a pointer."""
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:])


def pointer(steps: Iterable[str]) -> str:
    """The pointer of unescaped steps."""
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


def read(document: Any, path: str) -> Value:
    """The value behind a pointer, or ABSENT. A null counts as absent, as it does for the API server."""
    node = document
    for step in tokens(path):
        if isinstance(node, Mapping):
            node = node.get(step)
        elif isinstance(node, list) and step.isdigit() and int(step) < len(node):
            node = node[int(step)]
        else:
            return ABSENT
        if node is None:
            return ABSENT
    return node


def missing_root(document: Any, path: str) -> str:
    """The highest part of the path that is not there, possibly the path itself; empty when all of it is."""
    steps = tokens(path)
    for depth in range(1, len(steps) + 1):
        part = pointer(steps[:depth])
        if read(document, part) is ABSENT:
            return part
    return ""


def parent(path: str) -> str:
    """The pointer one step up."""
    return path.rpartition("/")[0]


def put(document: Any, path: str, value: Value) -> None:
    """Set (or, with ABSENT, remove) a value in place; maps that are missing on the way are made."""
    *steps, last = tokens(path)
    node = document
    for step in steps:
        if isinstance(node, list):
            node = node[int(step)]
        else:
            if node.get(step) is None:
                node[step] = {}
            node = node[step]
    if isinstance(node, list):
        node[int(last)] = value
    elif value is ABSENT:
        node.pop(last, None)
    else:
        node[last] = value


def hollow(value: Value) -> bool:
    """Whether there is nothing in it but empty maps."""
    return isinstance(value, Mapping) and all(hollow(inner) for inner in value.values())


def holds(document: Any, guards: Guards) -> bool:
    """Whether every guarded pointer has its value."""
    return all(read(document, path) == value for path, value in guards)


def found_again(document: Any, path: str, guards: Guards) -> tuple[str, Guards] | None:
    """Where a field is now, and its guards there: a list item may have moved since its index was noted.

    A guard such as (`/spec/…/containers/0/name`, `web`) tells the item: it is looked for in its list and the
    index replaced. Nothing when an item is no longer there.
    """
    moved: Guards = ()
    for guard, value in guards:
        *steps, key = tokens(guard)
        index = steps.pop() if steps else ""
        items = read(document, pointer(steps))
        if not (isinstance(items, list) and index.isdigit()):
            if read(document, guard) != value:
                return None
            moved += ((guard, value),)
            continue
        same = (i for i, item in enumerate(items) if isinstance(item, Mapping) and item.get(key) == value)
        at = next(same, None)
        if at is None:
            return None
        old, new = pointer((*steps, index)) + "/", pointer((*steps, str(at))) + "/"
        if path.startswith(old):
            path = new + path.removeprefix(old)
        moved += ((new + key, value),)
    return path, moved

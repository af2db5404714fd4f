"""Differences between two states of an object, and who of its field managers made them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

LONGEST_VALUE = 200
REMOVED: Final = "/metadata/name"
"""The path of a change that is an object's removal."""
REPLICAS = "/spec/replicas"
AUTOSCALER = "kube-controller-manager"
"""The field manager of the cluster's own controllers, the autoscaler among them."""


def change_of_workload(kind: str, metadata: Mapping[str, Any]) -> str:
    """The id of the write that made a workload what it is: all of its fields share it, whoever tells of them."""
    return f"{kind}/{metadata['name']}@{metadata.get('generation', 0)}"


def change_of_pod(metadata: Mapping[str, Any], stamp: str = "") -> str:
    """The id of the write that changed a pod itself; a server whose pods have no generation leaves its stamp."""
    return f"Pod/{metadata['name']}@{str(metadata['uid'])[:8]}-{metadata.get('generation') or stamp}"


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs: its JSON pointer, the values (None: absent), and a name without list indexes.

    `field` is the same whether one looks at the object or at a patch of it:
    `spec.template.spec.containers[worker].resources.limits.memory`.
    """

    pointer: str
    field: str
    before: Any
    after: Any


def differences(before: Any, after: Any, pointer: str = "", name: str = "") -> Iterator[Difference]:
    """The leaves that differ. Lists of named things are compared by name, other lists as wholes."""
    if before == after:
        return
    if _is_tree(before) and _is_tree(after) and (before or after):
        old, new = before or {}, after or {}
        for key in sorted({*old, *new}):
            below = f"{pointer}/{_escaped(key)}"
            yield from differences(old.get(key), new.get(key), below, f"{name}.{key}" if name else key)
    elif _is_named_list(before) and _is_named_list(after):
        yield from _list_differences(before or (), after or (), pointer, name)
    else:
        yield Difference(pointer, name, shown(before), shown(after))


def _list_differences(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], pointer: str, name: str
) -> Iterator[Difference]:
    old = {item["name"]: (index, item) for index, item in enumerate(before)}
    new = {item["name"]: (index, item) for index, item in enumerate(after)}
    for key in [*new, *(k for k in old if k not in new)]:
        index = (new.get(key) or old[key])[0]
        yield from differences(
            old.get(key, (0, None))[1], new.get(key, (0, None))[1], f"{pointer}/{index}", f"{name}[{key}]"
        )


def shown(value: Any) -> Any:
    """A value that fits in a fact: scalars as they are, anything else as JSON, cut."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"


def writer(
    before: Sequence[Mapping[str, Any]],
    after: Sequence[Mapping[str, Any]],
    pointer: str,
    owner: Mapping[str, Any],
) -> Mapping[str, Any] | None:
    """The entry of `metadata.managedFields` that tells who wrote a field between two states.

    Only entries that are new or changed come into question; of those that hold the field the latest, and for
    a field that is gone (no entry holds it any more) the latest of all. An entry without a time (`scale`)
    looks the same when its manager writes again, so it counts where no other holds the field. None when no
    entry tells.
    """
    path = _pointer_parts(pointer)
    told = [e for e in after if e.get("subresource") != "status"]
    fresh = [e for e in told if e not in before]
    holding = [e for e in fresh if _holds(e.get("fieldsV1") or {}, path, owner)]
    holding = holding or [e for e in told if "time" not in e and _holds(e.get("fieldsV1") or {}, path, owner)]
    gone = not holding and _at(owner, path) is None
    candidates = holding or (fresh if gone else [])
    return max(candidates, key=lambda e: str(e.get("time", "")), default=None)


def _holds(fields: Mapping[str, Any], path: Sequence[str], value: Any) -> bool:
    """Whether a fieldsV1 tree holds the field at a path of the object `value`."""
    if not path or not fields or set(fields) == {"."}:
        return True
    key, rest = path[0], path[1:]
    if isinstance(value, Mapping):
        child = fields.get(f"f:{key}")
        return child is not None and _holds(child, rest, value.get(key))
    if isinstance(value, Sequence) and key.isdigit() and int(key) < len(value):
        item = value[int(key)]
        for name, child in fields.items():
            if name.startswith("k:") and isinstance(item, Mapping) and json.loads(name[2:]).items() <= item.items():
                return _holds(child, rest, item)
    return False


def _at(value: Any, path: Sequence[str]) -> Any:
    for key in path:
        if isinstance(value, Mapping):
            value = value.get(key)
        elif isinstance(value, Sequence) and not isinstance(value, str) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value


def _is_tree(value: Any) -> bool:
    return value is None or isinstance(value, Mapping)


def _is_named_list(value: Any) -> bool:
    return value is None or (
        isinstance(value, list) and all(isinstance(item, Mapping) and "name" in item for item in value)
    )


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _pointer_parts(pointer: str) -> list[str]:
    return [p.replace("~1", "/").replace("~0", "~") for p in pointer.split("/")[1:]]

"""A status that the API server takes, whatever is in it: cut to the bounds of its own schema.

A status that is refused can't be stored, so nothing that follows from it is done: one text that is too long would
hold up the whole drill. So the bounds are read from the model that the CRD is made of, and what goes beyond them
is cut here, in one place, whoever wrote it. What a cut list leaves out is said by its caller, or in its last line.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from kubedrill.api.drill_status import DrillStatus

LONGEST_ID: Final = 256
_KEPT_OF_ID: Final = LONGEST_ID - 17
_LONGEST_CHARACTER: Final = 4
_PLAIN: Final[Mapping[str, type]] = {"boolean": bool, "integer": int, "object": dict}


class _Unfit(ValueError):
    """A value that no cut makes fit: it is left out, or what holds it is."""


def short_id(text: str) -> str:
    """An id that fits where it is shown and said again. Two long ones that begin alike stay two."""
    if len(text) <= LONGEST_ID:
        return text
    return f"{text[:_KEPT_OF_ID]}~{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:16]}"


def cut_bytes(text: str, most: int) -> str:
    """The text in at most so many bytes of UTF-8, cut between characters, with an ellipsis where it was cut."""
    raw = text.encode("utf-8", "replace")
    if len(raw) <= most:
        return raw.decode()
    ellipsis = "…".encode()
    return raw[: most - len(ellipsis)].decode("utf-8", "ignore") + "…"


def parts_of(text: str, most_bytes: int) -> tuple[str, ...]:
    """The text in parts of at most so many bytes of UTF-8 each; put together they are the text again.

    A part ends after a space or a line where its last quarter has one, never inside a character. An empty text is one
    empty part, so that whoever sends parts always sends something.

    Raises:
        ValueError: fewer bytes than the longest character takes.
    """
    if most_bytes < _LONGEST_CHARACTER:
        raise ValueError(f"a part must take {_LONGEST_CHARACTER} bytes, or some characters never fit: {most_bytes}")
    raw = text.encode("utf-8", "surrogatepass")
    parts: list[bytes] = []
    begin = 0
    while len(raw) - begin > most_bytes:
        end = begin + most_bytes
        while raw[end] & 0xC0 == 0x80:  # the next part would begin inside a character
            end -= 1
        after = 1 + max(raw.rfind(sign, end - most_bytes // 4, end) for sign in (b" ", b"\n"))
        parts.append(raw[begin : after or end])
        begin = after or end
    return tuple(part.decode("utf-8", "surrogatepass") for part in (*parts, raw[begin:]))


def within_bounds(status: Mapping[str, Any]) -> dict[str, Any]:
    """The status with every text and list cut to what the CRD takes; items that can't be made to fit are left out."""
    schema, named = _schema()
    fitted: dict[str, Any] = _fitted(dict(status), schema, named)
    return fitted


@functools.cache
def _schema() -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    schema = DrillStatus.model_json_schema(by_alias=True)
    return schema, schema.get("$defs", {})


def _fitted(value: Any, schema: Mapping[str, Any], named: Mapping[str, Any]) -> Any:
    """A value as its schema wants it. Raises _Unfit."""
    if "$ref" in schema:
        return _fitted(value, named[schema["$ref"].rpartition("/")[2]], named)
    if "anyOf" in schema:
        chosen: Mapping[str, Any] = next((c for c in schema["anyOf"] if c.get("type") != "null"), {})
        return None if value is None else _fitted(value, chosen, named)
    if "enum" in schema and value not in schema["enum"]:
        raise _Unfit(value)
    kind = schema.get("type")
    if kind == "string":
        return _text(value, schema)
    if kind == "array":
        return _list(value, schema, named)
    if kind == "object" and "properties" in schema:
        return _object(value, schema, named)
    if kind is not None and not isinstance(value, _PLAIN.get(kind, object)):
        raise _Unfit(value)
    return value


def _text(value: Any, schema: Mapping[str, Any]) -> str:
    if not isinstance(value, str | int | float):
        raise _Unfit(value)
    text = str(value)
    most = schema.get("maxLength", len(text))
    text = text if len(text) <= most else text[: most - 1] + "…"
    if len(text) < schema.get("minLength", 0) or not re.search(schema.get("pattern", ""), text):
        raise _Unfit(text)
    if schema.get("format") == "date-time" and not _is_time(text):
        raise _Unfit(text)
    return text


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _list(value: Any, schema: Mapping[str, Any], named: Mapping[str, Any]) -> list[Any]:
    keys: Sequence[str] = schema.get("x-kubernetes-list-map-keys", ())
    fitted: list[Any] = []
    seen: set[tuple[Any, ...]] = set()
    if not isinstance(value, list | tuple):
        raise _Unfit(value)
    for item in value:
        try:
            fit = _fitted(item, schema["items"], named)
        except _Unfit:
            continue
        known = tuple(fit.get(key) for key in keys)
        if not keys or known not in seen:
            seen.add(known)
            fitted.append(fit)
    most = schema.get("maxItems", len(fitted))
    if len(fitted) <= most:
        return fitted
    if all(isinstance(item, str) for item in fitted):
        return [*fitted[: most - 1], f"and {len(fitted) - most + 1} more"]
    return fitted[:most]


def _object(value: Any, schema: Mapping[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _Unfit(value)
    fitted: dict[str, Any] = {}
    for name, part in schema["properties"].items():
        if name not in value:
            continue
        try:
            fitted[name] = _fitted(value[name], part, named)
        except _Unfit:
            if name in schema.get("required", ()):
                raise
            fitted[name] = None
    if missing := [name for name in schema.get("required", ()) if fitted.get(name) is None]:
        raise _Unfit(missing)
    return fitted

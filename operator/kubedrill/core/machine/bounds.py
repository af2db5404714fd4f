"""A status that the API server takes, whatever is in it: cut to the bounds of its own schema.

A status that is refused can't be stored, so nothing that follows from it is done: one text that is too long would
hold up the whole drill. So the bounds are read from the model that the CRD is made of, and what goes beyond them
is cut here, in one place, whoever wrote it. What a cut list leaves out is said by its caller, or in its last line.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from kubedrill.api.drill_status import DrillStatus

LONGEST_ID: Final = 256
STATUS_BYTES: Final = 512 * 1024
"""Of a status without what the machine keeps; an object may have 1.5 MiB in all, with its spec."""
_LONGEST_TEXTS: Final = (16_384, 512, 128, 24)
_LONGEST_CHARACTER: Final = 4
_PLAIN: Final[Mapping[str, type]] = {"boolean": bool, "integer": int, "object": dict}


class _Unfit(ValueError):
    """A value that no cut makes fit: it is left out, or what holds it is."""


def short_id(text: str, most: int = LONGEST_ID) -> str:
    """An id of at most so many characters (24 at the least). Two long ones that begin alike stay two."""
    if len(text) <= most:
        return text
    return f"{text[: most - 17]}~{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def cut_bytes(text: str, most: int) -> str:
    """The text in at most so many bytes of UTF-8, cut between characters, with an ellipsis where it was cut."""
    raw = text[: most + 1].encode("utf-8", "replace")  # a character has a byte at least
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
    """The status with every text and list cut to what the CRD takes; items that can't be made to fit are left out.

    Where the whole is too long nevertheless (the CRD counts characters, what stores it counts bytes), its texts are cut
    further, all alike. What the machine keeps is bounded where it is kept (`State`), and never cut here.
    """
    schema, named = _schema()
    fitted: dict[str, Any] = {}
    for longest in _LONGEST_TEXTS:
        fitted = _Fitting(named, longest).fitted(dict(status), schema)
        if size_of({key: value for key, value in fitted.items() if key != "machine"}) <= STATUS_BYTES:
            break
    return fitted


def size_of(value: Any) -> int:
    """Bytes of a value as JSON, as it is sent and stored."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))


@functools.cache
def _schema() -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    schema = DrillStatus.model_json_schema(by_alias=True)
    return schema, schema.get("$defs", {})


class _Fitting:
    """Makes values fit their schemas, each text in at most `longest` bytes. `named` are the schemas' definitions."""

    def __init__(self, named: Mapping[str, Any], longest: int) -> None:
        self._named, self._longest = named, longest

    def fitted(self, value: Any, schema: Mapping[str, Any], *, is_key: bool = False) -> Any:
        """A value as its schema wants it. Raises _Unfit."""
        if "$ref" in schema:
            return self.fitted(value, self._named[schema["$ref"].rpartition("/")[2]], is_key=is_key)
        if "anyOf" in schema:
            chosen: Mapping[str, Any] = next((c for c in schema["anyOf"] if c.get("type") != "null"), {})
            return None if value is None else self.fitted(value, chosen, is_key=is_key)
        if "enum" in schema and value not in schema["enum"]:
            raise _Unfit(value)
        kind = schema.get("type")
        if kind == "string":
            return self._text(value, schema, is_key=is_key)
        if kind == "array":
            return self._list(value, schema)
        if kind == "object" and "properties" in schema:
            return self._object(value, schema)
        if kind is not None and not isinstance(value, _PLAIN.get(kind, object)):
            raise _Unfit(value)
        return value

    def _text(self, value: Any, schema: Mapping[str, Any], *, is_key: bool) -> str:
        if not isinstance(value, str | int | float):
            raise _Unfit(value)
        text = str(value)
        most = schema.get("maxLength", len(text))
        if is_key:
            text = short_id(text, most)
        elif len(text) > most:
            text = text[: most - 1] + "…"
        if not is_key and "pattern" not in schema and "format" not in schema:
            text = cut_bytes(text, self._longest)
        if len(text) < schema.get("minLength", 0) or not re.search(schema.get("pattern", ""), text):
            raise _Unfit(text)
        if schema.get("format") == "date-time" and not _is_time(text):
            raise _Unfit(text)
        return text

    def _list(self, value: Any, schema: Mapping[str, Any]) -> list[Any]:
        keys: Sequence[str] = schema.get("x-kubernetes-list-map-keys", ())
        fitted: list[Any] = []
        seen: set[tuple[Any, ...]] = set()
        if not isinstance(value, list | tuple):
            raise _Unfit(value)
        for item in value:
            try:
                fit = self._item(item, schema["items"], keys)
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

    def _item(self, item: Any, schema: Mapping[str, Any], keys: Sequence[str]) -> Any:
        if "$ref" in schema:
            schema = self._named[schema["$ref"].rpartition("/")[2]]
        return self._object(item, schema, keys) if keys else self.fitted(item, schema)

    def _object(self, value: Any, schema: Mapping[str, Any], keys: Sequence[str] = ()) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _Unfit(value)
        fitted: dict[str, Any] = {}
        for name, part in schema["properties"].items():
            if name not in value:
                continue
            try:
                fitted[name] = self.fitted(value[name], part, is_key=name in keys)
            except _Unfit:
                if name in schema.get("required", ()):
                    raise
                fitted[name] = None
        if missing := [name for name in schema.get("required", ()) if fitted.get(name) is None]:
            raise _Unfit(missing)
        return fitted


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False

"""What the API server would say of an object by its CRD in `crds/`: the part of it that tests ask for."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

CRDS = Path(__file__).parents[1] / "crds"
TYPES = {"string": str, "array": list, "object": dict, "boolean": bool, "integer": int}


@functools.cache
def schema(plural: str, part: str) -> dict[str, Any]:
    """The schema of `spec` or `status`."""
    definition = yaml.safe_load((CRDS / f"{plural}.yaml").read_text(encoding="utf-8"))
    body = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return dict(body["properties"][part])


def complaints(value: Any, of: dict[str, Any], where: str) -> Iterator[tuple[str, str]]:
    """Each field that the API server would refuse, and the reason of its cause."""
    kind = of.get("type")
    if kind and not isinstance(value, TYPES[kind]):
        yield where, "FieldValueTypeInvalid"
        return
    if "enum" in of and value not in of["enum"]:
        yield where, "FieldValueNotSupported"
    if kind == "string":
        yield from _of_text(value, of, where)
    elif kind == "array":
        yield from _of_list(value, of, where)
    elif kind == "object" and not of.get("x-kubernetes-preserve-unknown-fields"):
        yield from _of_object(value, of, where)


def _of_text(value: str, of: dict[str, Any], where: str) -> Iterator[tuple[str, str]]:
    if not of.get("minLength", 0) <= len(value) <= of.get("maxLength", len(value)):
        yield where, "FieldValueTooLong"
    if "pattern" in of and not re.search(of["pattern"], value):
        yield where, "FieldValueInvalid"
    if of.get("format") == "date-time":
        try:
            datetime.fromisoformat(value)
        except ValueError:
            yield where, "FieldValueInvalid"


def _of_list(value: list[Any], of: dict[str, Any], where: str) -> Iterator[tuple[str, str]]:
    if len(value) > of.get("maxItems", len(value)):
        yield where, "FieldValueTooMany"
    keys = of.get("x-kubernetes-list-map-keys", ())
    known = [tuple(item.get(key) for key in keys) for item in value] if keys else []
    for number, item in enumerate(value):
        if keys and known.index(known[number]) < number:
            yield f"{where}[{number}]", "FieldValueDuplicate"
        yield from complaints(item, of["items"], f"{where}[{number}]")


def _of_object(value: dict[str, Any], of: dict[str, Any], where: str) -> Iterator[tuple[str, str]]:
    for name in of.get("required", ()):
        if name not in value:
            yield f"{where}.{name}", "FieldValueRequired"
    parts = of.get("properties", {})
    for name, item in value.items():
        if name in parts:
            yield from complaints(item, parts[name], f"{where}.{name}")
        elif "additionalProperties" not in of:
            yield f"{where}.{name}", "UnknownField"

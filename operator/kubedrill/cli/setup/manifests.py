"""Manifests of this package, with their places (`@NAMESPACE@`) filled in.

They are filled after they were read: whatever a name holds, it stays a string, and never becomes YAML.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import yaml


def filled(file: str, places: Mapping[str, str]) -> list[dict[str, Any]]:
    """The objects of a file beside this one, with each `@PLACE@` in their strings given its value."""
    text = files(__package__).joinpath(file).read_text(encoding="utf-8")
    return [_filled(one, places) for one in yaml.safe_load_all(text)]


def _filled(value: Any, places: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, places) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, places) for inner in value]
    if isinstance(value, str):
        for place, given in places.items():
            value = value.replace(f"@{place}@", given)
    return value

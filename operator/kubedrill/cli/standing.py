"""How far a drill is, by its status: it waits, is on, or has ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

WAITING: Final = ("", "Pending", "Preflight", "Held")
"""The phases in which a drill has not started; the first of them is before the operator has seen it."""
ENDED: Final = ("Completed", "Stopped", "Aborted")


def phase_of(drill: Mapping[str, Any]) -> str:
    """A drill's phase; empty before the operator has seen it."""
    return str((drill.get("status") or {}).get("phase") or "")


def how_it_ended(drill: Mapping[str, Any]) -> str:
    """Of a drill that has ended, in a few words for a sentence."""
    status = drill.get("status") or {}
    return f"{drill['metadata']['name']} has ended ({status.get('message') or phase_of(drill)})"

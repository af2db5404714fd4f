"""Facts as lines of JSON, for the evidence log. Times keep their microseconds.

A line is UTF-8 and no longer than it may be: of a fact that is too long the texts are cut, the id never. Fields that
a reader does not know are passed over; a kind or a source that it does not know makes the line unreadable.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.machine.bounds import cut_bytes, short_id

LOG_VERSION: Final = 2
"""Of the evidence log. It goes up when an older operator would misread the lines, not when a field or kind is added.

Version 1, which says none, is segments of up to 300,000 bytes that may be written whole again.
"""
_BREAKS: Final = {ord(sign): f"\\u{ord(sign):04x}" for sign in "\x85\u2028\u2029"}
"""What JSON leaves as it is and some take for the end of a line."""
_CUTS: Final = (8192, 2048, 256, 0)
_CUT_NOTE: Final = " (cut: it was too long to be kept)"


def fact_to_wire(fact: Fact) -> dict[str, Any]:
    """A fact as JSON."""
    return {
        "id": fact.id,
        "kind": fact.kind.value,
        "source": fact.source.value,
        "actor": fact.actor,
        "notBefore": fact.at.not_before.isoformat(),
        "notAfter": fact.at.not_after.isoformat(),
        "evidence": fact.evidence,
        "detail": dict(fact.detail),
    }


def fact_from_wire(wire: Mapping[str, Any]) -> Fact:
    """The fact that was stored. Raises KeyError or ValueError on anything else."""
    at = Interval(datetime.fromisoformat(wire["notBefore"]), datetime.fromisoformat(wire["notAfter"]))
    return Fact(
        FactKind(wire["kind"]),
        at,
        Source(wire["source"]),
        wire["id"],
        wire.get("actor", ""),
        wire.get("evidence", ""),
        dict(wire.get("detail", {})),
    )


def to_line(fact: Fact, most_bytes: int) -> tuple[Fact, str]:
    """The fact as it is kept, and its line of at most so many bytes (of 2 KiB at the least)."""
    kept = replace(fact, id=short_id(fact.id), actor=cut_bytes(fact.actor, 256))
    line = _dumped(kept)
    for most in _CUTS:
        if len(line.encode()) <= most_bytes:
            break
        kept = _cut(fact, kept, most)
        line = _dumped(kept)
    return kept, line


def from_line(line: str) -> Fact:
    """The fact in a line.

    Raises:
        ValueError: it holds none that this version can read.
    """
    try:
        return fact_from_wire(json.loads(line))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(repr(error)[:300]) from error


def _dumped(fact: Fact) -> str:
    try:
        line = json.dumps(fact_to_wire(fact), default=str, ensure_ascii=False).translate(_BREAKS)
        line.encode()
    except UnicodeEncodeError:  # half a character, as a stranger's JSON may hold one
        return json.dumps(fact_to_wire(fact), default=str)
    return line


def _cut(whole: Fact, kept: Fact, most: int) -> Fact:
    """The fact with each text in at most so many bytes, and without what is none and longer; with 0 no details."""
    return replace(
        kept,
        evidence=cut_bytes(whole.evidence, min(most, 1024) or 256) + _CUT_NOTE,
        detail=dict(_cut_details(whole.detail, most)) if most and len(whole.detail) <= most // 4 else {},
    )


def _cut_details(detail: Mapping[str, Any], most: int) -> Iterator[tuple[str, Any]]:
    for key, value in detail.items():
        if isinstance(value, str):
            yield key, cut_bytes(value, most)
        elif len(str(value)) <= most:
            yield key, value

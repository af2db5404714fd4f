"""One segment of a drill's evidence: lines, one a fact, in a ConfigMap with a version and a bound.

A segment is appended to until the next fact does not fit; then it is marked full and never written again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kubedrill.core.evidence.codec import LOG_VERSION

SEGMENT_BYTES: Final = 32 * 1024
"""Of facts in one segment."""
FACT_BYTES: Final = SEGMENT_BYTES // 2
"""Of one fact; a message of 4,096 characters fits in most scripts."""
SEGMENTS_OF_ANYTHING: Final = 400
"""Of one drill: 12.5 MiB, some 40,000 facts. From then on what tells of single pods alone is left out …"""
SEGMENTS_KEPT: Final = 500
"""… and beyond so many nothing is stored."""
FACTS: Final = "facts"
_VERSION: Final = "version"
_FULL: Final = "full"


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment as it was read or written. `resource_version` is the precondition of the next write.

    `version` is 0 where it says something that is no version, or the ConfigMap is somebody else's.
    """

    number: int
    lines: tuple[str, ...] = ()
    resource_version: str = ""
    version: int = 0
    full: bool = False

    @property
    def readable(self) -> bool:
        """Whether its lines are of a version that is known here."""
        return 0 < self.version <= LOG_VERSION

    @property
    def appendable(self) -> bool:
        """Whether facts may be added: it is of this very version, and not full."""
        return self.version == LOG_VERSION and not self.full and bool(self.resource_version)

    def how_many_fit(self, lines: Sequence[str]) -> int:
        """How many of these lines, from the first on, it still takes."""
        room = SEGMENT_BYTES - sum(len(line.encode()) + 1 for line in self.lines)
        for fitting, line in enumerate(lines):
            room -= len(line.encode()) + 1
            if room < 0:
                return fitting
        return len(lines)


def segment_of(item: Mapping[str, Any]) -> Segment | None:
    """The segment in a ConfigMap; None when its name has no number."""
    metadata, data = item["metadata"], item.get("data") or {}
    number = str(metadata["name"]).rpartition("-")[2]
    if not _is_number(number):
        return None
    lines = tuple(line for line in str(data.get(FACTS, "")).split("\n") if line)
    version = str(data.get(_VERSION, "1"))
    return Segment(
        int(number),
        lines,
        str(metadata.get("resourceVersion", "")),
        int(version) if _is_number(version) else 0,
        data.get(_FULL) == "true",
    )


def data_of(lines: Sequence[str], *, full: bool) -> dict[str, str]:
    """What a segment of these lines holds."""
    return {FACTS: "\n".join(lines), _VERSION: str(LOG_VERSION)} | _mark(full=full)


def appended_to(segment: Segment, lines: Sequence[str], *, full: bool) -> dict[str, str]:
    """What changes in a segment to which lines are added. One that only becomes full does not send its lines again."""
    return ({FACTS: "\n".join([*segment.lines, *lines])} if lines else {}) | _mark(full=full)


def _mark(*, full: bool) -> dict[str, str]:
    return {_FULL: "true"} if full else {}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 9

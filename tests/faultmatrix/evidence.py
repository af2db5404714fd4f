"""What a run leaves to the oracles, and what they say of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faultmatrix.plan import Plan
from tests.faultmatrix.slot import Slot
from tests.faultmatrix.witness import Witness


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be."""

    oracle: str
    what: str

    def __str__(self) -> str:
        return f"{self.oracle} {self.what}"


@dataclass
class Evidence:
    """A run as it was seen. Instants are monotonic seconds of this process.

    `before`: the targets before the drill. `status`: the Drill's last one; empty when nobody could ask. `ended_at` is
    when the drill had to end, `healed_at` when what was wrong was so no more. `exits`: what ended by itself. `refused`:
    what made no sense to the API server. `late`: what a story waited for in vain. `unmet`: the rules that did nothing.
    `stuck_said`: the words in which it was said that it can't be put back.
    """

    plan: Plan
    slot: Slot
    witness: Witness
    before: dict[str, dict[str, Any]]
    status: dict[str, Any] = field(default_factory=dict)
    ended_at: float = 0.0
    healed_at: float = 0.0
    logs: list[Path] = field(default_factory=list)
    exits: list[str] = field(default_factory=list)
    drills: tuple[str, ...] = ()
    refused: list[str] = field(default_factory=list)
    late: str = ""
    stuck_seen: bool = False
    stuck_said: tuple[str, ...] = ()
    unmet: list[int] = field(default_factory=list)

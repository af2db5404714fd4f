"""Why a drill goes on to its next phase, and what a guard is that says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kubedrill.core.machine.state import Ending, Observation, State
from kubedrill.core.measure.assessment import Assessment
from kubedrill.core.measure.results import Verdict


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a drill goes on to its next phase. `ending` when that ends play."""

    reason: str
    message: str
    ending: Ending | None = None


Guard = Callable[[State, Observation, Assessment], Reason | None]


def ends(reason: str, message: str, verdict: Verdict | None = None) -> Reason:
    """A reason that ends play; with a verdict where the ending itself settles it."""
    return Reason(reason, message, Ending(reason, message, verdict))

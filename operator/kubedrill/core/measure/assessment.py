"""What the facts of a drill say so far: milestones and objectives. Computed anew at every turn, never stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kubedrill.core.evidence.attribution import own_revert
from kubedrill.core.machine.state import Observation
from kubedrill.core.measure.milestones import milestones
from kubedrill.core.measure.objectives import judge
from kubedrill.core.measure.results import Milestone, MilestoneName, ObjectiveResult


@dataclass(frozen=True, slots=True)
class Assessment:
    """Milestones that were reached and objectives as measured so far."""

    milestones: tuple[Milestone, ...] = ()
    objectives: tuple[ObjectiveResult, ...] = ()

    def milestone(self, name: MilestoneName, level: str = "") -> Milestone | None:
        """A milestone, or nothing while it was not reached. Without a level: the one that has none."""
        return next((m for m in self.milestones if m.name is name and m.level == level), None)


def assess(seen: Observation, ended: datetime | None) -> Assessment:
    """What is known now. Nothing counts after the operator's own first revert."""
    drill_plan = seen.drill_plan
    if drill_plan is None:
        return Assessment()
    reached = milestones(seen.facts, seen.series, drill_plan, seen.now)
    reverted = own_revert(seen.facts)
    censored = reverted.at.not_before if reverted else None
    now, unread = ended or seen.now, bool(seen.unread)
    return Assessment(reached, judge(reached, drill_plan, now=now, ended=ended, censored_at=censored, unread=unread))

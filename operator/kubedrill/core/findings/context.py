"""What the rules of findings look at, and the words that they share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from kubedrill.api.durations import format_duration
from kubedrill.core.evidence.facts import Fact, FactKind, FactSet, Interval, in_order
from kubedrill.core.measure.results import Milestone, MilestoneName, ObjectiveResult
from kubedrill.core.plan.drill_plan import DrillPlan


@dataclass(frozen=True, slots=True)
class FindingContext:
    """What the rules look at: facts, milestones and objectives as judged, the drill's design and its name."""

    facts: FactSet
    milestones: tuple[Milestone, ...]
    objectives: tuple[ObjectiveResult, ...]
    drill_plan: DrillPlan
    drill: str = ""

    def of(self, *kinds: FactKind) -> tuple[Fact, ...]:
        """The facts of these kinds in order."""
        return in_order(self.facts, *kinds)

    def milestone(self, name: MilestoneName) -> Milestone | None:
        """The milestone without a level."""
        return next((m for m in self.milestones if m.name is name and not m.level), None)

    def clock(self, at: Interval) -> str:
        """An interval as scenario time since T+0, to the second: `T+5m`, `T+23m to T+28m`."""
        fired = self.milestone(MilestoneName.ALERT_FIRED)
        if fired is None:
            return at.not_after.strftime("%H:%M:%S")
        pace, zero = self.drill_plan.pace, fired.at.middle
        is_narrow = at.width <= timedelta(seconds=2)
        ends = [whole((end - zero) * pace) for end in ((at.middle,) if is_narrow else (at.not_before, at.not_after))]
        return " to ".join("T" + ("" if end < timedelta(0) else "+") + format_duration(end) for end in ends)


def whole(duration: timedelta) -> timedelta:
    """Rounded to the second, for sentences."""
    return timedelta(seconds=round(duration.total_seconds()))


def ids(*parts: Fact | Iterable[Fact] | Milestone | None) -> tuple[str, ...]:
    """The ids of the facts behind a finding, each once."""
    found: list[str] = []
    for part in parts:
        if isinstance(part, Fact):
            found.append(part.id)
        elif isinstance(part, Milestone):
            found.extend(part.fact_ids)
        elif part is not None:
            found.extend(f.id for f in part)
    return tuple(dict.fromkeys(found))

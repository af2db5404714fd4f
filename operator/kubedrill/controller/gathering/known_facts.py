"""The facts of a drill with whose doing they were, made anew only where there is something new."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from kubedrill.core.evidence.attribution import since_start
from kubedrill.core.evidence.facts import Fact, FactSet
from kubedrill.core.evidence.matching import matched
from kubedrill.core.plan.drill_plan import DrillPlan


class KnownFacts:
    """One drill's. Most turns bring no fact that is not stored, and thousands may be."""

    def __init__(self) -> None:
        self._stored: frozenset[Fact] | None = None
        self._ids: frozenset[str] = frozenset()
        self._rest: object = None
        self._facts = FactSet()

    def of(
        self, stored: frozenset[Fact], seen: Iterable[Fact], start: datetime | None, drill_plan: DrillPlan
    ) -> FactSet:
        """Those that are stored and those that were just seen, from the drill's start on, with their actors.

        `stored` is the same object for as long as it holds the same facts.
        """
        if stored is not self._stored:
            self._ids = frozenset(fact.id for fact in stored)
        # what is seen again after a gap has the same id and a later receipt: it is the same thing, told once
        new = frozenset({fact.id: fact for fact in seen if fact.id not in self._ids}.values())
        rest = (new, start, drill_plan.players, drill_plan.subjects, drill_plan.accepts_reconcilers)
        if stored is not self._stored or rest != self._rest:
            self._facts = matched(
                since_start(stored | new, start),
                drill_plan.players,
                drill_plan.subjects,
                accepts_reconcilers=drill_plan.accepts_reconcilers,
            )
            self._stored, self._rest = stored, rest
        return self._facts

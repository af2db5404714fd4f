"""While an alert's rule is not the one that the drill was planned with, the alert's silence proves nothing.

A rule that is edited so that it no longer fires, or removed, looks like the end of the trouble that it is about. Once
it is back as it was it would fire again, after its own wait, if the trouble went on: so the trouble had ended by then.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from kubedrill.core.evidence.facts import Fact, FactKind, FactSet, Interval, in_order
from kubedrill.core.plan.drill_plan import RuleTiming

USUAL_EVALUATION: Final = timedelta(minutes=1)
AFTER_A_GAP: Final = timedelta(minutes=1)
"""What is found to be changed so soon after nobody looked may have been changed meanwhile."""


@dataclass(frozen=True, slots=True)
class OtherRule:
    """For how long an alert's rule was another one, or gone: from `since` until it was `back` (None: it is not)."""

    since: datetime
    back: Interval | None
    seen: Fact

    def covers(self, ended: Interval) -> bool:
        """Whether something may have ended while it was so."""
        return ended.not_after >= self.since and (self.back is None or ended.not_before <= self.back.not_after)


def other_rules(facts: FactSet, alert: str, until: datetime | None = None) -> tuple[OtherRule, ...]:
    """When the rule of an alert was not the planned one, as far as was known at `until` (None: as far as is known)."""
    found: list[OtherRule] = []
    for fact in in_order(facts, FactKind.RULE_CHANGED, FactKind.RULE_AS_PLANNED):
        if fact.detail.get("alert") != alert or (until and fact.at.not_after > until):
            continue
        goes_on = bool(found) and found[-1].back is None
        if fact.kind is FactKind.RULE_CHANGED and not goes_on:
            found.append(OtherRule(_since(fact, facts), None, fact))
        elif fact.kind is FactKind.RULE_AS_PLANNED and goes_on:
            found[-1] = OtherRule(found[-1].since, fact.at, found[-1].seen)
    return tuple(found)


def proven_end(ended: Interval, others: Iterable[OtherRule], timing: RuleTiming) -> Interval | None:
    """When the trouble of an alert that ended was over; nothing while that is not known."""
    for other in others:
        if other.covers(ended):
            if other.back is None:
                return None
            latest = other.back.not_after + timing.waits + (timing.every or USUAL_EVALUATION)
            ended = Interval(ended.not_before, max(ended.not_after, latest))
    return ended


def _since(changed: Fact, facts: FactSet) -> datetime:
    """From when on it may have been so: with what nobody saw just before."""
    start = changed.at.not_before
    unseen = (f.at for f in in_order(facts, FactKind.GAP) if f.at.not_before <= start <= f.at.not_after + AFTER_A_GAP)
    return min((start, *(at.not_before for at in unseen)))

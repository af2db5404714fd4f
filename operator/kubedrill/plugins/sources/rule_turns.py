"""Whether an expected alert's rule is still the one that the drill was planned with: told when that changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.plugins.sources.polled import PollScope
from kubedrill.plugins.sources.prometheus import LoadedRule

MOST_TURNS: Final = 40
"""So many turns are told of one drill's rules. Of a rule that goes on changing the last word is that it is another."""


def is_another(plan: DrillPlan, alert: str, loaded: LoadedRule) -> bool:
    """Whether what is loaded under an alert's name is not what the drill was planned with, as far as that is known."""
    wanted = next((a.rule for a in plan.alerts if a.name == alert), "")
    return bool(wanted) and loaded.rule.identity != wanted


class RuleTurns:
    """Remembers of each alert whether its rule was the planned one when it was last looked at."""

    def __init__(self) -> None:
        """Nothing was looked at yet."""
        self._planned: dict[str, bool] = {}
        self._told: list[Fact] = []

    def look(
        self, plan: DrillPlan, loaded: Mapping[str, LoadedRule], known: Mapping[str, LoadedRule], scope: PollScope
    ) -> None:
        """Compares what is loaded with the plan. `known` are the planned rules as they were last seen.

        A plan that does not say which rule it means is not compared with.
        """
        for alert in (one.name for one in plan.alerts if one.rule):
            rule = loaded.get(alert)
            planned = rule is not None and not is_another(plan, alert, rule)
            if planned == self._planned.get(alert) or (planned and len(self._told) >= MOST_TURNS):
                continue
            was = known.get(alert) if alert in self._planned else None
            since = min(scope.began, was.evaluated) if was and was.evaluated and not planned else scope.began
            self._planned[alert] = planned
            self._told.append(_turn(alert, since, scope, planned=planned, gone=rule is None))

    def since(self, since: datetime) -> tuple[Fact, ...]:
        """What was told of it."""
        return tuple(fact for fact in self._told if fact.at.not_after >= since)


def _turn(alert: str, since: datetime, scope: PollScope, *, planned: bool, gone: bool) -> Fact:
    kind = FactKind.RULE_AS_PLANNED if planned else FactKind.RULE_CHANGED
    when = f"{scope.began:%H:%M:%S} UTC"
    words = "was removed, as seen at" if gone else "is another than the drill was planned with, as seen at"
    return Fact(
        kind,
        Interval(since - scope.error, max(scope.now, scope.began) + scope.error),
        Source.PROMETHEUS,
        f"prometheus/{kind}/{alert}/{scope.began.isoformat(timespec='milliseconds')}",
        evidence=f"the rule of {alert} {'is as planned, as seen at' if planned else words} {when}",
        detail={"alert": alert},
    )

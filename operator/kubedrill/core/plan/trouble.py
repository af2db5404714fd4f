"""What an alert rule says of the trouble that it is about, as something to measure; see docs/decisions/0028."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kubedrill.core.plan.drill_plan import NO_TIMING, RuleTiming


@dataclass(frozen=True, slots=True)
class Trouble:
    """How one rule's trouble in the target namespace is measured.

    `query` is PromQL: 0 where there is data and the rule's expression is false, more than 0 where it is true, and
    falling when things get better. `better` tells in words when it falls. `threshold` is the value at which it leaves
    0, where it is in the rule's own unit. An empty query can't be derived, and `why_not` says why. `labels` are those
    that the rule gives its alerts.
    """

    query: str = ""
    better: str = ""
    threshold: float | None = None
    why_not: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AlertRule:
    """What is loaded under one alert's name: one rule, or several.

    `whole` is the trouble of all of them together, `each` that of every single one. `timing` is what they take by
    themselves: until the first of them may fire, and until the last of them has ended. `identity` tells them from any
    others: it is made of all by which they fire and end.
    """

    name: str
    whole: Trouble = field(default_factory=Trouble)
    each: tuple[Trouble, ...] = ()
    timing: RuleTiming = NO_TIMING
    identity: str = ""

"""The rules of a plan as they stand: which are live, how far each has counted, what is to be done to a request."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from tests.faultmatrix.plan import Plan, Rule
from tests.faultmatrix.requests import OWN, Request


@dataclass
class Live:
    """A rule at work."""

    number: int
    rule: Rule
    counted: int = 0
    hits: int = 0
    first_hit: float = 0.0
    done: bool = False


@dataclass
class Rigging:
    """The rules of one plan. `fired` are the numbers of those that did something."""

    plan: Plan
    live: list[Live] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.live = [Live(number, rule) for number, rule in enumerate(self.plan.rules)]

    def take(self, actor: str, request: Request) -> Rule | None:
        """The rule that this request meets, if any."""
        met = None
        for one in self.live:
            if one.done or not self._counts(one, actor, request):
                continue
            one.counted += 1
            if met is None and self._hits(one):
                met = one.rule
        return met

    def heal(self) -> None:
        """What lasts until it is healed is healed."""
        for one in self.live:
            one.done = one.done or one.rule.until_healed

    @property
    def unmet(self) -> list[int]:
        """The numbers of the rules that never met their request."""
        return [one.number for one in self.live if not one.hits and not one.rule.optional]

    def _counts(self, one: Live, actor: str, request: Request) -> bool:
        rule = one.rule
        if rule.after is not None and not self.live[rule.after].hits:
            return False
        kind = request.kind == rule.what or (rule.what == "write" and request.kind in OWN) or rule.what == "any"
        return kind and rule.actor == actor and rule.named in request.path and rule.method in ("", request.method)

    def _hits(self, one: Live) -> bool:
        rule, now = one.rule, time.monotonic()
        if one.counted < rule.nth:
            return False
        if one.hits and rule.seconds and now - one.first_hit > rule.seconds:
            one.done = True
            return False
        one.hits += 1
        one.first_hit = one.first_hit or now
        if rule.times and not rule.seconds and not rule.until_healed and one.hits >= rule.times:
            one.done = True
        return True

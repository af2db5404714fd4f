"""A plan: a small drill, what goes wrong with it and when, what people do meanwhile, and what must be true then.

A plan is data, written in `plans/*.yaml` and made anew from there each time, so each has a name that never means
anything else, and `make faultmatrix PLAN=name` repeats it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

BEFORE, COMMITTED, REPLIED = "before", "committed", "replied"
MOMENTS = (BEFORE, COMMITTED, REPLIED)


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to the n-th request of a kind.

    `what` is a kind of `requests`, or `write` (any own write), and may be bound to one object by `named` (a part of
    its path) and to one HTTP `method`. `when` it happens: before the API server has it, when it has committed but
    nothing was answered, or when the answer is out. `do` are actions: `kill`, `reset`, `reply 409`, `truncate`,
    `refuse policy-422`, `delay 2`, `freeze 20`, `twice`, `late 3`, `stale 5`, ..., or what a person does (`people`).
    `times` requests in a row are hit (0: all that come), or all within `seconds` of the first, or all until the story
    heals it (`until_healed`). A rule with `after` counts only from when the rule of that number has done its work. An
    `optional` one may find nothing to do: by then the drill may be over.
    """

    what: str
    do: tuple[str, ...]
    nth: int = 1
    when: str = BEFORE
    times: int = 1
    seconds: float = 0
    until_healed: bool = False
    after: int | None = None
    actor: str = "operator"
    named: str = ""
    method: str = ""
    optional: bool = False

    def __post_init__(self) -> None:
        if self.when not in MOMENTS:
            raise ValueError(f"when: {self.when} is none of {', '.join(MOMENTS)}")


@dataclass(frozen=True, slots=True)
class Expect:
    """What must be true at the end beside the oracles that hold always.

    `verdict`: one of these. `restored_within`: seconds from the end (stop, deletion, deadline, or `since` the last
    healing) to the declared state. `exits`: how often the operator may have ended by itself. `ends`: each touched
    field's end, where it is not plainly restored. `value`: the field's value at the end where somebody else's is kept.
    `reported_stuck`: Stalled must have been said. `injections`: at most so many. `other_field`: somebody's change of
    another field must still stand. `untold`: that it was injected need not be told, for nothing of it was left to see.
    `untidy`: the clean-up was refused for good, so its revision may be left, and the restore must say so in a note.
    `told`: so many Events tell the players what the client says, no two of them the same.
    """

    verdict: tuple[str, ...] = ("Stopped",)
    restored_within: float = 10.0
    exits: int = 0
    ends: tuple[str, ...] = ()
    value: str = ""
    reported_stuck: bool = False
    injections: int = 1
    other_field: bool = False
    untold: bool = False
    untidy: bool = False
    told: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: `fault` is what the drill does, `story` what its people do, `rules` what goes wrong.

    `down` is how long the operator stays away after a kill (seconds; None: for good). `watchdog` whether one is
    there. `drill` are changes to the drill's spec. `skew`: how wrong the operator's wall clock is (libfaketime).
    `row`: the rows of the published fault matrix that it stands for (`rows.md`), with commas between. `slow` ones have
    long outages and run apart; `nightly` ones repeat a rule on another fault or with another answer; `in_ci` ones run
    at every change.
    """

    name: str
    fault: str = "memory-limit"
    story: str = "stop"
    rules: tuple[Rule, ...] = ()
    down: float | None = 0.0
    watchdog: bool = False
    expect: Expect = field(default_factory=Expect)
    drill: dict[str, Any] = field(default_factory=dict)
    skew: str = ""
    row: str = ""
    slow: bool = False
    nightly: bool = False
    in_ci: bool = False

    @property
    def own_values(self) -> set[str]:
        """The values that its people set."""
        said = [action.split() for rule in self.rules for action in rule.do]
        said += [[self.expect.value]] if self.expect.value else []
        return {word for words in said for word in words if word.endswith("Mi")}

    @property
    def refusals(self) -> set[str]:
        """The kinds of refusals that it has."""
        return {action.partition(" ")[2] for rule in self.rules for action in rule.do if action.startswith("refuse ")}


def rule_of(wire: dict[str, Any]) -> Rule:
    """A rule as a file says it: `do` may be one action or a list."""
    said = dict(wire)
    do = said.pop("do")
    return Rule(do=(do,) if isinstance(do, str) else tuple(do), **said)


def plan_of(wire: dict[str, Any]) -> Plan:
    """A plan as a file says it.

    Raises:
        TypeError: it has a key that a plan does not have.
    """
    said = dict(wire)
    expect = dict(said.pop("expect", {}))
    for key in ("verdict", "ends"):
        if isinstance(expect.get(key), str):
            expect[key] = [expect[key]]
        if key in expect:
            expect[key] = tuple(expect[key])
    rules = tuple(rule_of(r) for r in said.pop("rules", ()))
    return Plan(rules=rules, expect=Expect(**expect), **said)

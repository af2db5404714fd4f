"""All that can go wrong with the writes of a drill: each write of each fault × each failure × each moment.

A cell of this space has a plan, or stands in `plans/left_out.yaml` with the reason why it has none. A test says so, and
that no reason has outlived its cells.
"""

from __future__ import annotations

import fnmatch
import functools
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml
from tests.faultmatrix.catalogue import LEFT_OUT, counted, more_writes, own_writes
from tests.faultmatrix.plan import BEFORE, COMMITTED, REPLIED, Plan, Rule
from tests.faultmatrix.refusals import KINDS
from tests.faultmatrix.requests import ONCE_AT_LEAST, WRITES

ONCE, A_FEW_TIMES, FOR_A_WHILE, UNTIL_HEALED, FOR_GOOD = (
    "once",
    "a-few-times",
    "for-a-while",
    "until-healed",
    "for-good",
)
ANSWERED: Final = ("reply 409", "reply 422", "reply 429", "reply 500", "reply 503", "reply 504")
FAILURES: Final[Mapping[str, tuple[str, ...]]] = {
    "kill": (BEFORE, COMMITTED, REPLIED),
    "reset": (BEFORE, COMMITTED),  # the request is lost, or its answer
    "truncate": (COMMITTED,),
    "twice": (COMMITTED,),
    "late": (COMMITTED,),
    **dict.fromkeys(ANSWERED, (ONCE, A_FEW_TIMES, FOR_A_WHILE)),
    **{f"refuse {kind}": (ONCE, FOR_A_WHILE, UNTIL_HEALED, FOR_GOOD) for kind in KINDS},
}
"""Each failure, as plans call it, with the moments that it can have."""
ON_THE_WAY: Final = ("delay 0", "stop-drill")
"""What leads to a moment, and is no failure."""
FENCES: Final = 2


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One thing that can go wrong."""

    fault: str
    write: str
    failure: str
    moment: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Cells without a plan: globs for each of the four, and why."""

    fault: tuple[str, ...]
    write: tuple[str, ...]
    failure: tuple[str, ...]
    moment: tuple[str, ...]
    reason: str

    def holds(self, cell: Cell) -> bool:
        """Whether a cell is one of these."""
        return (
            _is_one_of(cell.fault, self.fault)
            and _is_one_of(cell.write, self.write)
            and _is_one_of(cell.failure, self.failure)
            and _is_one_of(cell.moment, self.moment)
        )


@functools.cache
def _is_one_of(name: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatch(name, one) for one in globs)


@functools.cache
def left_out() -> list[LeftOut]:
    """The reasons, as the file says them."""
    said: list[dict[str, Any]] = yaml.safe_load(LEFT_OUT.read_text(encoding="utf-8"))
    fields: list[dict[str, Any]] = [{k: v if k == "reason" else tuple(v) for k, v in entry.items()} for entry in said]
    return [LeftOut(**one) for one in fields]


@functools.cache
def cells() -> tuple[Cell, ...]:
    """The whole space."""
    return tuple(_cells())


def _cells() -> Iterator[Cell]:
    for fault, own in counted().items():
        fences = [("fence", nth) for nth in range(1, FENCES + 1)] if "target" in own else []
        writes = [f"{kind}-{nth}" for kind, nth in [*own_writes(own), *more_writes(own), *fences]]
        for write, (failure, moments) in itertools.product(writes, FAILURES.items()):
            yield from (Cell(fault, write, failure, moment) for moment in moments)


def cell_of(plan: Plan) -> Cell | None:
    """The cell that a plan stands for: one failure, once the operator is where it happens; None when it has another."""
    failing = [rule for rule in plan.rules if rule.do[0] not in ON_THE_WAY]
    if len(failing) != 1 or plan.watchdog or plan.down != 0 or plan.skew or plan.slow:
        return None
    (rule,) = failing
    failure = _failure(rule)
    if failure is None or rule.actor != "operator" or rule.named or rule.what not in {*WRITES, *ONCE_AT_LEAST}:
        return None
    cell = Cell(plan.fault, f"{rule.what}-{rule.nth}", failure, _moment(rule, failure))
    return cell if cell.moment in FAILURES[failure] else None


def _failure(rule: Rule) -> str | None:
    word, _, argument = rule.do[0].partition(" ")
    found = f"{word} {argument.split()[0]}" if word in ("reply", "refuse") else word
    return found if len(rule.do) == 1 and found in FAILURES else None


def _moment(rule: Rule, failure: str) -> str:
    if ONCE not in FAILURES[failure]:
        return rule.when
    if rule.until_healed or rule.seconds:
        return UNTIL_HEALED if rule.until_healed else FOR_A_WHILE
    return {0: FOR_GOOD, 1: ONCE}.get(rule.times, A_FEW_TIMES)

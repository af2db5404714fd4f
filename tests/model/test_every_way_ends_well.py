"""All ways through a drill, bounded by how often something departs from the undisturbed course.

Two drills, two targets, a crash at any request, an answer or a request that is lost, a second operator that starts
while the first is frozen, a watchdog, a human's edit between any two requests, a write that a policy or a webhook
refuses, a freeze that refuses all writes of a kind until it is lifted, a record that somebody removes or damages,
another plan that somebody puts in the place of the one that a drill has committed to. The turns are the controller's
own (`turns.py`): what is stored before what, and which plan is carried out, is not said a second time here.

At every step the laws hold (`laws.py`), and from every moment a stop leads to everything reverted: by the watchdog
alone, by a new operator alone, and by a new operator after which all who were frozen go on; while a freeze lasts,
nothing is lost. `make check` goes through some 3,000 schedules, in which one thing goes wrong and a second operator or
the watchdog comes at any moment; CI (KUBEDRILL_TESTS=thorough) through 6,000 more of up to 85 requests and edits each,
in which two things do; `make model` through more than a million of up to 130, and prints how many each round came to.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Literal

import pytest
from tests.examples import THOROUGH
from tests.model.conftest import code_as_it_is
from tests.model.course import beginning_of
from tests.model.explore import Ends, explore
from tests.model.world import Budget

ONE = {"storm": ("x",)}
TWO = {"storm": ("x", "y"), "flood": ("y", "x")}
APART = {"storm": ("x",), "flood": ("y",)}
ENDS = ("storm is stopped", "storm is deleted")
TOUCHED = ("x is edited", "x is repaired", "x is replaced", "x is made anew", "x is carried over", "x is removed")
FORGED = ("storm is given another plan",)
DOUBTED = ("x loses its record", "x has its record damaged")
ON_TWO = ("x is edited", "x is repaired", "y is edited", "x is carried over", *ENDS)

AT_ONCE = (
    (ONE, Budget(operators=1, switches=1), (), 300),
    (ONE, Budget(watchdogs=1, switches=1), (), 100),
    (ONE, Budget(crashes=1), (), 20),
    (ONE, Budget(losses=1), (), 20),
    (ONE, Budget(edits=1), (*TOUCHED, *ENDS), 100),
    (ONE, Budget(refusals=1), (), 20),
    (ONE, Budget(freezes=1), (), 1_000),
    (ONE, Budget(edits=1), DOUBTED, 20),
    (ONE, Budget(edits=1), FORGED, 15),
    (TWO, Budget(), (), 1),
    (APART, Budget(), (), 1),
)
QUICK = (
    (ONE, Budget(operators=1, switches=1), (), 300),
    (ONE, Budget(watchdogs=1, switches=1), (), 100),
    (ONE, Budget(crashes=2), (), 100),
    (ONE, Budget(losses=2), (), 200),
    (ONE, Budget(edits=1), (*TOUCHED, *ENDS), 100),
    (ONE, Budget(crashes=1, edits=1), ("x is repaired", "x is replaced"), 100),
    (ONE, Budget(refusals=1, edits=1), ENDS[:1], 100),
    (ONE, Budget(freezes=1), (), 1_000),
    (ONE, Budget(edits=1, crashes=1), DOUBTED, 300),
    (ONE, Budget(edits=1, crashes=1), FORGED, 100),
    (TWO, Budget(crashes=1), (), 40),
    (APART, Budget(switches=1), (), 40),
)
DEEP = (
    (ONE, Budget(operators=1, switches=1, edits=1), (*TOUCHED, *ENDS), 100_000),
    (ONE, Budget(operators=1, switches=3), (), 50_000),
    (ONE, Budget(operators=1, switches=1, crashes=1), (), 10_000),
    (ONE, Budget(watchdogs=1, switches=1, edits=1), (*TOUCHED, *ENDS), 20_000),
    (ONE, Budget(crashes=1, edits=1, losses=1), (*TOUCHED, *ENDS), 10_000),
    (TWO, Budget(switches=1, edits=1), ON_TWO, 5_000),
    (TWO, Budget(crashes=1, edits=1), ON_TWO, 5_000),
    (TWO, Budget(switches=1, crashes=1), (), 1_000),
    (TWO, Budget(switches=2), (), 1_000),
    (APART, Budget(switches=3), (), 20_000),
    (APART, Budget(switches=1, crashes=1), (), 2_000),
    (APART, Budget(switches=1, operators=1), (), 5_000),
    (ONE, Budget(freezes=1, edits=1), (*TOUCHED, *ENDS), 200_000),
    (ONE, Budget(refusals=2, edits=1), ENDS, 20_000),
    (ONE, Budget(freezes=1, crashes=1), (), 30_000),
    (ONE, Budget(freezes=1, watchdogs=1), (), 30_000),
    (ONE, Budget(edits=1, switches=1, operators=1), DOUBTED, 10_000),
    (ONE, Budget(edits=1, crashes=1, losses=1), FORGED, 1_000),
)
ROUNDS = DEEP if os.environ.get("KUBEDRILL_MODEL_DEPTH") == "deep" else QUICK if THOROUGH else AT_ONCE


def named(value: object) -> str | None:
    """Drills with their targets, and a budget, in words."""
    if isinstance(value, Budget):
        return ", ".join(f"{left} {what}" for what, left in value.items() if left)
    if isinstance(value, dict):
        return " ".join(f"{drill}({'+'.join(targets)})" for drill, targets in value.items())
    return ""


SHARED: Literal["module", "function"] = "module" if ROUNDS is AT_ONCE else "function"
"""The rounds of `make check` know what those before have judged; the deeper ones would take too much memory."""


@pytest.fixture(scope=SHARED, autouse=True)
def fresh() -> Iterator[None]:
    """The code is the same in all rounds, so their histories are."""
    with code_as_it_is():
        yield


@pytest.fixture(scope=SHARED)
def ends() -> Ends:
    return Ends()


@pytest.mark.parametrize(("drills", "budget", "edits", "at_least"), ROUNDS, ids=named)
def test_every_way_keeps_the_laws_and_a_stop_ends_it_well(ends, drills, budget, edits, at_least):
    explored = explore(beginning_of(drills, budget, edits), ends)

    print(f"\n{named(drills)}, {named(budget)}: {explored}")  # noqa: T201  how deep it was is the result
    assert explored.schedules >= at_least

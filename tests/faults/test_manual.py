"""manual: the facilitator's word, and nothing else, is its effect."""

from __future__ import annotations

import pytest
from tests.faults.builders import fact, injected, second, seen

from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.undo.operations import Ask
from kubedrill.plugins.faults.manual import Manual, describe, effect, plan

UNPLUG = Manual(do="unplug rack 3", undo="plug it in again")


def test_the_facilitator_is_asked_to_do_it_and_to_undo_it():
    assert plan(UNPLUG, seen()).operations == (Ask("unplug rack 3", "plug it in again"),)


def test_it_bit_with_the_first_word_that_it_is_done():
    words = [fact(FactKind.CONFIRMED, second(at), fault="rack", step="Do") for at in (9, 7)]
    bite = effect("rack", UNPLUG, [injected("rack"), *words])
    assert (bite.complete, bite.at) == (True, second(7))


@pytest.mark.parametrize(("fault", "step"), [("other", "Do"), ("rack", "Undo")])
def test_a_word_about_something_else_is_not_it(fault, step):
    assert not effect("rack", UNPLUG, [fact(FactKind.CONFIRMED, second(7), fault=fault, step=step)]).complete


def test_it_is_described_in_both_directions():
    assert describe(UNPLUG, plan(UNPLUG, seen())) == (
        "manual: the facilitator is asked to: unplug rack 3",
        "and later to: plug it in again",
    )

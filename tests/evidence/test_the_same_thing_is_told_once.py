"""What is seen again after a gap has the same id and another receipt: it is the same thing, and told once."""

from __future__ import annotations

from datetime import timedelta

from tests.machine.world import START, drill_plan, fact

from kubedrill.controller.gathering.known_facts import KnownFacts
from kubedrill.core.evidence.facts import FactKind

WORD = fact(FactKind.NOTED, START, "action/1", message="one of three left")
AGAIN = fact(FactKind.NOTED, START + timedelta(seconds=2), "action/1", message="one of three left")


def test_what_is_stored_is_not_told_again_when_it_is_listed_again():
    assert KnownFacts().of(frozenset({WORD}), [AGAIN], START, drill_plan()) == frozenset({WORD})


def test_what_is_seen_twice_before_it_is_stored_is_told_once():
    assert len(KnownFacts().of(frozenset(), [WORD, AGAIN], START, drill_plan())) == 1

"""Whose word counts for what: nobody is credited by their own word, and one engages as what one plays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.signals.builders import PLAYERS, between, change

from kubedrill.core.evidence.attribution import OF_PEOPLE
from kubedrill.core.evidence.facts import Fact, FactKind, Source
from kubedrill.core.evidence.matching import matched
from kubedrill.core.evidence.testimony import counted

ALICE, TOM, FAY = "alice@example.com", "tom@example.com", "fay@example.com"


def by_id(facts, fact_id: str) -> Fact:
    return next(f for f in facts if f.id == fact_id)


def entered(kind: FactKind, user: str, actor: str = "", **detail: Any) -> Fact:
    """What the facilitator's verbs leave, whoever used them."""
    return Fact(kind, between(5, 5), Source.OBSERVER, "action/1", actor, f"{user} entered it", {"user": user, **detail})


def attributed(user: str, to: str) -> Fact:
    return entered(FactKind.ATTRIBUTED, user, fact="interference/Deployment/worker@2", to=to)


def engaged(actor: str, level: str = "", source: Source = Source.PLAYER_ACTION) -> Fact:
    detail = {"level": level} if level else {}
    return Fact(FactKind.ESCALATION_ENGAGED, between(5, 5), source, "action/1", actor, f"{actor} said Engage", detail)


def test_somebody_else_attributes_a_change_to_a_player():
    assert by_id(matched([change(), attributed(FAY, "tom")], PLAYERS), "change/1").actor == "tom"
    assert by_id(matched([change(), attributed(ALICE, "tom")], PLAYERS), "change/1").actor == "tom"


def test_whoever_is_credited_does_not_attribute_to_themselves():
    facts = matched([change(), attributed(TOM, "tom")], PLAYERS)
    assert by_id(facts, "change/1").actor == ""
    assert [f.id for f in facts if f.kind is FactKind.INTERFERENCE] == ["interference/Deployment/worker@2"]
    word = by_id(facts, "action/1")
    assert (word.kind, word.actor) == (FactKind.NOTED, "tom")
    assert word.evidence == "tom@example.com entered it. It does not count: nobody is credited by their own word"


def test_what_an_older_version_stored_of_an_attribution_says_not_who_said_it_and_counts():
    older = replace(attributed(TOM, "tom"), detail={"fact": "interference/Deployment/worker@2", "to": "tom"})
    assert by_id(matched([change(), older], PLAYERS), "change/1").actor == "tom"


@pytest.mark.parametrize("kind", sorted({*OF_PEOPLE, FactKind.STEADY_AGAIN, FactKind.IMPACT_FALLING}))
def test_a_player_observes_nothing_that_they_did_themselves_or_that_nobody_is_named_for(kind):
    counts = {
        (user, actor): by_id(counted([entered(kind, user, actor)], PLAYERS), "action/1").kind is kind
        for user in (TOM, FAY)
        for actor in ("tom", "alice", "")
    }
    assert {who for who, does in counts.items() if not does} == {(TOM, "tom"), (TOM, "")}


@pytest.mark.parametrize("kind", [FactKind.CONFIRMED, FactKind.HINT_GIVEN])
def test_a_fault_that_is_undone_by_hand_is_undone_whoever_says_so(kind):
    word = entered(kind, TOM)
    assert set(counted([word], PLAYERS)) == {word}


def test_f9_one_engages_for_ones_own_role():
    word = by_id(counted([engaged("alice", "L2")], PLAYERS), "action/1")
    assert (word.kind, word.actor) == (FactKind.NOTED, "alice")
    assert word.evidence == (
        "alice said Engage. It does not count as L2: alice plays L1, and one engages for one's own role"
    )


@pytest.mark.parametrize("level", ["", "L1", "l1", " L1 "])
def test_whoever_engages_as_what_they_play_is_there(level):
    word = engaged("alice", level)
    assert set(counted([word], PLAYERS)) == {word}


def test_somebody_who_joined_as_another_level_is_entered_by_the_facilitator():
    word = entered(FactKind.ESCALATION_ENGAGED, FAY, "alice", level="L2")
    assert set(counted([word], PLAYERS)) == {word}


def test_facts_of_machines_are_nobodys_word():
    seen = {
        change(),
        Fact(FactKind.ALERT_FIRING, between(0, 0), Source.PROMETHEUS, "a", detail={"user": TOM}),
        Fact(FactKind.ACKNOWLEDGED, between(0, 0), Source.PLAYER_ACTION, "b", "tom", detail={"user": TOM}),
    }
    assert set(counted(seen, PLAYERS)) == seen


def test_it_is_the_same_at_every_turn():
    once = matched([change(), attributed(TOM, "tom"), engaged("alice", "L2")], PLAYERS)
    assert matched(once, PLAYERS) == once
    assert timedelta(0) == by_id(once, "action/1").at.width

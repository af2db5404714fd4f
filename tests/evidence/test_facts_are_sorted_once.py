"""Thousands of facts cost a turn nothing while there is no new one, and are told as if they were sorted each time."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.measure.builders import T0, alert, changed, drill_plan, fact, injected, state

from kubedrill.controller.gathering.known_facts import KnownFacts
from kubedrill.core.evidence.attribution import since_start
from kubedrill.core.evidence.facts import Fact, FactKind, FactSet, Interval, Source, first, in_order
from kubedrill.core.evidence.matching import matched
from kubedrill.core.measure.milestones import milestones

KINDS = (
    FactKind.FAULT_INJECTED,
    FactKind.ALERT_FIRING,
    FactKind.ALERT_RESOLVED,
    FactKind.ACKNOWLEDGED,
    FactKind.FIX_APPLIED,
    FactKind.MITIGATED_DECLARED,
)
CHANGE = changed(20, change="c", field="limits.memory")
ORDINARY = frozenset([injected(), state(0, 4), state(10, 5), alert(FactKind.ALERT_FIRING, 0), CHANGE])
PLAN = drill_plan()


@st.composite
def some_facts(draw: st.DrawFn) -> list[Fact]:
    found = []
    for number, (kind, begin, width, by) in enumerate(
        draw(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(-50, 50), st.integers(0, 9), st.integers(0, 2))))
    ):
        at = Interval(T0 + timedelta(seconds=begin), T0 + timedelta(seconds=begin + width))
        actor = ("", "alice", "emma")[by]
        found.append(Fact(kind, at, Source.PROMETHEUS, f"{number}", actor, "seen", {"alert": "HighQueueDepth"}))
    return found


@given(some_facts(), st.lists(st.sampled_from(KINDS), unique=True))
def test_by_kind_they_are_what_they_are_in_any_list(facts, kinds):
    known = FactSet(facts)
    assert in_order(known, *kinds) == in_order(facts, *kinds)
    assert first(known, *kinds) == first(facts, *kinds)


@given(some_facts())
def test_milestones_are_the_same_however_facts_are_given(facts):
    now = T0 + timedelta(minutes=5)
    known = FactSet(facts)
    told = [milestones(given_so, {}, PLAN, now) for given_so in (facts, reversed(facts), known, known)]
    assert told[0] == told[1] == told[2] == told[3]


def test_a_turn_without_a_new_fact_is_told_the_very_same_ones():
    known = KnownFacts()
    new = fact(FactKind.NOTED, 30, by="emma")
    facts = known.of(ORDINARY, [new, *ORDINARY], T0, PLAN)
    assert known.of(ORDINARY, [new], T0, PLAN) is facts


def test_a_new_fact_and_what_is_stored_anew_are_matched_with_all_others():
    known = KnownFacts()
    known.of(ORDINARY, (), T0, PLAN)
    word = fact(FactKind.FIX_APPLIED, 21, by="emma")
    for stored, seen in ((ORDINARY, [word]), (ORDINARY | {word}, [])):
        expected = matched(since_start(ORDINARY | {word}, T0), PLAN.players, PLAN.subjects)
        told = known.of(frozenset(stored), seen, T0, PLAN)
        assert told == expected
        assert [f.actor for f in told if f.kind is FactKind.TARGET_CHANGED] == ["emma"]


def test_another_start_and_another_player_change_whose_doing_it_was():
    known = KnownFacts()
    assert len(known.of(ORDINARY, (), None, PLAN)) > len(known.of(ORDINARY, (), T0 + timedelta(seconds=30), PLAN))


def test_of_two_things_that_the_facilitator_said_of_a_change_the_later_counts():
    spoken = ((40, "tom"), (50, "emma"), (30, "alice"))
    said = [fact(FactKind.ATTRIBUTED, at, fact=CHANGE.id, to=player) for at, player in spoken]
    (one,) = (f for f in matched([CHANGE, *said], PLAN.players) if f.kind is FactKind.TARGET_CHANGED)
    assert one.actor == "emma"

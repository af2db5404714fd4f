"""A drill that began with the alert says which of its faults were never seen to have all of their effect."""

from __future__ import annotations

from tests.measure.builders import alert, at, bitten, drill_plan, fact, injected

from kubedrill.core.evidence.facts import Fact, FactKind, Source
from kubedrill.core.findings.rules import findings
from kubedrill.core.measure.milestones import milestones

PLAN, FIRED = drill_plan(), alert(FactKind.ALERT_FIRING, 0)


def found(*facts: Fact, unread: bool = False) -> dict[str, str]:
    reached = milestones(facts, {}, PLAN, at(600))
    return {f.rule: f.text for f in findings(facts, reached, (), PLAN, unread=unread)}


def test_a_fault_of_which_only_a_part_was_seen_is_named():
    assert "Not all of the effect of limit was seen" in found(injected(), FIRED)["part-of-the-effect"]


def test_one_of_two_faults_that_never_bit_is_named():
    other = fact(FactKind.FAULT_INJECTED, -60, source=Source.OPERATOR, fault="quota")
    assert "the effect of quota was seen" in found(injected(), other, bitten(), FIRED)["part-of-the-effect"]


def test_an_effect_that_was_seen_whole_after_the_alert_is_whole():
    assert "part-of-the-effect" not in found(injected(), FIRED, bitten(20))


def test_a_drill_without_an_alert_says_so_elsewhere():
    assert "part-of-the-effect" not in found(injected())


def test_a_transcript_that_names_no_fault_is_taken_at_its_word():
    told = fact(FactKind.FAULT_EFFECTIVE, -40, source=Source.TRANSCRIPT)
    assert "part-of-the-effect" not in found(injected(), told, FIRED)


def test_what_can_not_be_read_may_have_shown_it():
    assert "part-of-the-effect" not in found(injected(), FIRED, unread=True)

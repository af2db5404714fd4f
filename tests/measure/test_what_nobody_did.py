"""A drill in which nobody acted has findings, and nobody is praised who did nothing."""

from __future__ import annotations

from typing import Any

from tests.measure.builders import alert, at, changed, drill_plan, fact, limit, scaled

from kubedrill.core.evidence.facts import Fact, FactKind, Source
from kubedrill.core.measure.assessment import assess
from kubedrill.core.measure.results import Finding, Severity

PAGED = fact(FactKind.PAGE_SENT, 1, source=Source.WEBHOOK, alert="HighQueueDepth", fact_id="page")


def found(*facts: Fact, ended: float = 400, **design: Any) -> dict[str, Finding]:
    plan = drill_plan(limit(), limit("mitigation", "Mitigated", 350), **design)
    so_far = assess(plan, (alert(FactKind.ALERT_FIRING, 0), *facts), {}, now=at(ended), ended=at(ended))
    return {f.rule: f for f in so_far.findings}


def test_that_nobody_acted_is_the_finding_that_makes_a_team_not_ready():
    told = found(PAGED)["nobody-acted"]
    assert told.severity is Severity.CRITICAL
    assert "check that it reaches alice, emma, tom" in told.text


def test_where_no_page_went_out_the_page_comes_before_the_people():
    told = found()["nobody-acted"]
    assert told.severity is Severity.IMPORTANT
    assert "No page was seen to go out" in told.text


def test_a_drill_that_ended_before_any_limit_was_up_shows_nothing_of_anybody():
    assert "nobody-acted" not in found(PAGED, ended=100)


def test_whoever_said_a_word_acted():
    assert "nobody-acted" not in found(PAGED, fact(FactKind.NOTED, 10, by="alice"))


def test_an_unattributed_change_leaves_it_open_who_acted():
    strange = fact(FactKind.INTERFERENCE, 20, source=Source.TARGET_WATCH, who="somebody", target="Deployment/worker")
    told = found(PAGED, strange)["nobody-acted"]
    assert "No player is known to have acted" in told.title
    assert "kubectl drill attribute" in told.text


def test_that_somebody_fixed_it_and_nobody_acknowledged_is_a_finding():
    told = found(changed(60, by="tom"))
    assert "nobody-acted" not in told
    assert "tom was at work at T+1m" in told["nobody-acknowledged"].text


def test_nothing_is_said_of_nobody_while_evidence_can_not_be_read():
    plan = drill_plan(limit())
    so_far = assess(plan, (alert(FactKind.ALERT_FIRING, 0),), {}, now=at(400), ended=at(400), unread=("a segment",))
    assert {f.rule for f in so_far.findings} == set()


def test_what_came_by_itself_is_nobodys_strength():
    plan = drill_plan(limit("resolution", "Recovered", 300, anyone=True))
    well = fact(FactKind.STEADY_AGAIN, 30, source=Source.PROMETHEUS)
    so_far = assess(plan, (alert(FactKind.ALERT_FIRING, 0), well), {}, now=at(400), ended=at(400))
    assert str(so_far.objectives[0].verdict) == "Met"
    assert "well-within-the-limits" not in {f.rule for f in so_far.findings}


def test_what_was_scaled_back_late_is_told_as_late_and_what_never_was_as_left_over():
    well = fact(FactKind.STEADY_AGAIN, 100, source=Source.PROMETHEUS)
    late = found(scaled(50, "alice"), scaled(200, "alice", 10, 5), well)["leftovers-of-players"]
    never = found(scaled(50, "alice"), well)["leftovers-of-players"]
    assert late.title == "Scaled back late"
    assert "stayed at 10 replicas instead of 5 to the end of play, after it had recovered at" in never.text

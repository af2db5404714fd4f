"""A page that was held back, late, or from before is the monitoring's doing, and held against nobody."""

from __future__ import annotations

from nightly.cases.conftest import of
from nightly.cases.field import Outcome
from tests.shapes.judge import instant


@of("fc-b13a")
def test_b13a_an_inhibited_page_is_named_with_what_inhibits_it(told: Outcome):
    assert "FcWarn is inhibited by NodeDown" in told.message
    assert told.verdict == "Error"


@of("fc-b13b")
def test_b13b_a_silenced_page_is_named_with_its_silence(told: Outcome):
    assert "FcSilenced is silenced by" in told.message
    assert told.verdict == "Error"


@of("fc-b13c")
def test_b13c_a_muted_page_is_a_finding_and_nobodys_miss(told: Outcome):
    assert "nobody was paged" in told.said_by_rule["nobody-was-paged"]
    assert "always" in told.said_by_rule["nobody-was-paged"]
    assert told.objectives["detection"] == "Indeterminate", told.objective("detection")
    assert told.verdict == "Inconclusive"


@of("fc-b14")
def test_b14_what_the_page_took_is_not_the_on_calls_time(told: Outcome):
    detection = told.objective("detection")
    assert detection["verdict"] == "Met", detection
    assert "the monitoring's time" in detection["reason"]
    assert "group_wait" in told.said_by_rule["page-came-late"]


@of("fc-b15")
def test_b15_a_firing_from_before_the_drill_is_not_its_beginning(told: Outcome):
    fired, injected = told.milestones["AlertFired"], told.milestones["Injected"]
    assert instant(fired["notBefore"]) >= instant(injected["notBefore"])
    assert told.objectives["detection"] == "Met"

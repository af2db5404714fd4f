"""What can't be judged is refused before anything is touched, in words that say what to set."""

from __future__ import annotations

from nightly.cases.conftest import of
from nightly.cases.courses import planned
from nightly.cases.field import Outcome


@of("fc-b1")
def test_b1_within_that_is_left_out_is_longer_than_the_rule_waits(told: Outcome):
    assert told.status["phase"] == "Held"
    assert "FcSlow must fire within 20m" in " ".join(told.status["derived"])
    assert "waits 15m before it fires (for)" in planned("fc-b1")


@of("fc-b1-small")
def test_b1_within_that_is_shorter_than_the_rule_waits_is_refused(told: Outcome):
    assert not told.was_touched
    assert told.exit_code == 3
    assert "FcSlowish fires 1m30s after its condition at the earliest (for)" in told.message
    assert "so it can't fire within 1m (12m in the scenario)" in told.message


@of("fc-b4")
def test_b4_a_namespace_in_another_label_is_named_before_anything_is_touched(told: Outcome):
    assert not told.was_touched
    assert "The rule names the namespace in the label exported_namespace" in told.message
    assert "set labels.namespace to exported_namespace in a DrillEnvironment" in told.message


@of("fc-b4-impact")
def test_b4_an_alert_that_fired_about_fc_mon_is_not_said_to_be_silent(told: Outcome):
    judged = told.objective("alert-FcExported")
    assert judged["verdict"] == "Indeterminate"
    assert "exported_namespace" in judged["reason"]
    assert "alert-about-something-else" in told.said_by_rule
    assert "did not fire" not in told.watched
    assert told.verdict == "Inconclusive"


@of("fc-b8")
def test_b8_an_alert_that_is_pending_already_is_waited_for_and_refused(told: Outcome):
    assert not told.was_touched
    assert any("FcPending is pending already" in said for said in told.seen["said"]), told.seen
    assert told.exit_code == 3


@of("fc-b10")
def test_b10_an_alert_may_be_called_by_a_sentence(told: Outcome):
    assert told.status["phase"] == "Held"

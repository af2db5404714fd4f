"""What the two teams get, and why."""

from __future__ import annotations

from tests.e2e.rush.conftest import Ran

SEVEN = {
    "detection",
    "severity",
    "escalation-l2",
    "escalation-engineering",
    "client-notification",
    "mitigation",
    "resolution",
}


def test_the_team_that_scales_first_meets_six_of_seven(rush: Ran):
    verdicts = {name: v for name, v in rush.verdicts().items() if name in SEVEN}
    assert verdicts == dict.fromkeys(SEVEN, "Met") | {"mitigation": "Missed"}
    assert rush.drill["status"]["verdict"] == "Failed"


def test_the_audit_log_shows_that_they_scaled_before_diagnosing(rush: Ran):
    assert "scaled-before-diagnosing" in rush.findings()


def test_the_client_told_them_first(rush: Ran):
    assert "client-told-us-first" in rush.findings()


def test_a_players_word_to_the_client_counts_as_declared(rush: Ran):
    notified = next(o for o in rush.report["objectives"] if o["name"] == "client-notification")
    assert notified["declared"] is True


def test_the_team_that_looks_first_passes_seven_of_seven(better: Ran):
    assert better.code == 0, better.output
    verdicts = {name: v for name, v in better.verdicts().items() if name in SEVEN}
    assert verdicts == dict.fromkeys(SEVEN, "Met")
    assert better.drill["status"]["verdict"] == "Passed"
    assert "scaled-before-diagnosing" not in better.findings()

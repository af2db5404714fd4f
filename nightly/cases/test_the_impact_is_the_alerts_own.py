"""What is measured is what the alert is about, in this namespace: its fall is the players', and nobody else's."""

from __future__ import annotations

from nightly.cases.conftest import Played, each, of
from nightly.cases.field import Outcome
from tests.shapes.judge import instant

FIXED = ("fc-b2", "fc-b2b", "fc-b3", "fc-b4-labels", "fc-b6")


@of("fc-b2")
def test_b2_the_injection_under_a_lower_bound_is_no_mitigation(told: Outcome):
    assert "Mitigated" not in {one["name"] for one in told.seen["before"]["milestones"]}


@each(*FIXED)
def test_b2_b3_b4_b6_what_alice_repaired_is_mitigated_by_her_and_over_in_time(name: str, played: Played):
    told = played[name].result()
    mitigated, fired = told.milestones["Mitigated"], told.milestones["AlertFired"]
    assert mitigated["actor"] == "alice"
    assert instant(mitigated["notBefore"]) >= instant(fired["notBefore"])
    assert told.objectives["mitigation"] == "Met", told.objective("mitigation")
    assert "Recovered" in told.milestones
    assert told.verdict == "Passed", told.message


@of("fc-b16")
def test_b16_another_teams_recovery_is_not_credited_to_alice(told: Outcome):
    assert "Mitigated" not in told.milestones
    assert "Recovered" not in told.milestones
    assert told.objectives["mitigation"] == "Missed", told.objective("mitigation")
    assert told.verdict == "Failed"

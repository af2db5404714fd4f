"""A fault that hurt nothing of its target had no effect, whatever dies beside it."""

from __future__ import annotations

from nightly.cases.conftest import of
from nightly.cases.field import Outcome


@of("fc-c10")
def test_c10_a_neighbours_death_is_no_effect_and_the_drill_says_why_there_was_none(told: Outcome):
    effect = told.milestones.get("FaultEffective", {})  # a rule of two seconds may fire for the rollout itself
    assert "api-db" not in told.message + effect.get("evidence", "")
    assert told.verdict == "Error"
    assert "no effect" in told.message.lower()

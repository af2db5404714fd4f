"""Status and report give one score (review proof 5: the status left out what makes a team not ready)."""

from __future__ import annotations

from dataclasses import replace

from tests.machine.world import fact, world_in

from kubedrill.api.drill import Desired
from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.status import project
from kubedrill.core.measure.score import score_line


def test_an_all_clear_that_came_too_early_makes_the_score_not_ready_in_the_status_too():
    world = world_in(Phase.IN_PLAY)
    world.facts["fired"] = fact(FactKind.ALERT_FIRING, world.now, "fired", alert="Errors")
    world.facts["clear"] = replace(fact(FactKind.ALL_CLEAR_SENT, world.now, "clear"), actor="alice")

    decision = world.run(desired=Desired.STOP)

    told = project(decision, world.look(desired=Desired.STOP), {})["score"]
    assert "not ready" in told
    assert told == score_line(decision.assessment.objectives, decision.assessment.findings)

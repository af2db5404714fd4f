"""T+0 is one instant for status, clock, findings and reports: the middle of what is known of the alert."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.machine.world import world_in

from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.status import project

SECOND = timedelta(seconds=1)


def test_the_clock_starts_in_the_middle_of_the_alerts_bounds_and_never_runs_backwards():
    world = world_in(Phase.ARMED)
    world.now += 10 * SECOND
    fired = Interval(world.now, world.now + 2 * SECOND)
    labels = {"alert": "Errors", "labels": {}}
    world.facts["fired"] = Fact(FactKind.ALERT_FIRING, fired, Source.PROMETHEUS, "fired", detail=labels)

    decision = world.turn()
    status = project(decision, world.look(), {})

    assert datetime.fromisoformat(status["clockStartTime"]) == fired.middle
    assert status["clock"] == "T+0s"

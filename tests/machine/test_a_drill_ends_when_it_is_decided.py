"""With all limits up and nobody at it the fault comes out; where one waits, the time left is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.machine.world import World, drill_plan, fact

from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.status import project
from kubedrill.core.plan.drill_plan import DrillPlan, InjectAt

MINUTE = timedelta(minutes=1)
DESIGN = drill_plan()
"""Detection 5 min, client 30 min, mitigation 20 min, resolution 60 min; recovery 15 min, wrap-up 10 min."""


class Playing:
    """A drill whose alert has fired just now, and what is done in it."""

    def __init__(self, design: DrillPlan = DESIGN) -> None:
        self.world, self.design = World(), design
        self.world.run(3)
        self.world.bite()
        self.turn()
        self.fired = self.world.now
        self.sees(FactKind.ALERT_FIRING, alert="Errors")
        self.turn()

    def sees(self, kind: FactKind, by: str = "", **detail: object) -> None:
        told = fact(kind, self.world.now, f"{kind}/{len(self.world.facts)}", **detail)
        self.world.facts[told.id] = replace(told, actor=by)

    def turn(self) -> Phase:
        return self.world.turn(drill_plan=self.design).state.phase

    def at(self, minutes: float) -> Phase:
        self.world.now = self.fired + minutes * MINUTE
        return self.turn()

    def until_it_ends(self, most: int = 120) -> float:
        """Minutes after T+0 at which play ends."""
        for minute in range(1, most):
            if self.at(minute) is not Phase.IN_PLAY:
                return minute
        raise AssertionError("it goes on")

    @property
    def next(self) -> str:
        seen = self.world.look(drill_plan=self.design)
        return str(project(self.world.turn(drill_plan=self.design), seen, {})["next"])


def test_with_all_limits_up_and_nobody_acting_the_fault_is_taken_out():
    """It stayed until maxDuration: 98 minutes at pace 1, thirteen at pace 12."""
    drill = Playing()
    assert 60 < drill.until_it_ends() <= 62
    ending = drill.world.stored.ending
    assert ending is not None
    assert (ending.reason, ending.verdict) == ("Decided", None)
    assert ending.message == "every limit is met or up, and nobody has acted"
    drill.world.run(8, drill_plan=DESIGN)
    assert not drill.world.on
    assert drill.world.stored.phase is Phase.COMPLETED


ACTS = {
    "a player's word": (FactKind.NOTED, "alice", {}),
    "a player's change": (FactKind.TARGET_CHANGED, "alice", {"target": "Deployment/limit", "path": "/x"}),
    "somebody's change": (FactKind.INTERFERENCE, "", {"target": "Deployment/limit"}),
    "the facilitator's hint": (FactKind.HINT_GIVEN, "", {}),
}


@pytest.mark.parametrize("act", ACTS)
def test_whoever_is_still_at_it_is_given_the_time_to_recover_and_wrap_up(act):
    kind, by, detail = ACTS[act]
    drill = Playing()
    drill.at(55)
    drill.sees(kind, by, **detail)
    assert drill.until_it_ends() == 81
    assert drill.world.stored.ending is not None
    assert drill.world.stored.ending.message.endswith("nobody has acted for 25m")


def test_the_wrap_up_says_how_long_it_stays_open():
    drill = Playing(replace(DESIGN, wrap_up=30 * MINUTE))
    drill.at(40)
    drill.sees(FactKind.NOTED, "alice")
    assert drill.until_it_ends() == 86


def test_what_the_autoscaler_does_keeps_no_drill_open():
    drill = Playing()
    drill.at(55)
    drill.sees(FactKind.SCALED, by="", target="Deployment/limit", before=1, after=2)
    known = drill.world.facts
    scaled = next(f for f in known.values() if f.kind is FactKind.SCALED)
    known[scaled.id] = replace(scaled, detail={**scaled.detail, "by": "Automation"})
    assert drill.until_it_ends() <= 62


def test_an_inject_that_is_still_to_come_is_waited_for():
    late = InjectAt("complaint", 80 * MINUTE, "Client", "client", "where are my tickets?")
    assert Playing(replace(DESIGN, injects=(late,))).until_it_ends() == 81


def test_no_limit_is_cut_short():
    drill = Playing()
    assert drill.at(59) is Phase.IN_PLAY


def test_before_the_alert_nothing_is_decided():
    world = World()
    world.run(3)
    world.bite()
    world.run(1)
    world.now += 5 * MINUTE
    assert world.turn().state.phase is Phase.IN_PLAY


# the time left, where one waits


def waiting(phase: Phase) -> str:
    world = World()
    world.run(3)
    if phase is Phase.IN_PLAY:
        world.bite()
        world.turn()
    return str(project(world.turn(), world.look(), {})["next"])


def test_the_time_left_for_the_effect_is_told():
    assert waiting(Phase.ARMED) == "effect due in 3m"


def test_the_time_left_for_the_alert_is_told():
    assert waiting(Phase.IN_PLAY) == "Errors due in 10m"


def test_the_time_left_for_a_limit_is_told():
    assert Playing().next == "detection in 5m"


def recovering(minutes: float) -> Playing:
    """The fix was made a minute after the alert, which ended a minute later."""
    drill = Playing()
    drill.at(1)
    drill.sees(FactKind.TARGET_CHANGED, "alice", target="Deployment/limit", path=LIMIT)
    drill.sees(FactKind.WORKLOAD_STATE, target="Deployment/limit", ready=1, desired=1, unready=0, killed=0)
    drill.at(2)
    over = Fact(
        FactKind.ALERT_RESOLVED, Interval.at(drill.world.now), Source.OPERATOR, "over", detail={"alert": "Errors"}
    )
    drill.world.facts["over"] = over
    drill.at(minutes)
    return drill


LIMIT = "/spec/template/spec/containers/0/resources/limits/memory"


def test_the_time_left_until_the_recovery_is_confirmed_is_told():
    assert recovering(4).next.split("; ")[-1] == "recovery is confirmed in 13m if all stays well"


def test_the_time_left_to_wrap_up_is_told():
    assert recovering(20).next.split("; ")[-1] == "wrap-up ends in 7m"


def test_the_time_left_while_nobody_acts_is_told():
    drill = Playing()
    drill.at(50)
    drill.sees(FactKind.NOTED, "alice")
    drill.at(62)
    assert drill.next == "drill ends in 13m if nobody acts"


def test_once_the_clock_runs_the_time_left_is_scenario_time():
    paced = Playing(replace(DESIGN, pace=12))
    paced.at(50)
    paced.sees(FactKind.NOTED, "alice")
    paced.at(62)
    assert paced.next == "drill ends in 2h36m if nobody acts"

"""A fault that hurts fewer pods than announced is restored before its rollout goes on to others (decision 13)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.machine.world import World, drill_plan, world_in

from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.reducer import Decision
from kubedrill.core.machine.state import EffectSoFar, RecordSeen
from kubedrill.core.plan.drill_plan import RuleTiming

HALF = {"limit": EffectSoFar("1 of 2 pods of Deployment/limit OOM-killed", some=True)}
NOT_YET, OVERDUE = timedelta(minutes=1), timedelta(minutes=4)


def turn(world: World, after: timedelta, *, held: bool = True, taken_out: bool = False) -> Decision:
    """A turn so long after the one before; whether the fault holds its target's rollout, and is still in."""
    world.now += after
    record = RecordSeen("undo-limit", "Injected", ("limit",), "Deployment/limit", held=held, taken_out=taken_out)
    return world.turn(effects=HALF, records=(record,))


def monitored(world: World, kind: FactKind) -> None:
    alert = drill_plan().clock_alert
    told = {"alert": alert, "labels": {}}
    found = Fact(kind, Interval.at(world.now), Source.PROMETHEUS, f"{kind}/{alert}", detail=told)
    world.facts[found.id] = found


def played() -> World:
    """Play began with the alert, and one of two pods was hurt."""
    world = world_in(Phase.ARMED)
    world.now += timedelta(seconds=10)
    monitored(world, FactKind.ALERT_FIRING)
    assert turn(world, timedelta(0)).state.phase is Phase.IN_PLAY
    return world


def test_it_is_played_for_as_long_as_the_rollout_is_held():
    assert turn(played(), NOT_YET).state.phase is Phase.IN_PLAY


def test_when_the_effect_is_overdue_it_is_restored_and_the_drill_judged_by_what_was_seen():
    decision = turn(played(), OVERDUE)

    assert decision.state.phase is Phase.RECOVERING
    ending = decision.state.ending
    assert ending is not None
    assert (ending.reason, ending.verdict) == ("RolloutNotHeldLonger", None)
    assert ending.message.startswith(
        "not all of the effect was seen: limit (1 of 2 pods of Deployment/limit OOM-killed); it would soon touch more"
    )


def test_a_fault_that_holds_no_rollout_is_played_on():
    assert turn(played(), OVERDUE, held=False).state.phase is Phase.IN_PLAY


def test_one_that_somebody_took_out_touches_nothing_more():
    assert turn(played(), OVERDUE, taken_out=True).state.phase is Phase.IN_PLAY


def test_one_that_had_its_whole_effect_goes_no_further_by_itself():
    world = played()
    world.bite()
    assert turn(world, OVERDUE).state.phase is Phase.IN_PLAY


def test_a_pending_alert_is_not_waited_for_beyond_that():
    for held, phase in ((True, Phase.RECOVERING), (False, Phase.ARMED)):
        world = world_in(Phase.ARMED)
        world.now += timedelta(seconds=10)
        monitored(world, FactKind.ALERT_PENDING)
        slow = replace(drill_plan().alerts[0], timing=RuleTiming(waits=timedelta(minutes=10)))
        world.now += OVERDUE
        record = RecordSeen("undo-limit", "Injected", ("limit",), "Deployment/limit", held=held)
        design = replace(drill_plan(), alerts=(slow,))
        assert world.turn(effects=HALF, records=(record,), drill_plan=design).state.phase is phase

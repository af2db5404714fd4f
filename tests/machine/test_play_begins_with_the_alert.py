"""Play begins once the fault was seen to bite: by its own whole effect or by the alert about it, whichever is first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.machine.world import World, drill_plan, fact, world_in

from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.reducer import Decision
from kubedrill.core.machine.state import EffectSoFar
from kubedrill.core.machine.status import project
from kubedrill.core.measure.results import Milestone, MilestoneName, Verdict
from kubedrill.core.plan.drill_plan import DrillPlan, RuleTiming

MEMORY = "/spec/template/spec/containers/0/resources/limits/memory"
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HALF = {"limit": EffectSoFar("1 of 2 pods of Deployment/limit OOM-killed", some=True)}
NONE = {"limit": EffectSoFar("0 of 2 pods of Deployment/limit OOM-killed", some=False)}


def fires(world: World, alert: str = "Errors", kind: FactKind = FactKind.ALERT_FIRING, after: float = 0) -> None:
    told = Fact(
        kind,
        Interval.at(world.now + after * SECOND),
        Source.PROMETHEUS,
        f"{kind}/{alert}/{after}",
        evidence=f"Prometheus: {alert}",
        detail={"alert": alert, "labels": {}},
    )
    world.facts[told.id] = told


def takes_out(world: World, by: str = "alice", fault: str = "limit", **detail: object) -> None:
    told = {"target": f"Deployment/{fault}", "path": MEMORY, "change": f"{fault}@1", "manager": "kubectl-set"} | detail
    found = fact(FactKind.TARGET_CHANGED, world.now, f"change/{fault}", **told)
    world.facts[found.id] = replace(found, actor=by, evidence=f"{fault}: memory 64Mi to 128Mi")


def later(world: World, **changes: object) -> Decision:
    """After the effect was due."""
    world.now += 4 * MINUTE
    return world.turn(**changes)


def reached(decision: Decision, name: MilestoneName) -> Milestone | None:
    return decision.assessment.milestone(name)


def waiting_rule(waits: timedelta, *faults: str) -> DrillPlan:
    design = drill_plan(faults or ("limit",))
    return replace(design, alerts=(replace(design.alerts[0], timing=RuleTiming(waits=waits)),))


def test_the_alert_about_it_is_the_effect_being_seen():
    world = world_in(Phase.ARMED)
    world.now += 10 * SECOND
    fires(world)

    decision = world.turn(effects=HALF)

    assert decision.state.phase is Phase.IN_PLAY
    (because,) = decision.passed
    assert because.reason == "AlertFired"
    assert "before all of the effect was seen: limit (1 of 2 pods of Deployment/limit OOM-killed)" in because.message


def test_a_fix_two_seconds_after_the_alert_is_a_fix_and_no_want_of_effect():
    world = world_in(Phase.ARMED)
    world.now += 10 * SECOND
    fires(world)
    world.now += 2 * SECOND
    takes_out(world)
    world.turn(effects=HALF)

    decision = later(world, effects=HALF)

    assert decision.state.phase is Phase.IN_PLAY
    fix = reached(decision, MilestoneName.FIX_APPLIED)
    assert fix is not None
    assert (fix.actor, fix.early) == ("alice", "")


def over_again(**changes: object) -> tuple[World, Decision]:
    """The alert fired for some seconds, and the effect is overdue."""
    world = world_in(Phase.ARMED)
    world.now += 10 * SECOND
    fires(world)
    assert world.turn(effects=NONE).state.phase is Phase.IN_PLAY
    world.now += 10 * SECOND
    fires(world, kind=FactKind.ALERT_RESOLVED)
    assert world.turn(effects=NONE).state.phase is Phase.IN_PLAY  # it may still bite
    return world, later(world, **{"effects": NONE, **changes})


def test_c10_an_alert_that_is_over_again_before_anything_bit_was_no_effect():
    _, decision = over_again(shortfalls={"limit": "container app uses 12Mi"})

    ending = decision.state.ending
    assert ending is not None
    assert (ending.reason, ending.verdict) == ("FaultNotEffective", Verdict.ERROR)
    assert ending.message.startswith("no effect seen: limit (container app uses 12Mi); Errors fired for a while")


def test_a_part_of_the_effect_is_played_on_although_the_alert_is_silent():
    _, decision = over_again(effects=HALF)

    assert decision.state.phase is Phase.IN_PLAY


def test_an_effect_of_which_nothing_is_known_is_not_said_to_be_none():
    _, decision = over_again(effects={})

    assert decision.state.phase is Phase.IN_PLAY


def test_an_alert_that_still_fires_is_played_on_although_nothing_bit():
    world = world_in(Phase.ARMED)
    fires(world)
    world.turn(effects=NONE)

    assert later(world, effects=NONE).state.phase is Phase.IN_PLAY


def all_ready(world: World, ready: int, desired: int = 3) -> None:
    told = {"target": "Deployment/limit", "ready": ready, "desired": desired, "unready": desired - ready, "killed": 0}
    found = fact(FactKind.WORKLOAD_STATE, world.now, f"state/{world.now}", **told)
    world.facts[found.id] = found


def test_an_alert_that_fires_although_all_pods_are_ready_is_about_the_rollout():
    """C10: pods that are ready and not yet available for long, because the fault's rollout is made to wait."""
    world = world_in(Phase.ARMED)
    fires(world)
    all_ready(world, 1)
    assert world.turn(effects=NONE).state.phase is Phase.IN_PLAY
    assert later(world, effects=NONE).state.phase is Phase.IN_PLAY

    all_ready(world, 3)
    assert world.turn(effects=NONE).state.phase is Phase.IN_PLAY
    world.now += drill_plan().recovered_window
    ending = world.turn(effects=NONE).state.ending

    assert ending is not None
    assert (ending.reason, ending.verdict) == ("FaultNotEffective", Verdict.ERROR)
    assert "Errors fires, and all pods were ready, before anybody changed the target" in ending.message
    assert reached(world.turn(effects=NONE), MilestoneName.FAULT_EFFECTIVE) is None  # that would say otherwise


def test_what_somebody_changed_meanwhile_is_played_on_although_nothing_bit():
    world = world_in(Phase.ARMED)
    fires(world)
    world.now += 2 * SECOND
    takes_out(world)
    world.turn(effects=NONE)
    fires(world, kind=FactKind.ALERT_RESOLVED)

    assert later(world, effects=NONE).state.phase is Phase.IN_PLAY


def test_the_effect_was_had_by_the_time_at_which_the_rule_began_to_wait():
    world = world_in(Phase.ARMED)
    injected = world.facts["injected/limit"].at
    world.now += 60 * SECOND
    fires(world)

    decision = world.turn(drill_plan=waiting_rule(20 * SECOND))

    effect = reached(decision, MilestoneName.FAULT_EFFECTIVE)
    assert effect is not None
    assert effect.at == Interval(injected.not_before, world.now - 20 * SECOND)
    assert "Errors fired about it" in effect.evidence


def test_an_effect_that_was_seen_whole_before_the_alert_is_told_as_it_was_seen():
    world = world_in(Phase.ARMED)
    world.now += 5 * SECOND
    world.bite()
    world.now += 5 * SECOND
    fires(world)

    effect = reached(world.turn(), MilestoneName.FAULT_EFFECTIVE)

    assert effect is not None
    assert effect.at == world.facts["effective/limit"].at


def test_what_is_seen_of_the_effect_after_the_alert_does_not_move_it():
    world = world_in(Phase.ARMED)
    fires(world, after=5)
    world.now += 30 * SECOND
    world.bite()

    effect = reached(world.turn(), MilestoneName.FAULT_EFFECTIVE)

    assert effect is not None
    assert effect.at.not_after <= world.facts["AlertFiring/Errors/5"].at.not_after


@pytest.mark.parametrize(
    "other",
    [
        {"alert": "Another"},
        {"kind": FactKind.ALERT_PENDING},
        {"kind": FactKind.ALERT_ELSEWHERE},
        {"after": -10},
    ],
    ids=["another alert", "it is pending", "about another namespace", "it fired before"],
)
def test_any_other_alert_shows_nothing(other: dict[str, object]):
    world = world_in(Phase.ARMED)
    fires(world, **other)  # type: ignore[arg-type]

    assert world.turn().state.phase is Phase.ARMED
    assert later(world).state.ending.reason == "FaultNotEffective"  # type: ignore[union-attr]


def test_an_alert_whose_rule_waited_since_before_the_injection_shows_nothing():
    world = world_in(Phase.ARMED)
    fires(world, after=10)
    world.now += 10 * SECOND

    assert world.turn(drill_plan=waiting_rule(MINUTE)).state.phase is Phase.ARMED


def test_an_alert_that_was_pending_before_shows_nothing():
    world = world_in(Phase.ARMED)
    fires(world, kind=FactKind.ALERT_PENDING, after=-30)
    fires(world, after=10)
    world.now += 10 * SECOND

    assert world.turn().state.phase is Phase.ARMED


def test_an_alert_that_the_drill_announces_itself_shows_nothing_of_another_fault():
    design = drill_plan(("limit", "queue"))
    announcing = replace(design.profiles[1], announces=frozenset({"Errors"}))
    world = World(faults=("limit", "queue"))
    world.run(3)
    fires(world)

    phase = world.turn(drill_plan=replace(design, profiles=(design.profiles[0], announcing))).state.phase

    assert phase is Phase.ARMED


def test_what_is_done_by_hand_is_in_once_the_facilitator_says_so():
    design = drill_plan()
    by_hand = replace(design, profiles=(replace(design.profiles[0], asks="unplug it"),))
    world = world_in(Phase.ARMED)
    fires(world, after=1)
    world.now += SECOND
    assert world.turn(drill_plan=by_hand).state.phase is Phase.ARMED

    world.facts["done"] = fact(FactKind.CONFIRMED, world.now, "done", fault="limit", step="Do")
    assert world.turn(drill_plan=by_hand).state.phase is Phase.IN_PLAY


def test_while_a_fault_is_not_in_yet_nothing_begins():
    world = World(faults=("limit", "queue"))
    world.obey(world.turn().commands)
    world.turn()
    world.intend("limit")
    world.inject("limit")
    world.now += SECOND
    fires(world)
    assert world.turn().state.phase is Phase.ARMED

    world.intend("queue")
    world.inject("queue")
    assert world.turn().state.phase is Phase.IN_PLAY


def test_an_alert_that_turns_out_to_be_older_ends_the_wait_for_one_in_time_and_says_so():
    world = world_in(Phase.ARMED)
    fires(world, after=1)
    world.now += SECOND
    assert world.turn().state.phase is Phase.IN_PLAY
    fires(world, kind=FactKind.ALERT_PENDING, after=-60)

    world.now += 14 * MINUTE
    ending = world.turn().state.ending

    assert ending is not None
    assert ending.reason == "AlertNotAboutTheFault"
    assert "its condition held before the fault was injected" in ending.message


def test_an_alert_that_is_pending_when_the_time_is_up_is_waited_for():
    world, patient = world_in(Phase.ARMED), waiting_rule(5 * MINUTE)
    world.now += 30 * SECOND
    fires(world, kind=FactKind.ALERT_PENDING)
    pending_since = world.now
    assert later(world, drill_plan=patient, effects=HALF).state.phase is Phase.ARMED

    world.now = pending_since + 5 * MINUTE
    fires(world)
    assert world.turn(drill_plan=patient, effects=HALF).state.phase is Phase.IN_PLAY


def test_an_alert_that_was_pending_and_did_not_fire_when_its_rule_had_waited_shows_nothing():
    world, patient = world_in(Phase.ARMED), waiting_rule(5 * MINUTE)
    fires(world, kind=FactKind.ALERT_PENDING, after=1)
    world.now += 8 * MINUTE

    ending = world.turn(drill_plan=patient, effects=HALF).state.ending

    assert ending is not None
    assert ending.reason == "FaultNotEffective"


# taken out before any of it


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ({"by": "alice"}, "alice took limit out of Deployment/limit 15s after its injection, at 09:00:"),
        ({"by": "", "manager": "kubectl-edit"}, "somebody with kubectl-edit took limit out"),
        ({"by": "", "user": "bob"}, "bob took limit out"),
    ],
)
def test_who_takes_it_out_before_it_had_an_effect_is_named_and_nothing_is_blamed(who: dict[str, str], said: str):
    world = world_in(Phase.ARMED)
    world.now = world.facts["injected/limit"].at.not_after + 15 * SECOND
    takes_out(world, **who)
    assert world.turn(effects=NONE).state.phase is Phase.ARMED  # it may still come, and so may the alert

    later(world, effects=NONE, shortfalls={"limit": "no pod has the limit"})
    decision = world.run(8)

    assert decision.state.phase is Phase.COMPLETED
    verdict = decision.state.verdict
    assert verdict is not None
    assert (verdict.verdict, verdict.reason) == (Verdict.INCONCLUSIVE, "TakenOutBeforeEffect")
    assert said in verdict.message
    assert "before it was seen to have an effect, and Errors had not fired" in verdict.message
    assert "no pod has the limit" not in verdict.message
    assert not world.on


def test_what_was_seen_of_the_effect_before_is_said():
    world = world_in(Phase.ARMED)
    takes_out(world)

    ending = later(world, effects=HALF).state.ending

    assert ending is not None
    assert "before all of its effect was seen (1 of 2 pods of Deployment/limit OOM-killed)" in ending.message


def test_the_alert_that_comes_after_the_fix_begins_play():
    world = world_in(Phase.ARMED)
    world.now += 5 * SECOND
    takes_out(world)
    world.now += 5 * SECOND
    fires(world)

    assert world.turn(effects=HALF).state.phase is Phase.IN_PLAY


def test_an_automation_that_is_accepted_is_named_as_anybody_else():
    world = world_in(Phase.ARMED)
    takes_out(world, by="", manager="kustomize-controller")
    accepting = replace(drill_plan(), accepts_reconcilers=True)

    ending = later(world, drill_plan=accepting, effects=NONE).state.ending

    assert ending is not None
    assert (ending.reason, ending.verdict) == ("TakenOutBeforeEffect", Verdict.INCONCLUSIVE)
    assert "kustomize-controller took limit out" in ending.message


def test_a_fault_that_nobody_took_out_still_has_to_say_why_it_had_none():
    world = World(faults=("limit", "queue"))
    world.run(3)
    takes_out(world)

    ending = later(world, shortfalls={"queue": "the queue is drained"}).state.ending

    assert ending is not None
    assert (ending.reason, ending.verdict) == ("FaultNotEffective", Verdict.ERROR)
    assert "alice took limit out" in ending.message
    assert "queue (the queue is drained)" in ending.message


def test_a_change_from_before_the_injection_takes_nothing_out():
    world = world_in(Phase.ARMED)
    world.now -= MINUTE
    takes_out(world)
    world.now += MINUTE

    assert later(world).state.ending.reason == "FaultNotEffective"  # type: ignore[union-attr]


def test_a_part_of_the_effect_is_not_called_none():
    world = world_in(Phase.ARMED)
    seen = {"effects": HALF}
    told = project(world.turn(**seen), world.look(**seen), {})["message"]
    assert told == "fault injected; so far 1 of 2 pods of Deployment/limit OOM-killed"

    ending = later(world, effects=HALF).state.ending

    assert ending is not None
    assert ending.message == "not all of the effect seen: limit (1 of 2 pods of Deployment/limit OOM-killed)"


# taken out before the alert


def test_an_alert_that_had_no_time_to_fire_is_held_against_nobody():
    world = world_in(Phase.IN_PLAY)
    world.now += 20 * SECOND
    takes_out(world)
    world.turn()

    world.now += 12 * MINUTE
    decision = world.run(8)

    verdict = decision.state.verdict
    assert verdict is not None
    assert (verdict.verdict, verdict.reason) == (Verdict.INCONCLUSIVE, "TakenOutBeforeAlert")
    assert "alice took the fault out of Deployment/limit" in verdict.message
    (alert,) = [o for o in decision.assessment.objectives if o.name == "alert-Errors"]
    assert alert.verdict == "Indeterminate"
    assert "alice" in alert.reason


def test_an_alert_that_was_overdue_before_anybody_took_the_fault_out_did_not_fire():
    world = world_in(Phase.IN_PLAY)
    world.now += 10 * MINUTE + 5 * SECOND
    takes_out(world)

    world.now += MINUTE
    ending = world.turn().state.ending

    assert ending is not None
    assert ending.reason == "AlertNeverFired"


def test_time_that_is_up_after_a_fix_but_before_the_alert_fails_nobody():
    world = world_in(Phase.IN_PLAY)
    takes_out(world)
    world.now += 300 * MINUTE
    patient = waiting_rule(timedelta(0))
    patient = replace(patient, alerts=(replace(patient.alerts[0], within=600 * MINUTE),))

    ending = world.turn(drill_plan=patient).state.ending

    assert ending is not None
    assert (ending.reason, ending.verdict) == ("TimeUp", Verdict.INCONCLUSIVE)
    assert "alice took the fault out" in ending.message

"""The guards on the effect: how play begins, and what ends a drill that never came to it (docs/decisions/0036).

Play begins when every fault was seen to bite, or when the alert that starts the clock shows that they did. Who takes a
fault out before that has done nothing wrong, and neither has the fault: it can't be judged, and the end says who it
was.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from kubedrill.core.evidence.alert_onset import not_this_drills
from kubedrill.core.evidence.attribution import (
    by_whom,
    disturbances,
    first_cause_change,
    taken_out,
    taken_out_in_words,
)
from kubedrill.core.evidence.facts import Fact, FactKind, FactSet, first, in_order
from kubedrill.core.machine.reasons import Reason, ends
from kubedrill.core.machine.state import NOT_IN, Observation, State
from kubedrill.core.machine.waits import ONE_MORE_LOOK, alert_due, effect_due, held_faults
from kubedrill.core.measure.assessment import Assessment
from kubedrill.core.measure.effect import shown_by_alert
from kubedrill.core.measure.impact import are_ready, is_silent
from kubedrill.core.measure.order import of_this_drill
from kubedrill.core.measure.results import Verdict
from kubedrill.core.plan.drill_plan import DrillPlan

NOT_EFFECTIVE: Final = "FaultNotEffective"
"""The reason of an end without any of the effect, or not all of it: then no milestone says that it was had."""


def taken_out_by_a_controller(_state: State, seen: Observation, _so_far: Assessment) -> Reason | None:
    """Somebody else's controller has taken the fault out: it is not injected again, so there is nothing to play."""
    change = taken_out(seen.facts, seen.drill_plan) if seen.drill_plan else None
    if change is None:
        return None
    return ends(
        "FaultTakenOut",
        f"{by_whom(change)} has taken the fault out of {change.detail.get('target')}, and no"
        f" player had: {change.evidence}",
        Verdict.ERROR,
    )


def effective(state: State, seen: Observation, _so_far: Assessment) -> Reason | None:
    """Every fault was seen to bite."""
    if state.faults and not without_effect((f.name for f in state.faults), seen.facts):
        return Reason("FaultEffective", "every fault was seen to have its effect")
    return None


def shown_by_the_alert(state: State, seen: Observation, so_far: Assessment) -> Reason | None:
    """The alert that starts the clock fired about the faults, all of which are in: people may have begun."""
    if seen.drill_plan is None or not state.faults or any(f.step in NOT_IN for f in state.faults):
        return None
    shown = shown_by_alert(so_far.milestones, FactSet.of(seen.facts), seen.drill_plan)
    if shown is None:
        return None
    names = without_effect((f.name for f in state.faults), seen.facts)
    unseen = f", before all of the effect was seen: {', '.join(_so_far(name, seen) for name in names)}" if names else ""
    return Reason("AlertFired", f"{seen.drill_plan.clock_alert} fired about it{unseen}"[:4000])


def taken_out_before_effect(state: State, seen: Observation, so_far: Assessment) -> Reason | None:
    """Every fault whose effect is overdue was taken out before it was seen: neither it nor anybody has failed."""
    if not _is_without_effect(state, seen, so_far) or seen.drill_plan is None:
        return None
    told = [_taken_out(name, seen) for name in without_effect((f.name for f in state.faults), seen.facts)]
    if not all(told):
        return None
    message = f"{'; '.join(told)}, and {seen.drill_plan.clock_alert} had not fired: there is nothing to judge"
    return ends("TakenOutBeforeEffect", message[:4000], Verdict.INCONCLUSIVE)


def not_effective(state: State, seen: Observation, so_far: Assessment) -> Reason | None:
    """A fault that does not bite is an error of the drill, not a success of the team."""
    if not _is_without_effect(state, seen, so_far):
        return None
    names = without_effect((f.name for f in state.faults), seen.facts)
    some = any(seen.effects[name].some for name in names if name in seen.effects)
    told = ", ".join(_taken_out(name, seen) or _why_none(name, seen) for name in names)
    return ends(NOT_EFFECTIVE, f"{'not all of the effect' if some else 'no effect'} seen: {told}"[:4000], Verdict.ERROR)


def over_without_effect(_state: State, seen: Observation, _so_far: Assessment) -> Reason | None:
    """Play began with an alert, and all is well again without any of the effect and without anybody's change."""
    if seen.drill_plan is None or not has_passed_without_effect(seen):
        return None
    told = ", ".join(_why_none(name, seen) for name in seen.effects)
    alert = seen.drill_plan.clock_alert
    silent = is_silent(FactSet.of(seen.facts), alert, seen.drill_plan, seen.now)
    over = "fired for a while, and was over" if silent else "fires, and all pods were ready,"
    message = f"no effect seen: {told}; {alert} {over} before anybody changed the target"
    return ends(NOT_EFFECTIVE, message[:4000], Verdict.ERROR)


def hold_runs_out(_state: State, seen: Observation, _assessed: Assessment) -> Reason | None:
    """Play began with an alert, and a fault that hurts fewer pods than announced can be kept from the others no longer.

    Its rollout is held for as long as the effect has to show, and for what the watchdog needs after that (decision 13).
    """
    if seen.drill_plan is None or not is_overdue(FactSet.of(seen.facts), seen.drill_plan, seen.now):
        return None
    unseen = without_effect((fault.name for fault in seen.drill_plan.faults), seen.facts)
    names = [name for name in unseen if name in held_faults(seen)]
    if not names:
        return None
    told = ", ".join(_so_far(name, seen) for name in names)
    message = f"not all of the effect was seen: {told}; it would soon touch more pods than announced, and is restored"
    return ends("RolloutNotHeldLonger", message[:4000])


def has_passed_without_effect(seen: Observation) -> bool:
    """Whether the effect is overdue, nothing at all was seen of any fault's, all is well again, and nobody did it.

    A rollout takes a pod away for a second or two, also when the new one is healthy: a quick rule fires for that. It is
    well when the alert is silent or all pods stay ready: those do not count as available before `minReadySeconds` are
    over, with which a fault makes its rollout wait.
    """
    drill_plan, facts = seen.drill_plan, FactSet.of(seen.facts)
    if drill_plan is None or not is_overdue(facts, drill_plan, seen.now):
        return False
    names = [fault.name for fault in drill_plan.faults]
    unseen = without_effect(names, facts) == tuple(names) == tuple(n for n in names if n in seen.effects)
    if not unseen or any(seen.effects[name].some for name in names):
        return False
    well = is_silent(facts, drill_plan.clock_alert, drill_plan, seen.now) or are_ready(facts, drill_plan, seen.now)
    return well and not disturbances(facts)


def taken_out_before_alert(_state: State, seen: Observation, so_far: Assessment) -> Reason | None:
    """The alert is overdue, but a fault was taken out before it was: that it did not fire proves nothing."""
    due = alert_due(so_far, seen.drill_plan) if seen.drill_plan else None
    if seen.drill_plan is None or due is None or seen.now <= due + ONE_MORE_LOOK:
        return None
    facts, wanted = of_this_drill(seen.facts), seen.drill_plan.clock_alert
    change, elsewhere = first_cause_change(facts, seen.drill_plan), not_this_drills(wanted, facts, seen.drill_plan)
    if change is None or change.at.not_before > due or (elsewhere and elsewhere.open):
        return None
    message = f"{taken_out_in_words(change, facts)}, before {wanted} fired: whether it would have is not known"
    return ends("TakenOutBeforeAlert", message, Verdict.INCONCLUSIVE)


def _is_without_effect(state: State, seen: Observation, so_far: Assessment) -> bool:
    if seen.drill_plan is None or effective(state, seen, so_far):
        return False
    due = effect_due(so_far, seen)
    return due is not None and seen.now > due


def is_overdue(facts: Iterable[Fact], drill_plan: DrillPlan, now: datetime) -> bool:
    """Whether the time is up in which the faults should have been seen to have their effect."""
    injected = first(facts, FactKind.FAULT_INJECTED)
    return injected is not None and now > injected.at.not_after + drill_plan.arm_within


def without_effect(names: Iterable[str], facts: Iterable[Fact]) -> tuple[str, ...]:
    """Those of the faults that were not seen to bite."""
    bitten = {f.detail.get("fault") for f in facts if f.kind is FactKind.FAULT_EFFECTIVE}
    return tuple(name for name in names if name not in bitten)


def _so_far(fault: str, seen: Observation) -> str:
    effect = seen.effects.get(fault)
    return f"{fault} ({effect.words})" if effect else fault


def _why_none(fault: str, seen: Observation) -> str:
    effect, why = seen.effects.get(fault), seen.shortfalls.get(fault) or _held_back(fault, seen)
    told = (effect.words if effect and (effect.some or not why) else "", why)
    words = "; ".join(filter(None, told))
    return f"{fault} ({words})" if words else fault


def _taken_out(fault: str, seen: Observation) -> str:
    """That a fault was taken out before all of its effect was seen, and by whom; empty where nobody did."""
    facts = of_this_drill(seen.facts)
    change = first_cause_change(facts, seen.drill_plan, fault) if seen.drill_plan else None
    if change is None:
        return ""
    effect = seen.effects.get(fault)
    much = f"all of its effect was seen ({effect.words})" if effect and effect.some else "it was seen to have an effect"
    return f"{taken_out_in_words(change, facts, fault)}, before {much}"


def _held_back(fault: str, seen: Observation) -> str:
    """What keeps Alertmanager from telling of an alert that the fault announces."""
    profiles = seen.drill_plan.profiles if seen.drill_plan else ()
    announced = frozenset().union(*(profile.announces for profile in profiles if profile.fault == fault))
    held_back = in_order(seen.facts, FactKind.ALERT_SUPPRESSED)
    return "; ".join(sorted(f.evidence for f in held_back if f.detail.get("alert") in announced))

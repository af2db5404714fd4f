"""What a drill waits for, and until when: the guards end it by these instants, and people see the time that is left.

The rule by which a drill ends when it is decided is told by docs/decisions/0029.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from kubedrill.core.evidence.attribution import OF_PEOPLE, READS, Standing
from kubedrill.core.evidence.facts import Fact, FactKind, in_order
from kubedrill.core.evidence.rule_changes import USUAL_EVALUATION
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.state import Observation
from kubedrill.core.measure.assessment import Assessment
from kubedrill.core.measure.objectives import unconfirmed
from kubedrill.core.measure.results import MilestoneName, ObjectiveVerdict
from kubedrill.core.plan.drill_plan import DrillPlan

ONE_MORE_LOOK: Final = timedelta(seconds=10)
"""What is due at the last moment is seen by then."""
ACTS: Final = (
    *sorted(OF_PEOPLE - {FactKind.CLIENT_COMPLAINED}),
    FactKind.INTERFERENCE,
    FactKind.NOTED,
    FactKind.HINT_GIVEN,
    FactKind.ATTRIBUTED,
)
"""What shows that somebody is at it: players, the facilitator, or nobody knows who."""
_NO_PERSON: Final = frozenset({Standing.AUTOMATION.value, Standing.OPERATOR.value})


@dataclass(frozen=True, slots=True)
class Wait:
    """What happens at an instant, in words that go before `in 2m50s`; `after` is what could still change it."""

    what: str
    until: datetime
    after: str = ""


def held_faults(seen: Observation) -> frozenset[str]:
    """The faults that hold their target's rollout, for nobody has taken them out."""
    return frozenset(name for one in seen.records if one.held and not one.taken_out for name in one.faults)


def effect_due(so_far: Assessment, seen: Observation) -> datetime | None:
    """Until when the fault must show its effect, once it is in.

    While the alert that starts the clock is pending about it, it is until its rule has waited: then it fires, or what
    it is about has passed. A rollout is held for no longer than the effect has to show.
    """
    injected, drill_plan = so_far.milestone(MilestoneName.INJECTED), seen.drill_plan
    if injected is None or drill_plan is None:
        return None
    if held_faults(seen):
        return injected.at.not_after + drill_plan.arm_within
    alert = drill_plan.clock_alert
    told = (f for f in in_order(seen.facts, FactKind.ALERT_PENDING) if f.detail.get("alert") == alert)
    pending = (f.at.not_after for f in told if f.at.not_before >= injected.at.not_before)
    timing = drill_plan.timing_of(alert)
    waits = timing.waits + (timing.every or USUAL_EVALUATION) + ONE_MORE_LOOK
    return max((injected.at.not_after + drill_plan.arm_within, *(since + waits for since in pending)))


def alert_due(so_far: Assessment, drill_plan: DrillPlan) -> datetime | None:
    """Until when the alert that starts the clock must fire, once the fault had its effect.

    Where play began with an alert that has turned out to be about something else, since the effect was due.
    """
    effect = so_far.milestone(MilestoneName.FAULT_EFFECTIVE)
    injected = so_far.milestone(MilestoneName.INJECTED)
    due = injected.at.not_after + drill_plan.arm_within if injected else None
    since = effect.at.not_after if effect else due
    if since is None or so_far.milestone(MilestoneName.ALERT_FIRED):
        return None
    return since + next(a.within for a in drill_plan.alerts if a.starts_clock)


def wrapped_up(so_far: Assessment, drill_plan: DrillPlan) -> datetime | None:
    """When play ends after a recovery: it is confirmed, and there was time to wrap up."""
    recovered = so_far.milestone(MilestoneName.RECOVERED)
    return recovered.at.not_after + tail_of(drill_plan) if recovered else None


def tail_of(drill_plan: DrillPlan) -> timedelta:
    """What confirming a recovery and wrapping up take. For so long nobody must have acted for a drill to be over."""
    return drill_plan.recovered_window + drill_plan.wrap_up


def decided_at(so_far: Assessment, seen: Observation) -> datetime | None:
    """When a drill that does not recover is over, as far as is known now.

    Every limit is met, missed or up, every inject was given, and nobody has acted for as long as confirming a recovery
    and wrapping up take. None before the alert has fired, and once it has recovered.
    """
    fired, drill_plan = so_far.milestone(MilestoneName.ALERT_FIRED), seen.drill_plan
    if fired is None or drill_plan is None or so_far.milestone(MilestoneName.RECOVERED):
        return None
    ends = [fired.at.not_after + inject.at + ONE_MORE_LOOK for inject in drill_plan.injects]
    ends += [fired.at.not_after, *_limits_up(so_far, drill_plan)]
    last = last_act(seen)
    return max((*ends, last + tail_of(drill_plan)) if last else ends)


def _limits_up(so_far: Assessment, drill_plan: DrillPlan) -> Iterator[datetime]:
    open_for = unconfirmed(drill_plan, recovering=drill_plan.people_only or so_far.recovery_at is not None)
    started = {m.key: m.at.not_after for m in so_far.milestones}
    for one in so_far.objectives:
        if one.start in started and one.verdict not in (ObjectiveVerdict.MET, ObjectiveVerdict.MISSED):
            yield started[one.start] + one.limit + open_for.get(one.stop, timedelta(0))


def is_open(so_far: Assessment) -> bool:
    """Whether something may still be reached in time."""
    return any(o.verdict is ObjectiveVerdict.PENDING for o in so_far.objectives)


def last_act(seen: Observation) -> datetime | None:
    """When somebody was last seen to do or say anything. What automation does is nobody's act."""
    return max((f.at.not_after for f in in_order(seen.facts, *ACTS) if _is_act(f, seen.now)), default=None)


def _is_act(fact: Fact, now: datetime) -> bool:
    read_by_nobody = fact.kind in READS and not fact.actor
    return fact.at.not_after <= now and fact.detail.get("by") not in _NO_PERSON and not read_by_nobody


def waits(phase: Phase, so_far: Assessment, seen: Observation) -> Iterator[Wait]:
    """What is waited for now, beside the limits of the objectives."""
    plan = seen.drill_plan
    if plan is None or phase not in (Phase.ARMED, Phase.IN_PLAY):
        return
    if phase is Phase.ARMED:
        due = effect_due(so_far, seen)
        if due:
            yield Wait("effect due", due)
        return
    alert, wrap_up, decided = alert_due(so_far, plan), wrapped_up(so_far, plan), decided_at(so_far, seen)
    if alert:
        yield Wait(f"{plan.clock_alert} due", alert)
    if wrap_up:
        yield Wait("wrap-up ends", wrap_up)
    if so_far.recovery_at:
        yield Wait("recovery is confirmed", so_far.recovery_at, "if all stays well")
    elif decided and not is_open(so_far):
        yield Wait("drill ends", decided, "if nobody acts")

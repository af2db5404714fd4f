"""The guards of the phase table: each answers with a reason and a message, or nothing.

Pure predicates over the state, what was seen and what follows from it. They read nothing else, so a drill's
whole course can be replayed from its facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from kubedrill.api.drill import Desired
from kubedrill.api.drill_status import FaultStep
from kubedrill.api.durations import format_duration
from kubedrill.core.evidence.alert_onset import not_this_drills
from kubedrill.core.evidence.attribution import first_cause_change, taken_out_in_words
from kubedrill.core.evidence.facts import FactKind, FactSet, first
from kubedrill.core.machine.effect_guards import (
    effective,
    hold_runs_out,
    not_effective,
    over_without_effect,
    shown_by_the_alert,
    taken_out_before_alert,
    taken_out_before_effect,
    taken_out_by_a_controller,
)
from kubedrill.core.machine.reasons import Guard, Reason, ends
from kubedrill.core.machine.state import Observation, State
from kubedrill.core.machine.unverified import in_doubt
from kubedrill.core.machine.waits import (
    ONE_MORE_LOOK,
    alert_due,
    decided_at,
    is_open,
    last_act,
    tail_of,
    wrapped_up,
)
from kubedrill.core.measure.assessment import Assessment
from kubedrill.core.measure.order import of_this_drill
from kubedrill.core.measure.results import MilestoneName, Verdict

SETTLE: Final = timedelta(seconds=60)
"""How long preflight waits for what may come by itself (steadiness, an answer of Prometheus)."""
NO_REPORT: Final = "NoReport"
UNCHECKED: Final = timedelta(seconds=60)
"""For how long a drill goes on while a stop condition of it can't be asked for."""


def record_without_status(_state: State, seen: Observation, _so_far: Assessment) -> Reason | None:
    """A record wins over the status: something was begun that the status does not know of."""
    if not seen.records:
        return None
    return ends("StatusLost", "an undo record exists that the status does not tell of: restoring it", Verdict.ERROR)


def stop_wanted(_state: State, seen: Observation, _so_far: Assessment) -> Reason | None:
    """The one place where `desired: Stop` and deletion meet."""
    if seen.deleting:
        return ends("Deleted", "the drill was deleted", Verdict.STOPPED)
    if seen.desired is Desired.STOP:
        return ends("Stopped", seen.stop_because or "stopped", Verdict.STOPPED)
    return None


def undo_unverified(state: State, seen: Observation, _so_far: Assessment) -> Reason | None:
    """An undo record is lost or can't be read: nobody plays on with a fault that may not come out again."""
    doubts = in_doubt(state, seen)
    if not doubts:
        return None
    return ends("UndoUnverified", "; ".join(f"{name}: {why}" for name, why in doubts.items())[:1000], Verdict.ERROR)


def stop_condition(_state: State, seen: Observation, _so_far: Assessment) -> Reason | None:
    """Something that must stay well is not, or it can't be known any more: no data is never healthy."""
    met = first(seen.facts, FactKind.STOP_CONDITION_MET)
    if met is not None:
        return ends("StopConditionMet", met.evidence, Verdict.STOPPED)
    lost = sorted(name for name, known in seen.unchecked.items() if seen.now - known >= UNCHECKED)
    if lost:
        message = f"whether {', '.join(lost)} is met could not be checked for {UNCHECKED.seconds} s"
        return ends("StopConditionUnknown", message, Verdict.STOPPED)
    return None


def refused(_state: State, seen: Observation, _so_far: Assessment) -> Reason | None:
    """What was asked for can't be carried out (no such scenario, an impossible fault)."""
    if seen.refusal is None:
        return None
    return ends(seen.refusal.reason, seen.refusal.message, Verdict.ERROR)


def cannot_go_on(state: State, seen: Observation, _so_far: Assessment) -> Reason | None:
    """Its turns can't be computed or stored, or what is played can no longer be read: it is put back and ends."""
    why = state.given_up or (seen.refusal.message if seen.refusal and state.start_ex else "")
    return ends("CannotGoOn", f"the drill can't go on: {why}", Verdict.ERROR) if why else None


def accepted(_state: State, seen: Observation, _so_far: Assessment) -> Reason | None:
    """There is a plan to check."""
    return Reason("Accepted", "the drill is well formed") if seen.drill_plan else None


def unfit(state: State, seen: Observation, _so_far: Assessment) -> Reason | None:
    """A check failed for good, or has kept failing for longer than it is waited for."""
    failing = [c for c in seen.checks if not c.ok]
    hard = [c for c in failing if c.hard and c.ok is False]
    waited = state.since is not None and seen.now - state.since >= SETTLE
    chosen = hard or (failing if waited else [])
    if not chosen or seen.desired is Desired.PLAN or (seen.desired is Desired.HOLD and not hard):
        return None
    message = "; ".join(c.message for c in chosen) + ". Nothing was touched"
    return ends(chosen[0].reason, message, Verdict.ERROR)


def fit_to_hold(_state: State, seen: Observation, _so_far: Assessment) -> Reason | None:
    """All checks pass, and the facilitator wants to start it by hand, or to see the plan first."""
    if seen.desired in (Desired.HOLD, Desired.PLAN) and _all_pass(seen):
        return Reason("Held", "all is checked; waiting for kubectl drill start")
    return None


def fit(_state: State, seen: Observation, _so_far: Assessment) -> Reason | None:
    """All checks pass and the finalizer stands: nothing is touched without it."""
    if seen.desired is Desired.RUN and seen.finalizer and _all_pass(seen):
        return Reason("Armed", "all is checked; injecting")
    return None


def _all_pass(seen: Observation) -> bool:
    planned = seen.drill_plan is not None and all(f.name in seen.plans for f in seen.drill_plan.faults)
    return planned and bool(seen.checks) and all(c.ok for c in seen.checks)


def released(_state: State, seen: Observation, _so_far: Assessment) -> Reason | None:
    """The facilitator said start."""
    return Reason("Released", "started by the facilitator") if seen.desired is Desired.RUN else None


def to_be_planned_anew(state: State, seen: Observation, _so_far: Assessment) -> Reason | None:
    """It is only to be planned, and its spec has changed since."""
    if seen.desired is not Desired.PLAN or state.planned_for == seen.generation:
        return None
    return Reason("PlannedAnew", "the spec has changed: it is planned anew")


def past_deadline(state: State, seen: Observation, so_far: Assessment) -> Reason | None:
    """The drill's time is up."""
    if state.deadline is None or seen.now < state.deadline:
        return None
    clock = seen.drill_plan.clock_alert if seen.drill_plan else ""
    why = not_this_drills(clock, FactSet.of(seen.facts), seen.drill_plan) if seen.drill_plan else None
    if so_far.milestone(MilestoneName.ALERT_FIRED) is None and why is not None and why.open:
        return ends("TimeUp", f"the drill's time was up: {why.why}")
    facts = of_this_drill(seen.facts)
    out = first_cause_change(facts, seen.drill_plan) if seen.drill_plan else None
    if so_far.milestone(MilestoneName.ALERT_FIRED) is None and out is not None:
        message = f"the drill's time was up: {taken_out_in_words(out, facts)}, before {clock} fired"
        return ends("TimeUp", message, Verdict.INCONCLUSIVE)
    if so_far.milestone(MilestoneName.ALERT_FIRED) is None:
        return ends("TimeUp", "the drill's time was up before the expected alert fired", Verdict.FAILED)
    return ends("TimeUp", "the drill's time is up")


def injection_failed(state: State, seen: Observation, _so_far: Assessment) -> Reason | None:
    """A fault could not be injected, or not within the time that it is given to bite."""
    failed = [f for f in state.faults if f.step is FaultStep.FAILED]
    if failed:
        return ends("InjectionFailed", "; ".join(f"{f.name}: {f.message}" for f in failed), Verdict.ERROR)
    late = [f.name for f in state.faults if f.step in (FaultStep.PLANNED, FaultStep.STARTED)]
    given = seen.drill_plan.arm_within if seen.drill_plan else None
    if late and given and state.since and seen.now > state.since + given:
        why = "; ".join(seen.waiting.values()) or "the cluster did not take it"
        return ends("InjectionFailed", f"{', '.join(late)} could not be injected within {given}: {why}", Verdict.ERROR)
    return None


def alert_never_fired(_state: State, seen: Observation, so_far: Assessment) -> Reason | None:
    """The alert that starts the clock is overdue: that is what a CI wants to know."""
    due = alert_due(so_far, seen.drill_plan) if seen.drill_plan else None
    if seen.drill_plan is None or due is None or seen.now <= due + ONE_MORE_LOOK:
        return None
    wanted = next(a for a in seen.drill_plan.alerts if a.starts_clock)
    within = f"within {format_duration(wanted.within)} of the fault's effect"
    why = not_this_drills(wanted.name, FactSet.of(seen.facts), seen.drill_plan)
    if why is not None:
        return ends("AlertNotAboutTheFault", f"{why.why}; it was waited for {within}")
    return ends("AlertNeverFired", f"{wanted.name} did not fire {within}")


def play_over(_state: State, seen: Observation, so_far: Assessment) -> Reason | None:
    """Recovery was confirmed and the time to wrap up has passed."""
    over = wrapped_up(so_far, seen.drill_plan) if seen.drill_plan else None
    if over is None or seen.now < over:
        return None
    return ends("Recovered", "everything is well again, and the time to wrap up has passed")


def decided(_state: State, seen: Observation, so_far: Assessment) -> Reason | None:
    """Nothing more can be won or lost, and nobody is at it: the fault must not stay in for nothing."""
    over = decided_at(so_far, seen)
    if over is None or seen.drill_plan is None or seen.now <= over or is_open(so_far):
        return None
    idle = f"nobody has acted for {format_duration(tail_of(seen.drill_plan))}" if last_act(seen) else "nobody has acted"
    return ends("Decided", f"every limit is met or up, and {idle}")


def all_put_back(state: State, seen: Observation, _so_far: Assessment) -> Reason | None:
    """No undo record is left, and no fault is on; or what can't be verified was given up by somebody who may."""
    steps = {f.step for f in state.faults} - {FaultStep.REVERTED, FaultStep.PLANNED}
    if seen.records or steps - ({FaultStep.UNVERIFIED} if seen.accepted else set()):
        return None
    if steps:
        return Reason("UnverifiedAccepted", f"{seen.accepted} decided that the drill ends with what is not verified")
    return Reason("Restored", "everything is restored")


def _report(state: State, seen: Observation, verdict: Verdict | None) -> Reason | None:
    decided = state.ending.verdict if state.ending else None
    wanted = decided if decided in (Verdict.STOPPED, Verdict.ERROR) else None
    if wanted is not verdict or not (state.reported or seen.drill_plan is None):
        return None
    if state.reported:
        return Reason("ReportWritten", "the report is written")
    why = state.given_up or (seen.refusal.message if seen.refusal else "what the drill was to be is not known")
    return Reason(NO_REPORT, f"no report is written: {why}")


def report_of_stopped(state: State, seen: Observation, _so_far: Assessment) -> Reason | None:
    """The report of a stopped drill is written, or can't be."""
    return _report(state, seen, Verdict.STOPPED)


def report_of_aborted(state: State, seen: Observation, _so_far: Assessment) -> Reason | None:
    """The report of a drill that went wrong is written, or can't be."""
    return _report(state, seen, Verdict.ERROR)


def report_written(state: State, seen: Observation, _so_far: Assessment) -> Reason | None:
    """The report is written, or can't be."""
    return _report(state, seen, None)


GUARDS: Final[Mapping[str, Guard]] = {
    guard.__name__: guard
    for guard in (
        record_without_status,
        stop_wanted,
        undo_unverified,
        stop_condition,
        refused,
        cannot_go_on,
        accepted,
        unfit,
        fit_to_hold,
        fit,
        released,
        to_be_planned_anew,
        past_deadline,
        injection_failed,
        taken_out_by_a_controller,
        effective,
        shown_by_the_alert,
        taken_out_before_effect,
        not_effective,
        over_without_effect,
        hold_runs_out,
        taken_out_before_alert,
        alert_never_fired,
        play_over,
        decided,
        all_put_back,
        report_of_stopped,
        report_of_aborted,
        report_written,
    )
}

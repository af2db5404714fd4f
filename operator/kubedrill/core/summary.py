"""The status that people, `kubectl wait` and CI read, projected from a decision. Nothing here is an input.

One cause, three surfaces: the reason that moved the machine is the condition's reason, the Event's reason and
the report's line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from kubedrill.api.conditions import ConditionType, initial_conditions, with_condition
from kubedrill.api.drill import ConditionStatus, FaultStep
from kubedrill.api.durations import format_duration
from kubedrill.core.machine import Decision
from kubedrill.core.phases import TERMINAL, UNTOUCHED, Phase
from kubedrill.core.results import MilestoneName, ObjectiveResult, ObjectiveVerdict, Verdict
from kubedrill.core.score import score_line
from kubedrill.core.state import Observation, State, state_to_wire
from kubedrill.core.verdicts import roll_up

CLOCK_STEP: Final = timedelta(seconds=10)
"""How often T+ and the time left are written while nothing else changes: a status write each time."""


@dataclass(frozen=True, slots=True)
class Say:
    """A condition as it should be; `status` None is Unknown."""

    type: ConditionType
    status: bool | None
    reason: str
    message: str = ""


def verdict_of(decision: Decision) -> tuple[Verdict, str, str] | None:
    """The verdict with its reason and message, once play has ended."""
    state = decision.state
    if state.ending is None or state.phase not in {*TERMINAL, Phase.HOT_WASH, Phase.RECOVERING}:
        return None
    verdict = roll_up(decision.assessment.objectives, state.ending.verdict)
    if state.ending.verdict in (Verdict.ERROR, Verdict.STOPPED):
        return verdict, state.ending.reason, state.ending.message
    reasons = {Verdict.PASSED: "AllObjectivesMet", Verdict.FAILED: "ObjectiveMissed",
               Verdict.INCONCLUSIVE: "ObjectiveIndeterminate"}
    worst = {Verdict.FAILED: ObjectiveVerdict.MISSED, Verdict.INCONCLUSIVE: ObjectiveVerdict.INDETERMINATE}
    named = [o.name for o in decision.assessment.objectives if o.verdict is worst.get(verdict)]
    reason = state.ending.reason if state.ending.verdict is verdict else reasons.get(verdict, state.ending.reason)
    return verdict, reason, ", ".join(named) if named else state.ending.message


def project(decision: Decision, seen: Observation, before: Mapping[str, Any]) -> dict[str, Any]:
    """The whole status. `before` is the status as it was read: what did not change keeps its times."""
    state, so_far = decision.state, decision.assessment
    if before.get("phase") in {p.value for p in TERMINAL}:
        # The verdict stays as it was given; what comes later makes a new revision of the report.
        return {**before, "observedGeneration": seen.generation, "machine": state_to_wire(state)}
    conditions = tuple(ConditionStatus.model_validate(c) for c in before.get("conditions", ()))
    conditions = conditions or initial_conditions(seen.now, seen.generation)
    for say in _says(decision, seen):
        conditions = with_condition(conditions, say.type, say.status, say.reason, say.message,
                                    now=seen.now, generation=seen.generation)
    fired = so_far.milestone(MilestoneName.ALERT_FIRED)
    verdict = verdict_of(decision) if state.phase in TERMINAL else None
    pace = seen.conduct.pace if seen.conduct else 1
    clock, following = _clock(decision, seen, pace)
    status: dict[str, Any] = {
        "phase": state.phase.value, "verdict": verdict and verdict[0].value, "message": _message(decision, seen),
        "clock": clock, "next": following, "observedGeneration": seen.generation,
        "startExTime": _stamp(state.start_ex), "endExTime": _stamp(state.end_ex),
        "clockStartTime": _stamp(fired.at.not_after) if fired else None,
        "conditions": [c.to_wire() for c in conditions],
        "faults": [{"name": f.name, "target": f.target, "step": f.step.value, "record": f.record,
                    "message": f.message} for f in state.faults],
        "milestones": [
            {"name": m.key, "notBefore": _stamp(m.at.not_before), "notAfter": _stamp(m.at.not_after),
             "source": m.source.value, "actor": m.actor, "evidence": m.evidence[:256]} for m in so_far.milestones
        ],
        "objectives": [_objective(o) for o in so_far.objectives],
        "restore": _restore(state, seen),
        "score": score_line(so_far.objectives) if state.phase in TERMINAL and state.start_ex else None,
        "derived": [line[:256] for line in seen.conduct.derived] if seen.conduct else [],
        "machine": state_to_wire(state),
    }
    return status


def _objective(o: ObjectiveResult) -> dict[str, Any]:
    return {
        "name": o.name, "verdict": o.verdict.value, "limit": format_duration(o.limit),
        "lower": format_duration(o.lower) if o.lower is not None else "",
        "upper": format_duration(o.upper) if o.upper is not None else "", "reason": o.reason[:256],
    }


def _restore(state: State, seen: Observation) -> dict[str, Any] | None:
    if state.start_ex is None:
        return None
    complete = state.restored is not None and not seen.records
    fields = [
        {"target": o.target, "path": o.path, "before": o.before, "after": o.after, "now": o.now, "outcome": o.outcome,
         "who": o.who, "when": o.when} for o in state.outcomes
    ]
    return {"complete": complete, "time": _stamp(state.restored) if complete else None, "fields": fields,
            "notes": [n[:256] for n in state.notes]}


def _stamp(at: datetime | None) -> str | None:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None


def _clock(decision: Decision, seen: Observation, pace: int) -> tuple[str | None, str | None]:
    """T+ in scenario time and the objective that is due next; both only while the clock runs."""
    fired = decision.assessment.milestone(MilestoneName.ALERT_FIRED)
    if fired is None:
        return None, None
    until = decision.state.end_ex or seen.now
    elapsed = (until - fired.at.not_after) * pace
    step = CLOCK_STEP * pace
    clock = "T+" + format_duration(elapsed if decision.state.end_ex else elapsed // step * step)
    pending = [o for o in decision.assessment.objectives
               if o.verdict is ObjectiveVerdict.PENDING and o.start == MilestoneName.ALERT_FIRED]
    if decision.state.phase is not Phase.IN_PLAY or not pending:
        return clock, None
    due = min(pending, key=lambda o: o.limit)
    left = due.limit * pace - elapsed // step * step
    return clock, f"{due.name} in {format_duration(left)}" if left > timedelta(0) else f"{due.name} overdue"


def _message(decision: Decision, seen: Observation) -> str:
    state = decision.state
    if state.phase in TERMINAL:
        verdict = verdict_of(decision)
        return f"{verdict[0].value}: {verdict[2]}" if verdict else ""
    if state.phase is Phase.PREFLIGHT:
        failing = [c.message for c in seen.checks if not c.ok]
        return "; ".join(failing) or "checking"
    if seen.stuck:
        return "; ".join(f"{name}: {why}" for name, why in seen.stuck.items())
    return decision.passed[-1].message if decision.passed else _standing(state)


def _standing(state: State) -> str:
    return {
        Phase.HELD: "all is checked; waiting for kubectl drill start",
        Phase.ARMED: "injected; waiting to see the effect",
        Phase.IN_PLAY: "the players are at it",
        Phase.RECOVERING: "putting everything back",
        Phase.HOT_WASH: "writing the report",
    }.get(state.phase, "")


def _says(decision: Decision, seen: Observation) -> Iterator[Say]:
    """The conditions that this decision has something to say on; the others stay as they are."""
    state, so_far = decision.state, decision.assessment
    if seen.refusal:
        yield Say(ConditionType.ACCEPTED, False, seen.refusal.reason, seen.refusal.message)
    elif state.phase is not Phase.PENDING:
        bad = next((c for c in seen.checks if not c.ok and c.hard), None)
        yield Say(ConditionType.ACCEPTED, False, bad.reason, bad.message) if bad else Say(ConditionType.ACCEPTED, True, "Accepted")
    soft = [c for c in seen.checks if not c.hard]
    if soft and state.phase in {*UNTOUCHED, Phase.ABORTED}:
        failing = next((c for c in soft if not c.ok), None)
        yield (Say(ConditionType.STEADY_STATE, failing.ok, failing.reason, failing.message)
               if failing else Say(ConditionType.STEADY_STATE, True, "Steady", "everything that is checked holds"))
    elif state.start_ex and state.phase is Phase.ARMED:
        yield Say(ConditionType.STEADY_STATE, True, "Steady", "everything that is checked held before the start")
    if state.faults and all(f.step not in (FaultStep.PLANNED, FaultStep.STARTED, FaultStep.FAILED) for f in state.faults):
        yield Say(ConditionType.INJECTED, True, "Injected", "every fault was injected")
    failed = [f for f in state.faults if f.step is FaultStep.FAILED]
    if failed:
        yield Say(ConditionType.INJECTED, False, "InjectionFailed", "; ".join(f"{f.name}: {f.message}" for f in failed))
    for name, condition in (
        (MilestoneName.FAULT_EFFECTIVE, ConditionType.FAULT_EFFECTIVE), (MilestoneName.ALERT_FIRED, ConditionType.ALERT_FIRED),
        (MilestoneName.ACKNOWLEDGED, ConditionType.DETECTED), (MilestoneName.MITIGATED, ConditionType.MITIGATED),
        (MilestoneName.RECOVERED, ConditionType.RECOVERED),
    ):
        reached = so_far.milestone(name)
        if reached:
            yield Say(condition, True, name.value, reached.evidence)
        elif state.end_ex and state.start_ex:
            yield Say(condition, False, "NotSeen", f"play ended before {name.value} was seen")
    yield from _end_says(decision, seen)


def _end_says(decision: Decision, seen: Observation) -> Iterator[Say]:
    state = decision.state
    if seen.stuck:
        yield Say(ConditionType.STALLED, True, "CannotPutBack", "; ".join(f"{n}: {w}" for n, w in seen.stuck.items()))
    elif state.start_ex:
        yield Say(ConditionType.STALLED, False, "Progressing")
    if state.start_ex and state.restored and not seen.records:
        yield Say(ConditionType.RESTORED, True, "Restored", "every touched field is back or was kept for its new owner")
    elif state.start_ex:
        yield Say(ConditionType.RESTORED, False, "FaultsActive", "faults are on, or their undo is not verified yet")
    if state.phase not in TERMINAL:
        yield Say(ConditionType.FINISHED, False, state.phase.value)
        return
    verdict = verdict_of(decision)
    if verdict is None:
        return
    if state.start_ex is None:
        yield Say(ConditionType.RESTORED, True, "NothingTouched", "nothing was touched")
    yield Say(ConditionType.FINISHED, True, verdict[1], verdict[2])
    yield Say(ConditionType.SUCCEEDED, verdict[0] is Verdict.PASSED, verdict[1], verdict[2])


def worth_writing(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether the two statuses differ in anything but the instant until which the watches stood."""

    def told(status: Mapping[str, Any]) -> dict[str, Any]:
        kept = {k: v for k, v in status.items() if v is not None and k != "machine"}
        machine = status.get("machine") or {}
        return kept | {"machine": {k: v for k, v in machine.items() if v is not None and k != "heard"}}

    return told(after) != told(before)

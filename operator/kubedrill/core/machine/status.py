"""The status that people, `kubectl wait` and CI read, projected from a decision. Nothing here is an input.

One cause, three surfaces: the reason that moved the machine is the condition's reason, the Event's reason and
the report's line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import ValidationError

from kubedrill.api.conditions import initial_conditions, with_condition
from kubedrill.api.drill import Desired
from kubedrill.api.drill_status import ConditionStatus
from kubedrill.api.durations import format_duration
from kubedrill.core.evidence.attribution import how_to_attribute
from kubedrill.core.evidence.facts import FactKind, in_order
from kubedrill.core.machine.bounds import within_bounds
from kubedrill.core.machine.conditions import WantedCondition, of_workloads, said
from kubedrill.core.machine.judged import is_settled
from kubedrill.core.machine.kept import kept
from kubedrill.core.machine.phases import TERMINAL, Phase
from kubedrill.core.machine.reducer import Decision
from kubedrill.core.machine.state import CheckResult, Observation, State, state_to_wire
from kubedrill.core.machine.waits import waits
from kubedrill.core.measure.results import MilestoneName, ObjectiveResult, ObjectiveVerdict
from kubedrill.core.measure.score import is_of_monitoring

TOLD_BEFORE: Final = (
    "clock",
    "clockStartTime",
    "milestones",
    "objectives",
    "interference",
    "derived",
    "evidence",
    "reportName",
)
MOST_INTERFERENCE: Final = 20
TELLS_WHOSE: Final = timedelta(seconds=2)
"""What tells whose a change was comes as late as this: an autoscaler scales first and writes its status then."""
MOST_WORKLOADS: Final = 20
CLOCK_STEP: Final = timedelta(seconds=10)
"""How often T+ and the time left are written while nothing else changes: a status write each time."""


def project(decision: Decision, seen: Observation, before: Mapping[str, Any]) -> dict[str, Any]:
    """The whole status, within its schema's bounds.

    `before` is the status as it was read: what did not change keeps its times.
    """
    state, so_far = kept(decision.state), decision.assessment
    if before.get("phase") in {p.value for p in TERMINAL}:
        # The verdict stays as it was given; what comes later makes a new revision of the report. How the workloads
        # do goes on being told.
        ended = {**before, "observedGeneration": seen.generation, "machine": state_to_wire(state)}
        if not seen.health:
            return within_bounds(ended)
        restore = {**(before.get("restore") or {}), "workloads": _workloads(seen)}
        conditions = _conditions(of_workloads(seen.health), seen, before)
        return within_bounds(ended | {"restore": restore, "conditions": conditions})
    fired = so_far.milestone(MilestoneName.ALERT_FIRED)
    verdict = state.verdict if state.phase in TERMINAL else None
    pace = seen.drill_plan.pace if seen.drill_plan else 1
    clock, following = _clock(decision, seen, pace)
    status: dict[str, Any] = {
        "phase": state.phase.value,
        "verdict": verdict and verdict.verdict.value,
        "message": "; ".join(filter(None, (_message(decision, seen), _unread(seen)))),
        "clock": clock,
        "next": following,
        "observedGeneration": seen.generation,
        "startExTime": _stamp(state.start_ex),
        "endExTime": _stamp(state.end_ex),
        "clockStartTime": _stamp(fired.at.middle) if fired else None,
        "conditions": _conditions(said(decision, seen), seen, before),
        "faults": [
            {"name": f.name, "target": f.target, "step": f.step.value, "record": f.record, "message": f.message}
            for f in state.faults
        ],
        "milestones": [
            {
                "name": m.key,
                "notBefore": _stamp(m.at.not_before),
                "notAfter": _stamp(m.at.not_after),
                "source": m.source.value,
                "actor": m.actor,
                "by": m.by.value,
                "evidence": m.evidence,
            }
            for m in so_far.milestones
        ],
        "objectives": [_objective(o) for o in so_far.objectives],
        "interference": _interference(seen),
        "restore": _restore(state, seen),
        "score": verdict.score if verdict and state.start_ex else None,
        "derived": list(seen.drill_plan.derived) if seen.drill_plan else [],
        "machine": state_to_wire(state),
        "rehearsal": _rehearsal(decision, seen, before),
    }
    if state.given_up or is_settled(state):
        # what it was measured by is not computed any more, or stands in its report: what was told of it stays told
        status |= {key: before[key] for key in TOLD_BEFORE if key in before}
    return within_bounds(status)


def _conditions_of(before: Mapping[str, Any]) -> Iterator[ConditionStatus]:
    """The conditions as they were written; one that this version can't read is written anew."""
    for condition in before.get("conditions") or ():
        with suppress(ValidationError):
            yield ConditionStatus.model_validate(condition)


def _conditions(says: Iterable[WantedCondition], seen: Observation, before: Mapping[str, Any]) -> list[dict[str, Any]]:
    conditions = tuple(_conditions_of(before)) or initial_conditions(seen.now, seen.generation)
    for say in says:
        conditions = with_condition(
            conditions, say.type, say.status, say.reason, say.message, now=seen.now, generation=seen.generation
        )
    return [c.to_wire() for c in conditions]


def _workloads(seen: Observation) -> list[dict[str, Any]]:
    return [
        {"target": h.target[:256], "wanted": h.wanted, "ready": h.ready, "message": h.why[:256]}
        for h in seen.health[:MOST_WORKLOADS]
    ]


def _objective(o: ObjectiveResult) -> dict[str, Any]:
    lower = o.lower
    if lower is not None and o.verdict is ObjectiveVerdict.PENDING:
        lower = lower // CLOCK_STEP * CLOCK_STEP  # it still runs: each step of it is a status write
    return {
        "name": o.name,
        "verdict": o.verdict.value,
        "limit": format_duration(o.limit),
        "lower": format_duration(lower) if lower is not None else "",
        "upper": format_duration(o.upper) if o.upper is not None else "",
        "reason": o.reason,
        "ofMonitoring": is_of_monitoring(o),
    }


def _interference(seen: Observation) -> list[dict[str, Any]]:
    """The unattributed changes. One of a moment ago waits for what tells whose it was: that often comes after it."""
    changes = in_order(seen.facts, FactKind.INTERFERENCE)
    strange = [f for f in changes if seen.now - f.at.not_after >= TELLS_WHOSE]
    shown = [
        {
            "id": f.id,
            "who": str(f.detail.get("who", "")),
            "by": str(f.detail.get("by", "")),
            "notBefore": _stamp(f.at.not_before),
            "notAfter": _stamp(f.at.not_after),
            "what": f.evidence,
            "attribute": how_to_attribute(f.id, seen.name),
        }
        for f in strange[:MOST_INTERFERENCE]
    ]
    if len(strange) > MOST_INTERFERENCE:
        shown[-1]["what"] = f"and {len(strange) - MOST_INTERFERENCE} more that are not shown here; {shown[-1]['what']}"
    return shown


def _restore(state: State, seen: Observation) -> dict[str, Any] | None:
    if state.start_ex is None:
        return None
    complete = state.restored is not None and not seen.records
    fields = [
        {
            "target": o.target,
            "path": o.path,
            "before": o.before,
            "after": o.after,
            "now": o.now,
            "outcome": o.outcome,
            "who": o.who,
            "when": o.when,
        }
        for o in state.outcomes
    ]
    return {
        "complete": complete,
        "time": _stamp(state.restored) if complete else None,
        "fields": fields,
        "notes": list(state.notes),
        "workloads": _workloads(seen),
    }


def _rehearsal(decision: Decision, seen: Observation, before: Mapping[str, Any]) -> Any:
    """What would happen if the drill started now, as it was looked at last; nothing where it is not to be planned."""
    if seen.desired is not Desired.PLAN or decision.state.phase not in (Phase.PREFLIGHT, Phase.HELD):
        return None
    if decision.state.phase is Phase.HELD and not decision.passed:
        return before.get("rehearsal")
    return {
        "checks": [_check(c) for c in seen.checks],
        "channels": [_check(c) for c in seen.channels],
        "faults": [{"name": name, "does": list(plan.does)} for name, plan in seen.plans.items()],
    }


def _check(check: CheckResult) -> dict[str, Any]:
    return {"name": check.name, "passed": check.ok, "reason": check.reason or None, "message": check.message}


def _stamp(at: datetime | None) -> str | None:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None


def _clock(decision: Decision, seen: Observation, pace: int) -> tuple[str | None, str | None]:
    """T+ in scenario time; and what comes next, with the time left: in scenario time, too, once the clock runs."""
    fired = decision.assessment.milestone(MilestoneName.ALERT_FIRED)
    waited_for = list(_waited_for(decision, seen, pace if fired else 1))
    if fired is None:
        return None, "; ".join(waited_for) or None
    until = decision.state.end_ex or seen.now
    elapsed = timedelta(seconds=max(0, round((until - fired.at.middle).total_seconds() * pace)))
    step = CLOCK_STEP * pace
    clock = "T+" + format_duration(elapsed if decision.state.end_ex else elapsed // step * step)
    pending = [
        o
        for o in decision.assessment.objectives
        if o.verdict is ObjectiveVerdict.PENDING and o.start == MilestoneName.ALERT_FIRED
    ]
    if decision.state.phase is Phase.IN_PLAY and pending:
        due = min(pending, key=lambda o: o.limit)
        left = due.limit * pace - elapsed // step * step
        in_time = left > timedelta(0)
        waited_for.insert(0, f"{due.name} in {format_duration(left)}" if in_time else f"{due.name} overdue")
    return clock, "; ".join(waited_for) or None


def _waited_for(decision: Decision, seen: Observation, pace: int) -> Iterator[str]:
    for wait in waits(decision.state.phase, decision.assessment, seen):
        left = -((seen.now - wait.until) // CLOCK_STEP) * CLOCK_STEP * pace
        if left > timedelta(0):
            yield f"{wait.what} in {format_duration(left)} {wait.after}".rstrip()


def _message(decision: Decision, seen: Observation) -> str:
    state = decision.state
    if state.phase in TERMINAL:
        if state.verdict is None:
            return ""
        word, why = state.verdict.verdict.value, state.verdict.message
        return word if why.lower() == word.lower() else f"{word}: {why}"
    if state.phase is Phase.PREFLIGHT:
        failing = [c.message for c in seen.checks if not c.ok]
        return "; ".join([*failing, *seen.waiting.values()]) or "checking"
    if seen.stuck:
        return "; ".join(f"{name}: {why}" for name, why in seen.stuck.items())
    if state.phase in (Phase.ARMED, Phase.RECOVERING) and seen.waiting:
        return "; ".join(seen.waiting.values())
    waited_for = (_asked(seen) or _seen_in_part(seen)) if state.phase is Phase.ARMED else ""
    return waited_for or (decision.passed[-1].message if decision.passed else _standing(state))


def _unread(seen: Observation) -> str:
    """What of the evidence can't be read: the first of it, and how much more there is."""
    first, *others = seen.unread or ("",)
    more = f" (and {len(others)} more segment{'s' * (len(others) > 1)})" if others else ""
    return f"{first}{more}"


def _asked(seen: Observation) -> str:
    """What the facilitator is asked to do by hand and has not confirmed yet."""
    done = {f.detail.get("fault") for f in seen.facts if f.kind is FactKind.CONFIRMED and f.detail.get("step") == "Do"}
    profiles = seen.drill_plan.profiles if seen.drill_plan else ()
    return "; ".join(
        f"by hand: {p.asks} - then kubectl drill confirm {p.fault} do"
        for p in profiles
        if p.asks and p.fault not in done
    )


def _seen_in_part(seen: Observation) -> str:
    """How far the faults have come of which only a part of the effect was seen."""
    told = "; ".join(effect.words for effect in seen.effects.values() if effect.some)
    return f"fault injected; so far {told}" if told else ""


def _standing(state: State) -> str:
    return {
        Phase.HELD: "all is checked; waiting for kubectl drill start",
        Phase.ARMED: "fault injected; no effect seen yet",
        Phase.IN_PLAY: "in play: waiting for the players",
        Phase.RECOVERING: "restoring everything",
        Phase.HOT_WASH: "writing the report",
    }.get(state.phase, "")


def worth_writing(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether the two statuses differ in anything but the instant until which the watches stood.

    In a merge patch null means "remove", at any depth, so what is read back has no nulls.
    """

    def told(status: Mapping[str, Any]) -> Any:
        machine = {k: v for k, v in (status.get("machine") or {}).items() if k != "heard"}
        return without_nulls({**status, "machine": machine})

    return bool(told(after) != told(before))


def without_nulls(value: Any) -> Any:
    """A value as the API server keeps it after a merge patch."""
    if isinstance(value, str):  # nearly all of them
        return value
    if isinstance(value, Mapping):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    return [without_nulls(v) for v in value] if isinstance(value, list | tuple) else value

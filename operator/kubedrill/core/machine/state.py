"""The reducer's state, kept in `Drill.status.machine`, and what a turn observes.

The state is small: it holds decisions, not evidence. Evidence (facts) is stored beside it in segments and is
read again at every turn; milestones and verdicts are computed from it and never stored as an input.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any, Final

from kubedrill.api.drill import Desired
from kubedrill.api.drill_status import FaultStep
from kubedrill.core.evidence.facts import Fact, Interval, Series
from kubedrill.core.machine.phases import Phase
from kubedrill.core.measure.results import FieldOutcome, Verdict
from kubedrill.core.measure.verdicts import DrillVerdict
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.core.undo.health import Health
from kubedrill.core.undo.operations import Refusal
from kubedrill.core.undo.touches import Touches, touches_from_wire, touches_to_wire

NOT_IN: Final = frozenset({FaultStep.PLANNED, FaultStep.STARTED, FaultStep.FAILED})
"""The steps of a fault that is not in, as far as is known."""


@dataclass(frozen=True, slots=True)
class FaultState:
    """How far a fault is; `attempt` counts how often it was started, `record` names its undo record.

    `settled` are its parameters with everything filled in, as they were planned before anything was touched:
    what is read afterwards already shows the fault. `fingerprint` is that of its record when it was first seen,
    `touches` what it writes: as planned, then as the record has it.
    """

    name: str
    step: FaultStep = FaultStep.PLANNED
    attempt: int = 0
    target: str = ""
    record: str = ""
    message: str = ""
    settled: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: str = ""
    touches: Touches = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """Why play ended. `verdict` is set when the ending itself decides it, else the objectives do."""

    reason: str
    message: str
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class State:
    """All that is decided so far.

    `since` is when the phase was entered; `closed` are the undo records whose
    outcome stands in `outcomes`, so that they may be deleted. `heard` is the last instant at which every watch
    was known to stand: what is found after a restart happened after it. `imported` is the mark of the evidence
    that was imported and read; `reported` the revision of the written report; `scenario` the scenario as it was
    when the drill started: changing it afterwards changes nothing. `plan` is the hash of the plan that the drill is
    judged by from then on (empty: an earlier version has started it, and froze none). `planned_for` is the
    generation of the spec whose plan was stored while it is only to be planned. `failing` says which checks fail in the
    preflight, and `failing_since` since when it is these: the longer, the less often it is looked. `given_up` says why
    the drill can't go on: from then on it is only put back and ended, and nothing else of it is computed. `verdict` is
    given when the report is written; an earlier version has kept none.
    """

    phase: Phase = Phase.PENDING
    since: datetime | None = None
    faults: tuple[FaultState, ...] = ()
    start_ex: datetime | None = None
    deadline: datetime | None = None
    end_ex: datetime | None = None
    restored: datetime | None = None
    ending: Ending | None = None
    outcomes: tuple[FieldOutcome, ...] = ()
    closed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    reported: int = 0
    heard: datetime | None = None
    imported: str = ""
    scenario: Mapping[str, Any] = field(default_factory=dict)
    given_up: str = ""
    plan: str = ""
    planned_for: int = 0
    verdict: DrillVerdict | None = None
    failing: str = ""
    failing_since: datetime | None = None

    def with_phase(self, phase: Phase, now: datetime) -> State:
        """The state on entering a phase."""
        return replace(self, phase=phase, since=now)

    def with_faults(self, faults: Iterable[FaultState]) -> State:
        """The state with these faults."""
        return replace(self, faults=tuple(faults))

    def fault(self, name: str) -> FaultState:
        """One fault's state."""
        return next(f for f in self.faults if f.name == name)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One preflight check. `ok` is None while unknown. A `hard` failure won't pass by waiting.

    One that holds and has a `reason` warns of something that may be meant.
    """

    name: str
    ok: bool | None
    reason: str = ""
    message: str = ""
    hard: bool = False


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """What preflight planned for a fault: what it touches, and its parameters with everything filled in.

    `does` says in words what it would do, line by line.
    """

    target: str
    settled: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    touches: Touches = ()
    does: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EffectSoFar:
    """How far a fault has come that has not had all of its effect, in words; `some`: a part of it was seen."""

    words: str
    some: bool


@dataclass(frozen=True, slots=True)
class RecordSeen:
    """An undo record of this drill as it is stored now. `restored`: its fields are back, whatever is still awaited.

    `held` tells that its fault still holds its target's rollout, `taken_out` that the target was last seen without
    the fault. `touches` are by fault; `why` it can't be read.
    """

    name: str
    state: str
    faults: tuple[str, ...]
    target: str = ""
    fields: tuple[FieldOutcome, ...] = ()
    by: str = ""
    at: Interval | None = None
    notes: tuple[str, ...] = ()
    restored: bool = False
    held: bool = False
    taken_out: bool = False
    fingerprint: str = ""
    touches: Mapping[str, Touches] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """A level, not an edge: everything relevant, read anew at every turn.

    `channels` is what those to people have looked at, of a drill that is only planned: it keeps none from starting.

    `refusal` tells why there is no `drill_plan`. `waiting` tells what an undo waits for; `stuck` maps records to the
    reason why they can't be put back now. `reported` is the revision of the report that is written (0: none),
    `report_import` the mark of the imported evidence that it knows. `unchecked` are the stop conditions that can't be
    asked for now, and when each was known last. `health` tells of the workloads that the drill touched, once play is
    over. `cannot_go_on` says why the drill's turns can't be computed or stored; then nothing is known but its records,
    its finalizer and what is wanted of it. `traces`: whether a live read shows something of a fault that has no record
    (None: it could not be read). `accepted`: who has decided that the drill may end with what can't be verified. `ttl`:
    how long after its end it is to be deleted (None: never). `unread` says what of the stored evidence can't be read,
    a sentence a segment: what is not seen may stand there. `shortfalls` say why faults have had no effect in
    their time, `effects` how far those have come that have not had all of it. `name` is the drill's.
    """

    now: datetime
    drill_plan: DrillPlan | None = None
    refusal: Refusal | None = None
    desired: Desired = Desired.RUN
    stop_because: str = ""
    deleting: bool = False
    finalizer: bool = False
    checks: tuple[CheckResult, ...] = ()
    channels: tuple[CheckResult, ...] = ()
    plans: Mapping[str, PlannedFault] = field(default_factory=dict)
    facts: frozenset[Fact] = frozenset()
    series: Mapping[str, Series] = field(default_factory=dict)
    records: tuple[RecordSeen, ...] = ()
    stuck: Mapping[str, str] = field(default_factory=dict)
    waiting: Mapping[str, str] = field(default_factory=dict)
    generation: int = 0
    heard: datetime | None = None
    imported: str = ""
    reported: int = 0
    report_import: str = ""
    scenario: Mapping[str, Any] = field(default_factory=dict)
    unchecked: Mapping[str, datetime] = field(default_factory=dict)
    cannot_go_on: str = ""
    health: tuple[Health, ...] = ()
    traces: Mapping[str, bool | None] = field(default_factory=dict)
    accepted: str = ""
    ttl: timedelta | None = None
    unread: tuple[str, ...] = ()
    shortfalls: Mapping[str, str] = field(default_factory=dict)
    effects: Mapping[str, EffectSoFar] = field(default_factory=dict)
    name: str = ""


def _time(value: datetime | None) -> str | None:
    return value.isoformat() if value else None


VERSION: Final = 1
"""Of the stored state. It goes up when an older operator would misread a new state, not when a field is added."""
OUTCOME: Final = tuple(one.name for one in fields(FieldOutcome))


def _read(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def state_to_wire(state: State) -> dict[str, Any]:
    """The state as JSON for `status.machine`."""
    ending, verdict = state.ending, state.verdict
    return {
        "version": VERSION,
        "phase": state.phase.value,
        "since": _time(state.since),
        "startEx": _time(state.start_ex),
        "deadline": _time(state.deadline),
        "endEx": _time(state.end_ex),
        "restored": _time(state.restored),
        "reported": state.reported,
        "heard": _time(state.heard),
        "imported": state.imported,
        "scenario": dict(state.scenario),
        "givenUp": state.given_up,
        "plan": state.plan,
        "plannedFor": state.planned_for,
        "failing": state.failing,
        "failingSince": _time(state.failing_since),
        "closed": list(state.closed),
        "notes": list(state.notes),
        "faults": [
            {
                "name": f.name,
                "step": f.step.value,
                "attempt": f.attempt,
                "target": f.target,
                "record": f.record,
                "message": f.message,
                "settled": dict(f.settled),
                "fingerprint": f.fingerprint,
                "touches": touches_to_wire(f.touches),
            }
            for f in state.faults
        ],
        "ending": ending
        and {"reason": ending.reason, "message": ending.message, "verdict": ending.verdict and ending.verdict.value},
        "verdict": verdict
        and {
            "verdict": verdict.verdict.value,
            "reason": verdict.reason,
            "message": verdict.message,
            "score": verdict.score,
        },
        "outcomes": [
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
        ],
    }


def state_from_wire(wire: Mapping[str, Any] | None) -> State:
    """The state as it was stored; a drill that was never looked at is Pending. Fields that are unknown are left out.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it can't be read, or not by this version.
    """
    if not wire:
        return State()
    if int(wire.get("version", VERSION)) > VERSION:
        raise ValueError(f"the state has version {wire['version']}, and this operator knows {VERSION}: upgrade it")
    ending, verdict = wire.get("ending"), wire.get("verdict")
    return State(
        phase=Phase(wire["phase"]),
        since=_read(wire.get("since")),
        start_ex=_read(wire.get("startEx")),
        deadline=_read(wire.get("deadline")),
        end_ex=_read(wire.get("endEx")),
        restored=_read(wire.get("restored")),
        reported=int(wire.get("reported", 0)),
        heard=_read(wire.get("heard")),
        imported=wire.get("imported", ""),
        scenario=wire.get("scenario", {}),
        given_up=wire.get("givenUp", ""),
        plan=wire.get("plan", ""),
        planned_for=int(wire.get("plannedFor", 0)),
        failing=str(wire.get("failing", "")),
        failing_since=_read(wire.get("failingSince")),
        closed=tuple(wire.get("closed", ())),
        notes=tuple(wire.get("notes", ())),
        faults=tuple(
            FaultState(
                f["name"],
                FaultStep(f["step"]),
                int(f.get("attempt", 0)),
                f.get("target", ""),
                f.get("record", ""),
                f.get("message", ""),
                f.get("settled", {}),
                f.get("fingerprint", ""),
                touches_from_wire(f.get("touches")),
            )
            for f in wire.get("faults", ())
        ),
        ending=ending
        and Ending(ending["reason"], ending["message"], Verdict(ending["verdict"]) if ending.get("verdict") else None),
        verdict=verdict
        and DrillVerdict(
            Verdict(verdict["verdict"]), *(str(verdict.get(k, "")) for k in ("reason", "message", "score"))
        ),
        outcomes=tuple(FieldOutcome(**{k: o[k] for k in OUTCOME if k in o}) for o in wire.get("outcomes", ())),
    )

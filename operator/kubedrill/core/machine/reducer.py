"""The reducer: what a drill becomes and does, from what it is and what was seen. Pure, total, idempotent.

The law: nothing is touched before its undo is stored; whatever happens, what was touched is put back. So:
- an edge of the table is followed while one answers (h11's fixed point), and only then are commands derived;
- a fault's step `Started` is stored before its Inject command is carried out (persist before act);
- a stored undo record wins over the status: while there is one that can be read, there is a command that ends it;
- one that can't be read, or is gone while its fault may be in, is unknown and never taken for restored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from kubedrill.api.drill_status import FaultStep
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.core.machine.commands import (
    AddFinalizer,
    CloseRecord,
    Command,
    DeleteDrill,
    Deliver,
    InjectFaults,
    Release,
    RemoveFinalizer,
    Revert,
    Sustain,
    WriteReport,
)
from kubedrill.core.machine.expiry import is_done_with, is_expired
from kubedrill.core.machine.guards import GUARDS, NO_REPORT
from kubedrill.core.machine.judged import assessed, judged
from kubedrill.core.machine.phases import TABLE, TERMINAL, Phase
from kubedrill.core.machine.reasons import Reason
from kubedrill.core.machine.settled import committed, previewed
from kubedrill.core.machine.state import Ending, FaultState, Observation, RecordSeen, State
from kubedrill.core.machine.unverified import (
    MAY_BE_IN,
    UNREADABLE,
    doubtful_outcomes,
    in_doubt,
    lost,
    missing,
    record_of,
    traced,
    trusted,
)
from kubedrill.core.machine.waking import noted_failures, wake_at
from kubedrill.core.measure.assessment import Assessment
from kubedrill.core.measure.results import MilestoneName, Verdict
from kubedrill.core.undo.patches import FieldEnd


@dataclass(frozen=True, slots=True)
class Decision:
    """The new state, what to do once it is stored, and when to look again (None: when something happens).

    `passed` are the edges that were followed, in order; `assessment` is what the facts say so far; `unverified` is what
    can't be verified now (`core.machine.unverified`), by its record or fault, and why.
    """

    state: State
    assessment: Assessment
    commands: tuple[Command, ...] = ()
    wake_at: datetime | None = None
    passed: tuple[Reason, ...] = ()
    unverified: Mapping[str, str] = field(default_factory=dict)


def reduce(state: State, seen: Observation) -> Decision:
    """One turn of the machine."""
    so_far = assessed(state, seen)
    by_name = sorted(seen.records, key=lambda record: record.name)  # however they were listed
    seen = replace(seen, records=tuple(trusted(record, state) for record in by_name))
    state = replace(state, since=state.since or seen.now, heard=seen.heard or state.heard)
    state = _given_up(_absorbed(state, seen), seen)
    unknown = {f.name for f in missing(state, seen.records)}
    passed: list[Reason] = []
    for _ in range(len(Phase)):
        edge = next(((e, b) for e in TABLE[state.phase] if (b := GUARDS[e.guard](state, seen, so_far))), None)
        if edge is None:
            break
        passed.append(edge[1])
        state = _entered(state, edge[0].to, edge[1], seen)
    state = noted_failures(previewed(state, seen), seen)
    doubts = in_doubt(state, seen)
    state = judged(_advanced(_doubted(state, seen, doubts), seen), so_far)
    commands = tuple(_commands(state, seen, so_far, unknown))
    return Decision(state, so_far, commands, wake_at(state, seen), tuple(passed), doubts)


def _entered(state: State, phase: Phase, because: Reason, seen: Observation) -> State:
    """What changes with the phase itself."""
    state = state.with_phase(phase, seen.now)
    if because.ending is not None and state.ending is None:
        state = replace(state, ending=because.ending)
    if phase is Phase.ARMED and seen.drill_plan is not None:
        state = committed(state, seen)
    if phase is Phase.RECOVERING or (phase in TERMINAL and state.end_ex is None):
        state = replace(state, end_ex=state.end_ex or seen.now)
    if phase is Phase.RECOVERING:
        # only what was started is put back; when that was is lost with the status
        state = replace(state, start_ex=state.start_ex or seen.now)
    open_ended = [f.name for f in state.faults if f.step in MAY_BE_IN]
    still_open = open_ended or any(record.state != "Reverted" for record in seen.records)
    if phase in (Phase.HOT_WASH, *TERMINAL) and not still_open:
        state = replace(state, restored=state.restored or seen.now)
    if phase is Phase.HOT_WASH and open_ended:
        note = f"{', '.join(open_ended)}: not verified to be restored; {seen.accepted} decided that it may end"
        state = replace(state, notes=(*state.notes, note))
    if because.reason == NO_REPORT:
        state = replace(state, notes=(*state.notes, because.message))
    return previewed(state, seen)


def _given_up(state: State, seen: Observation) -> State:
    """Takes over why the drill can't go on. What was played so far is no longer known, so no objective decides."""
    if not seen.cannot_go_on or state.given_up or state.phase in TERMINAL:
        return state
    ending = state.ending
    if ending is not None and ending.verdict is None:
        ending = Ending("CannotGoOn", f"{ending.message}; then it could not go on: {seen.cannot_go_on}", Verdict.ERROR)
    return replace(state, given_up=seen.cannot_go_on, ending=ending, scenario={})


def _absorbed(state: State, seen: Observation) -> State:
    """Takes over what records and facts say of the faults, and the outcome of what was put back."""
    if seen.reported:
        state = replace(state, reported=seen.reported, imported=seen.report_import)
    if not state.faults and seen.records:
        names = dict.fromkeys(n for r in seen.records for n in r.faults)
        state = state.with_faults(FaultState(n, FaultStep.STARTED, 1) for n in names)
    # a record that is open again under a name that was closed is another one, and its end is to be told anew
    again = {r.name for r in seen.records if r.state not in ("Reverted", UNREADABLE)}
    state = replace(state, closed=tuple(name for name in state.closed if name not in again))
    state = state.with_faults(_absorb_fault(f, state, seen) for f in state.faults)
    for record in seen.records:
        if record.state == "Reverted" and record.name not in state.closed:
            state = replace(
                state,
                closed=(*state.closed, record.name),
                outcomes=(*state.outcomes, *record.fields),
                notes=(*state.notes, *record.notes),
            )
    if state.phase is Phase.RECOVERING and state.restored is None and _is_restored(state, seen):
        state = replace(state, restored=seen.now)
    return state


def _is_restored(state: State, seen: Observation) -> bool:
    """Whether every touched field is back, although something may still be cleared away."""
    open_ones = {name for r in seen.records for name in r.faults}
    rest = (f for f in state.faults if f.name not in open_ones)
    return (
        bool(seen.records)
        and all(r.restored for r in seen.records)
        and all(f.step in (FaultStep.REVERTED, FaultStep.PLANNED) for f in rest)
    )


def _absorb_fault(fault: FaultState, state: State, seen: Observation) -> FaultState:
    record = record_of(fault, seen.records)
    failed = next(
        (
            f
            for f in seen.facts
            if f.kind is FactKind.FAULT_FAILED
            and f.detail.get("fault") == fault.name
            and f.detail.get("attempt", fault.attempt) == fault.attempt
        ),
        None,
    )
    if record is None:
        return _without_record(fault, state, seen, failed)
    known = fault
    if record.state != UNREADABLE:
        known = replace(
            fault,
            record=record.name,
            target=record.target or fault.target,
            step=_step_of(record, fault),
            fingerprint=record.fingerprint,
            touches=record.touches.get(fault.name, fault.touches),
        )
    if known.step is FaultStep.STARTED and failed is not None and state.phase is Phase.ARMED:
        # it is intended and can't be done any more: waiting would change nothing, and the record is put back
        return replace(known, step=FaultStep.FAILED, message=str(failed.detail.get("message", "")))
    return known


def _without_record(fault: FaultState, state: State, seen: Observation, failed: Fact | None) -> FaultState:
    """A fault of which no record is there: closed by us, never stored, or removed by somebody else.

    Which of these it is, a live read of its target tells: nothing is taken for restored, and nothing is started
    anew (the fault's own values would be taken for the baseline) unless that shows nothing of it.
    """
    over = state.phase in (Phase.RECOVERING, *TERMINAL)
    if fault.step in (FaultStep.STARTED, FaultStep.FAILED):
        if fault.step is FaultStep.STARTED and failed is not None:
            return replace(fault, step=FaultStep.FAILED, message=str(failed.detail.get("message", "")))
        if not (over or (fault.step is FaultStep.STARTED and state.phase is Phase.ARMED)):
            return fault
        there = traced(fault, seen.traces)
        if fault.record and fault.record in state.closed:
            there = False  # it was put back
        if there:
            return lost(fault)
        # Started, but no record: the operator went away in between, and nothing was touched. That attempt
        # counts as reverted; while the drill is armed a new one is started, stored anew, and takes the lock.
        return fault if there is None else replace(fault, step=FaultStep.REVERTED if over else FaultStep.PLANNED)
    if fault.step in (FaultStep.INJECTED, FaultStep.REVERTING, FaultStep.UNVERIFIED):
        if fault.record and fault.record in state.closed:
            return replace(fault, step=FaultStep.REVERTED)
        if over and traced(fault, seen.traces) is False:
            return replace(
                fault,
                step=FaultStep.REVERTED,
                message="its undo record was removed by somebody else; a live read shows nothing of it",
            )
        return lost(fault)
    return fault


def _doubted(state: State, seen: Observation, doubts: Mapping[str, str]) -> State:
    """What can't be verified makes the drill an Error, and stands among the outcomes for as long as that is so."""
    outcomes = (*(o for o in state.outcomes if o.outcome != FieldEnd.UNVERIFIED), *doubtful_outcomes(state, seen))
    state = replace(state, outcomes=outcomes)
    ending = state.ending
    if doubts and state.phase is Phase.RECOVERING and ending is not None and ending.verdict is not Verdict.ERROR:
        message = f"{ending.message}; " + "; ".join(f"{name}: {why}" for name, why in doubts.items())
        state = replace(state, ending=Ending("UndoUnverified", message[:1000], Verdict.ERROR))
    return state


def _step_of(record: RecordSeen, fault: FaultState) -> FaultStep:
    if record.state == "Intended":
        return FaultStep.STARTED
    if record.state == "Injected" and fault.step is not FaultStep.REVERTING:
        return FaultStep.INJECTED
    return FaultStep.REVERTED if record.state == "Reverted" else FaultStep.REVERTING


def _advanced(state: State, seen: Observation) -> State:
    """The next step of each fault, stored before the command that does it."""
    if state.phase is Phase.ARMED and seen.drill_plan is not None:
        return state.with_faults(
            replace(f, step=FaultStep.STARTED, attempt=f.attempt + 1, record="", fingerprint="")
            if f.step is FaultStep.PLANNED
            else f
            for f in state.faults
        )
    if state.phase is Phase.RECOVERING:
        return state.with_faults(
            replace(f, step=FaultStep.REVERTING) if f.step is FaultStep.INJECTED else f for f in state.faults
        )
    return state


def _commands(state: State, seen: Observation, so_far: Assessment, unknown: Collection[str]) -> Iterator[Command]:
    """What is to be done. `unknown` are faults without a record of which nobody knows yet whether they are in."""
    if state.phase is Phase.PREFLIGHT and not seen.finalizer and not seen.deleting and all(c.ok for c in seen.checks):
        yield AddFinalizer()
    if state.phase is Phase.ARMED:
        begun = tuple(f.name for f in state.faults if f.step is FaultStep.STARTED and f.name not in unknown)
        if begun:
            yield InjectFaults(begun)
    if state.phase in (Phase.ARMED, Phase.IN_PLAY):
        yield from (Sustain(r.name) for r in seen.records if r.state == "Injected")
        yield from (Release(r.name) for r in seen.records if r.state == "Injected" and r.held and r.taken_out)
    if state.phase is Phase.IN_PLAY:
        yield from _injects(seen, so_far)
    if state.phase is Phase.RECOVERING or state.phase in TERMINAL:
        yield from _ends_of(seen.records, state)
    if state.phase is Phase.HOT_WASH and not state.reported and seen.drill_plan is not None:
        yield WriteReport(1)
    late = seen.imported != state.imported and not seen.deleting and seen.drill_plan is not None
    if state.phase in TERMINAL and state.start_ex and late:
        # evidence that came later makes a new revision; the verdict stays as it was given
        yield WriteReport(state.reported + 1)
    yield from _last(state, seen)


def _last(state: State, seen: Observation) -> Iterator[Command]:
    """The last arrows of the protocol: the finalizer goes, and in its time the Drill, if that is wanted."""
    doubted = any(f.step in MAY_BE_IN for f in state.faults) and not seen.accepted
    if (
        seen.finalizer
        and not seen.records
        and not doubted
        and (state.phase in TERMINAL or (seen.deleting and state.phase is Phase.HOT_WASH))
    ):
        yield RemoveFinalizer()  # an ended drill can be deleted without us
    if is_expired(state, seen) and is_done_with(state, seen):
        yield DeleteDrill()


def _ends_of(records: tuple[RecordSeen, ...], state: State) -> Iterator[Command]:
    for record in records:
        if record.state == UNREADABLE:
            continue
        if record.state != "Reverted":
            yield Revert(record.name)
        elif record.name in state.closed:
            yield CloseRecord(record.name)


def _injects(seen: Observation, so_far: Assessment) -> Iterator[Deliver]:
    fired = so_far.milestone(MilestoneName.ALERT_FIRED)
    if fired is None or seen.drill_plan is None:
        return
    given = {f.detail.get("inject") for f in seen.facts if f.detail.get("inject")}
    for inject in seen.drill_plan.injects:
        if inject.name not in given and seen.now >= fired.at.not_after + inject.at:
            yield Deliver(inject.name)

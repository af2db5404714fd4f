"""What of a drill's undo can't be verified.

Records that can't be read, that say something else than when they were stored, or that are gone while their fault may
be in.
What can't be read is unknown, never gone: the drill goes on waiting for it, tells of it, and ends only when it is
readable again, a live read shows nothing of the fault, or somebody has decided that it may end (break-glass).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Final

from kubedrill.api.drill_status import FaultStep
from kubedrill.core.machine.phases import TERMINAL, Phase
from kubedrill.core.machine.state import FaultState, Observation, RecordSeen, State
from kubedrill.core.measure.results import FieldOutcome
from kubedrill.core.undo.genuine import differs
from kubedrill.core.undo.record import cut, shown
from kubedrill.core.undo.touches import unverified

UNREADABLE: Final = "Unreadable"
"""The state of a record that nobody carries out: what it holds is unknown, or not what it should be."""
LOOKED_AT: Final = frozenset({Phase.ARMED, Phase.IN_PLAY, Phase.RECOVERING, *TERMINAL})
MAY_BE_IN: Final = frozenset({FaultStep.STARTED, FaultStep.INJECTED, FaultStep.REVERTING, FaultStep.UNVERIFIED})
WAY_OUT: Final = "see docs/how-to/break-glass.md"


def trusted(record: RecordSeen, state: State) -> RecordSeen:
    """A record as it counts: one that differs from what the Drill noted of it counts as one that can't be read."""
    noted = next((f.fingerprint for f in state.faults if f.record == record.name and f.fingerprint), "")
    if record.name in state.closed or not differs(record.fingerprint, noted):
        return record
    return RecordSeen(
        record.name,
        UNREADABLE,
        (),
        record.target,
        why="it says something else than when it was stored: it is not carried out",
    )


def record_of(fault: FaultState, records: Collection[RecordSeen]) -> RecordSeen | None:
    """The record of a fault, be it unreadable. One that can't be read may be that of any fault that has begun."""
    named = [r for r in records if fault.name in r.faults]
    unread = [r for r in records if r.state == UNREADABLE]
    chosen = [r for r in (*named, *unread) if r.name == fault.record] or named
    if not chosen and not fault.record and fault.step in (FaultStep.STARTED, FaultStep.FAILED):
        chosen = unread
    return chosen[0] if chosen else None


def missing(state: State, records: Collection[RecordSeen]) -> Iterator[FaultState]:
    """The faults that may be in although no record of them is there and none was closed."""
    for fault in state.faults:
        open_ended = fault.step in MAY_BE_IN or fault.step is FaultStep.FAILED
        if open_ended and record_of(fault, records) is None and not (fault.record and fault.record in state.closed):
            yield fault


def traced(fault: FaultState, traces: Mapping[str, bool | None]) -> bool | None:
    """Whether something of a fault is there, by a live read; None: it could not be read.

    Where nothing is known of what it touches, one whose record was never seen counts as never in.
    """
    if fault.name in traces:
        return traces[fault.name]
    if not fault.touches:
        return bool(fault.record)
    return None


def in_doubt(state: State, seen: Observation) -> Mapping[str, str]:
    """What can't be verified now and why: by its record, by its fault where no record was ever seen."""
    found = {r.name: f"it can't be read: {r.why}; {WAY_OUT}" for r in seen.records if r.state == UNREADABLE}
    given_up = seen.accepted and state.phase in (Phase.RECOVERING, Phase.HOT_WASH, *TERMINAL)
    lost = (f for f in state.faults if f.step is FaultStep.UNVERIFIED)
    return found if given_up else found | {f.record or f.name: f.message for f in lost}


def lost(fault: FaultState) -> FaultState:
    """A fault whose undo record is gone, with what people need to put it back by hand."""
    values = "; ".join(
        f"{touch.target} {field.path}: {cut(shown(field.before))} (the drill made it {cut(shown(field.after))})"
        for touch in fault.touches
        for field in touch.fields
    )
    record = f"its undo record {fault.record}" if fault.record else "its undo record"
    by_hand = f"Restore by hand: {values}" if values else "What it touched has to be looked at by hand"
    message = f"{record} is gone, and not by us, while the fault may be in; {WAY_OUT}. {by_hand}"
    return replace(fault, step=FaultStep.UNVERIFIED, message=message[:1000])


def doubtful_outcomes(state: State, seen: Observation) -> tuple[FieldOutcome, ...]:
    """The outcome of every field that can't be verified now."""
    unread = {r.name for r in seen.records if r.state == UNREADABLE}
    faults = (
        f
        for f in state.faults
        if f.step is FaultStep.UNVERIFIED or (f.record in unread and f.step is not FaultStep.REVERTED)
    )
    return tuple(outcome for f in faults for outcome in unverified(f.touches, f.target, f.name))

"""What the machine keeps of its state in the Drill's status: all that it decides by, and of what people read a bound.

A status that is too long can't be stored, and nothing that follows from it is done. So texts are cut (in bytes) and
long lists end; times, digests, what a fault was settled to and names as long as the API server takes them are not cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from kubedrill.api.drill import EVIDENCE_MARK
from kubedrill.core.machine.bounds import cut_bytes, size_of
from kubedrill.core.machine.state import FaultState, State, state_to_wire
from kubedrill.core.measure.results import FieldOutcome

MOST_OUTCOMES: Final = 200
"""As many as the status shows."""
MOST_NOTES: Final = 50
OUTCOME_BYTES: Final = 160 * 1024
_LONGEST: Final = (256, 96, 16)
"""Bytes of an outcome's text: the fewer, the longer all of them are as JSON."""
MARK_BYTES: Final = 256
_CONTROLS: Final = dict.fromkeys(range(32), " ")
_BACK: Final = ("Restored", "Untouched")


def kept(state: State) -> State:
    """The state within its bounds; bounded again it is the same."""
    for longest in _LONGEST:
        stored = _kept(state, longest)
        if size_of(state_to_wire(stored)["outcomes"]) <= OUTCOME_BYTES:
            break
    return stored


def imported_mark(metadata: Mapping[str, Any]) -> str:
    """The mark of the evidence that was imported last, as a Drill or a report carries it, within its bound.

    Whoever compares two marks reads both of them here: else one that was cut would seem new for ever.
    """
    return _cut(str((metadata.get("annotations") or {}).get(EVIDENCE_MARK, "")), MARK_BYTES)


def _kept(state: State, longest: int) -> State:
    ending, verdict = state.ending, state.verdict
    return replace(
        state,
        verdict=verdict
        and replace(
            verdict,
            reason=_cut(verdict.reason, 256),
            message=_cut(verdict.message, 4096),
            score=_cut(verdict.score, 1024),
        ),
        faults=tuple(map(_fault, state.faults)),
        ending=ending and replace(ending, reason=_cut(ending.reason, 256), message=_cut(ending.message, 4096)),
        outcomes=tuple(_outcome(one, longest) for one in _worst(state.outcomes)),
        notes=_notes(state.notes),
        given_up=_cut(state.given_up, 1024),
    )


def _fault(fault: FaultState) -> FaultState:
    """Of its record and target more is kept than the longest name takes."""
    return replace(
        fault,
        target=_cut(fault.target, 512),
        record=_cut(fault.record, 256),
        message=_cut(fault.message, 1024),
    )


def _outcome(one: FieldOutcome, longest: int) -> FieldOutcome:
    return FieldOutcome(
        _cut(one.target, longest),
        _cut(one.path, longest),
        _cut(one.before, longest),
        _cut(one.after, longest),
        _cut(one.now, longest),
        _cut(one.outcome, min(longest, 63)),
        _cut(one.who, longest),
        _cut(one.when, min(longest, 64)),
    )


def _worst(outcomes: tuple[FieldOutcome, ...]) -> Iterable[FieldOutcome]:
    """Of too many, those that are not back come first: whether a drill may be forgotten rests on them."""
    if len(outcomes) <= MOST_OUTCOMES:
        return outcomes
    return sorted(outcomes, key=lambda one: one.outcome in _BACK)[:MOST_OUTCOMES]


def _notes(notes: tuple[str, ...]) -> tuple[str, ...]:
    if len(notes) > MOST_NOTES:
        notes = (*notes[: MOST_NOTES - 1], "and more notes than are kept")
    return tuple(_cut(note, 1024) for note in notes)


def _cut(text: str, most: int) -> str:
    """The text in so many bytes. A control character, which is six bytes of JSON, becomes a space."""
    return cut_bytes(text[: most + 1].translate(_CONTROLS), most)

"""Whether the cluster is as it was before the drill: in a sentence, then field by field."""

from __future__ import annotations

from dataclasses import dataclass

from kubedrill.core.findings.left_over import field_words, left_over
from kubedrill.core.measure.results import DrillRecord, FieldOutcome
from kubedrill.plugins.reports.wording import clock_of, printable, real_time


@dataclass(frozen=True, slots=True)
class FieldRow:
    """What became of one touched field."""

    target: str
    path: str
    before: str
    after: str
    now: str
    outcome: str
    put_back_by: str


@dataclass(frozen=True, slots=True)
class PutBack:
    """Whether the cluster is as it was, in a sentence; what players left; field by field."""

    complete: bool
    sentence: str
    left_over: str
    fields: tuple[FieldRow, ...]
    notes: tuple[str, ...]


def put_back(record: DrillRecord) -> PutBack:
    """The proof that everything is back, in words first."""
    done = record.restoration
    if done is None:
        said = "Nothing is known about restoring." if record.live else "Replayed: no cluster was touched."
        return PutBack(complete=not record.live, sentence=said, left_over="", fields=(), notes=())
    fields = tuple(_field(f) for f in done.fields)
    when = f" at {real_time(done.at.not_after)} ({clock_of(record, done.at)})" if done.at else ""
    if done.complete:
        checked = _counted(len(fields), "field")
        sentence = f"Everything was restored{when}: {checked} checked, no undo record and no fake job left."
    else:
        fields_left = sum(f.outcome in ("NotRestored", "CarriedOver", "Unverified") for f in done.fields)
        counted = ((fields_left, "field"), (done.jobs_left, "fake job"), (done.records_left, "undo record"))
        left_behind = ", ".join(_counted(number, noun) for number, noun in counted if number)
        sentence = f"NOT everything was restored: {left_behind or 'not every undo was verified'}."
    left = [f for f in done.fields if f.outcome in ("Superseded", "KeptPlayerEdit") and f.now != f.before]
    kept = [
        f"{field_words(f.path)} of {f.target} is {f.now}, was {f.before}" + (f" ({f.who})" if f.who else "")
        for f in left
    ]
    # beside what the drill wrote itself: a scale-up, for example
    others = left_over(record.facts, ((f.target, f.path) for f in done.fields))
    kept += [f"{one} ({one.by})" for one in others if one.back is None]
    words = printable("; ".join(kept)) or "nothing"
    return PutBack(done.complete, sentence, words, fields, tuple(printable(n) for n in done.notes))


def _field(f: FieldOutcome) -> FieldRow:
    by = {"Restored": "operator", "Untouched": f.who or "a player or the owner"}.get(f.outcome, f.who)
    return FieldRow(*(printable(x) for x in (f.target, f.path, f.before, f.after, f.now, f.outcome, by)))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number or 'no'} {noun}s"

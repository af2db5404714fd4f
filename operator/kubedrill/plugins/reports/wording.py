"""How a drill is put in words: times, the headline, what became of an objective. All formats share these.

Times are shown in *scenario time*, i.e. real time × pace, because limits are written in it. Bounds are
rounded outwards, so that the words never claim more than was measured.
"""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta

from kubedrill.core.evidence.facts import FactKind, Interval
from kubedrill.core.measure.results import DrillRecord, ObjectiveResult, ObjectiveVerdict, Verdict
from kubedrill.core.measure.score import is_of_monitoring

ZERO = timedelta(0)
_MINUTES_FROM = timedelta(minutes=2)
# Control characters, lone surrogates and marks that change the direction of writing: none is of use in a
# report, and some deceive a reader or are forbidden in XML.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)


def printable(text: str) -> str:
    """The text with the replacement character for each one that must not reach a reader's screen."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def sentence_case(name: str) -> str:
    """`client-notification` as people write it: `Client notification`; `escalation-l2`: `Escalation L2`."""
    words = re.sub(r"\b[lp](?=\d\b)", lambda m: m[0].upper(), printable(name).replace("-", " ").strip())
    return words[:1].upper() + words[1:]


def milestone_words(key: str) -> str:
    """`EscalationEngaged[L2]` as people write it: `Escalation engaged: L2`."""
    name, _, level = printable(key).partition("[")
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()
    return f"{words}: {level.rstrip(']')}" if level else words


def _outwards(value: float, digits: int, *, up: bool) -> float:
    scale = float(10**digits)
    # Binary fractions of decimal seconds must not push a whole number to the next one.
    scaled = round(value * scale, 6)
    return (math.ceil(scaled) if up else math.floor(scaled)) / scale


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0").replace("-", "−")


def span(lower: timedelta, upper: timedelta, join: str = "–") -> str:
    """Two bounds as one phrase, rounded outwards, in seconds below two minutes: `23–28 min`, `9–41 s`."""
    seconds = upper < _MINUTES_FROM
    digits, unit, per = (0, "s", 1.0) if seconds else (1, "min", 60.0)
    low = _number(_outwards(lower.total_seconds() / per, digits, up=False))
    high = _number(_outwards(upper.total_seconds() / per, digits, up=True))
    if low.startswith("−"):
        join = " to "
    return f"{low} {unit}" if low == high else f"{low}{join}{high} {unit}"


def length(duration: timedelta) -> str:
    """One duration, rounded to the nearest: `20 min`, `2.5 min`, `45 s`."""
    if duration < _MINUTES_FROM:
        return f"{_number(round(duration.total_seconds()))} s"
    return f"{_number(duration.total_seconds() / 60)} min"


def clock(offset: timedelta) -> str:
    """An offset from T+0 to the second: `T+23:00`, `T−10:00`, `T+1:02:03`."""
    seconds = round(abs(offset).total_seconds())
    sign = "−" if offset < ZERO and seconds else "+"
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"T{sign}{hours}:{minutes:02}:{seconds:02}" if hours else f"T{sign}{minutes}:{seconds:02}"


def offset(record: DrillRecord, at: datetime) -> timedelta:
    """An instant as scenario time since T+0 (the middle of its interval), else since the drill's start."""
    start = zero(record)
    return (at - start) * record.pace if start else ZERO


def zero(record: DrillRecord) -> datetime | None:
    """The instant that is drawn as T+0; the drill's start when its alert never fired."""
    if record.clock_start:
        return record.clock_start.middle
    return record.started


def clock_of(record: DrillRecord, at: Interval) -> str:
    """An interval on the drill's clock: `T+23:00–28:00`; one time when both ends are the same second."""
    first, last = clock(offset(record, at.not_before)), clock(offset(record, at.not_after))
    if first == last:
        return first
    return f"{first}–{last[2:]}" if last.startswith("T+") and first.startswith("T+") else f"{first} to {last}"


def real_time(at: datetime) -> str:
    """An instant as the wall clock of the drill's time zone shows it."""
    return at.strftime("%H:%M:%S")


def peoples(record: DrillRecord) -> tuple[ObjectiveResult, ...]:
    """The objectives that are about people, not about the monitoring's own delay."""
    return tuple(o for o in record.objectives if not is_of_monitoring(o))


def met_of(record: DrillRecord) -> tuple[int, int]:
    """How many of people's objectives were met, and how many apply: those whose clock started."""
    counted = [o for o in peoples(record) if o.verdict is not ObjectiveVerdict.NOT_STARTED]
    return sum(o.verdict is ObjectiveVerdict.MET for o in counted), len(counted)


def pace_of(objective: ObjectiveResult, pace: float) -> float:
    """By how much an objective's times are multiplied to be shown: what the monitoring has to keep is never sped up."""
    return 1.0 if is_of_monitoring(objective) else pace


def measured(objective: ObjectiveResult, pace: float) -> str:
    """What was measured: `23–28 min`, `> 41 min` when it was never reached, `–` when nothing is known."""
    pace = pace_of(objective, pace)
    if objective.lower is None:
        return "–"
    if objective.upper is None:
        return f"> {length(objective.lower * pace)}"
    return span(objective.lower * pace, objective.upper * pace)


def objective_sentence(objective: ObjectiveResult, pace: float) -> str:
    """One objective as a sentence: `Mitigation took 23–28 min, limit 20: 3 to 8 min late.`"""
    pace = pace_of(objective, pace)
    name, limit = sentence_case(objective.name), objective.limit * pace
    reason = f" ({printable(objective.reason).rstrip('.')})" if objective.reason else ""
    match objective.verdict:
        case ObjectiveVerdict.NOT_STARTED:
            return f"{name} was not measured{reason}: its clock never started."
        case ObjectiveVerdict.PENDING:
            return f"{name} is still open, limit {length(limit)}."
        case ObjectiveVerdict.INDETERMINATE if objective.lower is None or objective.upper is None:
            return f"{name} can't be judged{reason}, limit {length(limit)}."
        case ObjectiveVerdict.INDETERMINATE:
            return f"{name} took {measured(objective, pace)}; the limit, {length(limit)}, lies inside{reason}."
        case ObjectiveVerdict.MISSED if objective.lower is None or objective.upper is None:
            waited = f" within {length(objective.lower * pace)}" if objective.lower else ""
            return f"{name} was not reached{waited}, limit {length(limit)}."
    return _timed_sentence(name, objective, pace)


def _timed_sentence(name: str, objective: ObjectiveResult, pace: float) -> str:
    lower, upper, limit = (
        (objective.lower or ZERO) * pace,
        (objective.upper or ZERO) * pace,
        objective.limit * pace,
    )
    if upper < ZERO:
        return f"{name} came {span(-upper, -lower)} before its clock started."
    took, allowed = span(lower, upper), length(limit)
    if allowed.rpartition(" ")[2] == took.rpartition(" ")[2]:
        allowed = allowed.rpartition(" ")[0]
    if objective.verdict is ObjectiveVerdict.MISSED:
        return f"{name} took {took}, limit {allowed}: {span(lower - limit, upper - limit, ' to ')} late."
    return f"{name} took {took}, limit {allowed}: {length(limit - upper)} to spare."


def closest(record: DrillRecord) -> ObjectiveResult | None:
    """Of the objectives that were met, the one that used up the largest share of its limit."""
    met = [o for o in peoples(record) if o.verdict is ObjectiveVerdict.MET and o.upper is not None and o.limit > ZERO]
    return max(met, key=lambda o: (o.upper or ZERO) / o.limit, default=None)


def headline(record: DrillRecord) -> str:
    """The drill in one sentence or two: what was met, then what was not and by how much.

    A drill that could not be measured (Error) or was stopped says that first.
    """
    met, of = met_of(record)
    counted = f"{met} of {of} met." if of else "Nobody was measured."
    why = printable(record.verdict_message or record.verdict_reason).strip().rstrip(".")
    if record.verdict is Verdict.ERROR:
        return f"The drill could not be judged: {why or 'an error'}."
    if record.verdict is Verdict.STOPPED:
        return f"Stopped{_after(record)}: {why or 'by the facilitator'}. {counted}"
    return " ".join([counted, *_worth_saying(record)])


def _after(record: DrillRecord) -> str:
    if not record.started or not record.ended:
        return ""
    return f" after {length((record.ended - record.started) * record.pace)}"


def _worth_saying(record: DrillRecord) -> list[str]:
    verdicts = (ObjectiveVerdict.MISSED, ObjectiveVerdict.INDETERMINATE)
    notable = [o for verdict in verdicts for o in record.objectives if o.verdict is verdict]
    if notable:
        said = [objective_sentence(o, record.pace) for o in notable[:2]]
        return [*said, f"{len(notable) - 2} more below."] if len(notable) > 2 else said
    tightest = closest(record)
    return [f"The tightest: {objective_sentence(tightest, record.pace)}"] if tightest else []


def assisted(record: DrillRecord) -> bool:
    """Whether the facilitator gave a hint: what came after it is not the team's alone."""
    return any(f.kind is FactKind.HINT_GIVEN for f in record.facts)


def verdict_word(verdict: Verdict | None) -> str:
    """The verdict for programs: Passed, Failed, …; `Unfinished` while there is none."""
    return str(verdict) if verdict else "Unfinished"

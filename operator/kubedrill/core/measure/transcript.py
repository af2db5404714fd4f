"""A transcript: a drill as timed facts, judged by the same code as a live one, without a cluster.

It serves whoever wants to see what a drill and its report look like, a drill that was held at a table, and
the tests. Times are offsets from T+0, the firing of the alert: `at: 3m`, or `between: [23m, 28m]` where only
bounds are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, Field, ValidationError
from pydantic_core import ErrorDetails

from kubedrill.api.base import ApiModel, Duration, Line, Name, Text, Word
from kubedrill.api.durations import parse_duration
from kubedrill.api.roster import RosterPerson
from kubedrill.api.scenario import Credit, GroundTruth, Objective
from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Sample, Series, Source
from kubedrill.core.measure.assessment import assess
from kubedrill.core.measure.drill_record import Circumstances, assemble
from kubedrill.core.measure.results import DrillRecord
from kubedrill.core.measure.verdicts import give_verdict
from kubedrill.core.measure.windows import IMPACT
from kubedrill.core.plan.drill_plan import AlertWanted, DrillPlan, Endpoint, ImpactFall, Limit, Participant

Offset = Annotated[str, Field(pattern=r"^-?([0-9]+(\.[0-9]+)?(ms|s|m|h))+$", max_length=32)]
ZERO: Final = timedelta(0)
BY_HAND: Final = (
    "From a transcript: the times are as somebody wrote them down, not measured.",
    "An interval where the text gives only an earliest and a latest time.",
)


class TranscriptError(ValueError):
    """What is wrong with a transcript, one line each: where, and what to do."""


class TranscriptAlert(ApiModel):
    """The alert whose firing is T+0; `within` is how soon after the fault's effect it should have fired."""

    name: Word
    within: Duration | None = None


class TranscriptFact(ApiModel):
    """One fact: when (`at`, or `between` two offsets), what, by which player, and how one knows."""

    fact: FactKind
    at: Offset | None = None
    between: tuple[Offset, Offset] | None = None
    by: Line = ""
    evidence: Text = ""
    detail: dict[str, Any] = Field(default_factory=dict)


class ImpactSample(ApiModel):
    """A value of the impact that the text gives."""

    at: Offset
    value: float


class TranscriptImpact(ApiModel):
    """What the text tells of the impact's curve, for the drawing; `threshold` is the alert's."""

    threshold: float | None = None
    samples: list[ImpactSample] = Field(default_factory=list, max_length=10_000)


class Transcript(ApiModel):
    """A whole drill."""

    name: Name
    title: Line
    narrative: Text = ""
    facilitator: Line = ""
    start: AwareDatetime
    ends: Offset
    alert: TranscriptAlert
    ground_truth: GroundTruth = Field(default_factory=GroundTruth)
    players: list[RosterPerson] = Field(min_length=1, max_length=50)
    objectives: list[Objective] = Field(min_length=1, max_length=30)
    impact: TranscriptImpact = Field(default_factory=TranscriptImpact)
    facts: list[TranscriptFact] = Field(min_length=1, max_length=5_000)


def read_transcript(wire: object) -> Transcript:
    """A transcript from what a YAML file holds.

    Raises:
        TranscriptError: something is wrong with it; every fault is named at once.
    """
    if not isinstance(wire, Mapping):
        raise TranscriptError("a transcript is a mapping with name, title, start, alert, players and facts")
    try:
        transcript = Transcript.model_validate(wire)
    except ValidationError as wrong:
        raise TranscriptError("\n".join(_told(error) for error in wrong.errors())) from wrong
    problems = list(_problems(transcript))
    if problems:
        raise TranscriptError("\n".join(problems))
    return transcript


def _told(error: ErrorDetails) -> str:
    where = ".".join(str(part) for part in error["loc"])
    given = error.get("input")
    if error["type"] == "enum":
        near = get_close_matches(str(given), list(FactKind), n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(near)}?" if near else f"write one such as {FactKind.ACKNOWLEDGED}"
        return f"{where}: there is no fact {given!r}; {hint}"
    if error["type"] == "string_pattern_mismatch":
        return f"{where}: {given!r} is not a time; write, for example, 90s, 15m, 1h30m or -10m"
    if error["type"] == "timezone_aware":
        return f"{where}: {given} has no time zone; write one such as 2025-11-04T09:15:00-05:00"
    if error["type"] == "extra_forbidden":
        return f"{where}: there is no such field; leave it out"
    return f"{where}: {error['msg']}"


def _problems(transcript: Transcript) -> list[str]:
    names = [p.name for p in transcript.players]
    found = []
    for number, fact in enumerate(transcript.facts):
        where = f"facts.{number} ({fact.fact})"
        if (fact.at is None) == (fact.between is None):
            found.append(f"{where}: say exactly one of at and between")
        elif fact.between and _offset(fact.between[0]) > _offset(fact.between[1]):
            found.append(f"{where}.between: {fact.between[0]} is later than {fact.between[1]}; swap them")
        if fact.by and fact.by not in names:
            found.append(f"{where}.by: {fact.by} does not play; the players are {', '.join(names)}")
    return found


def _offset(text: str) -> timedelta:
    return -parse_duration(text[1:]) if text.startswith("-") else parse_duration(text)


def replayed(transcript: Transcript) -> DrillRecord:
    """The drill's record, judged like a live one's."""
    begins, ends = transcript.start, transcript.start + _offset(transcript.ends)
    facts = tuple(_fact(fact, number, begins) for number, fact in enumerate(transcript.facts))
    told = sorted((_offset(s.at), s.value) for s in transcript.impact.samples)
    samples = tuple(Sample(begins + offset, value) for offset, value in told)
    started = min(fact.at.not_before for fact in facts)
    around = Circumstances(
        name=transcript.name,
        namespace="",
        started=started,
        ended=ends,
        live=False,
        impact_threshold=transcript.impact.threshold,
        measurement=BY_HAND,
    )
    drill_plan, series = _plan_of(transcript), {IMPACT: Series(IMPACT, samples, timedelta(minutes=5))}
    so_far = assess(drill_plan, facts, series, now=ends, ended=ends)
    return assemble(drill_plan, facts, series, so_far, give_verdict(so_far.objectives, so_far.findings), around)


def _fact(fact: TranscriptFact, number: int, begins: datetime) -> Fact:
    first, last = fact.between or (fact.at or "0s", fact.at or "0s")
    at = Interval(begins + _offset(first), begins + _offset(last))
    return Fact(
        fact.fact,
        at,
        Source.TRANSCRIPT,
        f"transcript/{number:03d}/{fact.fact}",
        fact.by,
        fact.evidence,
        fact.detail,
    )


def _plan_of(transcript: Transcript) -> DrillPlan:
    alert, truth = transcript.alert, transcript.ground_truth
    within = parse_duration(alert.within) if alert.within else ZERO
    nowhere = Endpoint("", "", 0)
    return DrillPlan(
        title=transcript.title,
        narrative=transcript.narrative,
        target_namespace="",
        pace=1,
        faults=(),
        profiles=(),
        steady=(),
        alerts=(AlertWanted(alert.name, starts_clock=True, within=within),),
        impact=ImpactFall("", ZERO, 0.0, 0.0),
        recovered_window=ZERO,
        wrap_up=ZERO,
        arm_within=ZERO,
        max_duration=_offset(transcript.ends),
        objectives=tuple(
            Limit(o.name, o.start, o.to, o.level or "", parse_duration(o.within), o.by is Credit.ANYONE)
            for o in transcript.objectives
        ),
        injects=(),
        players=tuple(Participant(p.name, p.role, p.kind) for p in transcript.players),
        facilitator=transcript.facilitator,
        severity=truth.severity or "",
        component=truth.component or "",
        fault_class=truth.fault_class or "",
        prometheus=nowhere,
        alertmanager=nowhere,
    )

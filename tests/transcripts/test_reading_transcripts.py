"""A transcript that can't be judged says where it is wrong and what to write instead."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta

import pytest

from kubedrill.core.measure.results import ObjectiveVerdict
from kubedrill.core.measure.transcript import TranscriptError, read_transcript, replayed

SMALL = {
    "name": "small",
    "title": "A small drill",
    "start": "2026-11-23T09:15:00Z",
    "ends": "30m",
    "alert": {"name": "TooSlow"},
    "players": [{"name": "alice", "role": "L1"}],
    "objectives": [{"name": "detection", "to": "Acknowledged", "within": "5m"}],
    "facts": [{"at": "0s", "fact": "AlertFiring"}, {"between": ["0s", "2m"], "fact": "Acknowledged", "by": "alice"}],
}


def small(**changes):
    return deepcopy(SMALL) | changes


def with_fact(**fact):
    return small(facts=[*SMALL["facts"], fact])


def test_a_small_transcript_is_judged():
    record = replayed(read_transcript(small()))
    (detection,) = record.objectives
    assert detection.verdict is ObjectiveVerdict.MET
    assert (detection.lower, detection.upper) == (timedelta(0), timedelta(minutes=2))
    assert record.live is False
    assert any("not measured" in line for line in record.measurement)


@pytest.mark.parametrize(
    ("wire", "told"),
    [
        (None, "a transcript is a mapping"),
        (small(facts=[]), "facts: "),
        (small(colour="red"), "colour: there is no such field"),
        (small(start="2026-11-23T09:15:00"), "start: 2026-11-23T09:15:00 has no time zone"),
        (
            with_fact(at="0s", fact="Acknowleged"),
            "facts.2.fact: there is no fact 'Acknowleged'; did you mean Acknowledged",
        ),
        (with_fact(at="soon", fact="Noted"), "facts.2.at: 'soon' is not a time; write, for example, 90s"),
        (with_fact(fact="Noted"), "facts.2 (Noted): say exactly one of at and between"),
        (with_fact(at="1m", between=["1m", "2m"], fact="Noted"), "facts.2 (Noted): say exactly one of"),
        (with_fact(between=["3m", "2m"], fact="Noted"), "3m is later than 2m; swap them"),
        (with_fact(at="1m", fact="Noted", by="bob"), "facts.2 (Noted).by: bob does not play; the players are alice"),
    ],
)
def test_what_is_wrong_is_named(wire, told):
    with pytest.raises(TranscriptError) as wrong:
        read_transcript(wire)
    assert told in str(wrong.value)


def test_all_that_is_wrong_is_named_at_once():
    with pytest.raises(TranscriptError) as wrong:
        read_transcript(small(ends="later", colour="red"))
    assert len(str(wrong.value).splitlines()) == 2


def test_without_an_end_in_sight_a_table_drill_is_resolved_when_it_is_declared():
    objectives = [{"name": "resolution", "to": "Recovered", "within": "60m"}]
    facts = [
        *SMALL["facts"],
        {"at": "20m", "fact": "FixApplied", "by": "alice"},
        {"at": "25m", "fact": "ResolvedDeclared", "by": "alice"},
    ]
    (resolution,) = replayed(read_transcript(small(objectives=objectives, facts=facts))).objectives
    assert resolution.verdict is ObjectiveVerdict.MET
    assert resolution.declared

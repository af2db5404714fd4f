"""The facts of the hand-written drill give what they prove: six of seven, and what its report did not say."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from time import perf_counter

import pytest
import yaml

from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.measure.results import ObjectiveVerdict, Severity, Verdict
from kubedrill.core.measure.transcript import read_transcript, replayed

TRANSCRIPT = Path(__file__).parents[2] / "scenarios/morning-rush/transcript.yaml"
MET, MISSED = ObjectiveVerdict.MET, ObjectiveVerdict.MISSED


@pytest.fixture(scope="module")
def wire():
    return yaml.safe_load(TRANSCRIPT.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def record(wire):
    return replayed(read_transcript(wire))


@pytest.mark.parametrize(
    ("name", "bounds", "limit", "verdict"),
    [
        ("detection", (0, 2), 5, MET),
        ("severity", (3, 3), 10, MET),
        ("escalation-l2", (7, 10), 15, MET),
        ("escalation-engineering", (15, 15), 30, MET),
        ("client-notification", (15, 15), 30, MET),
        ("mitigation", (23, 28), 20, MISSED),
        ("resolution", (28, 45), 60, MET),
    ],
)
def test_each_objective_has_its_bounds(record, name, bounds, limit, verdict):
    result = next(o for o in record.objectives if o.name == name)
    minutes = timedelta(minutes=1)
    assert (result.lower, result.upper) == (bounds[0] * minutes, bounds[1] * minutes)
    assert result.limit == limit * minutes
    assert result.verdict is verdict


def test_six_of_seven_are_met_and_the_drill_failed(record):
    assert len(record.objectives) == 7
    assert record.verdict is Verdict.FAILED
    assert record.verdict_message == "mitigation missed"
    assert record.score == "86 % (6 of 7 met)"


def test_asked_for_and_come_are_two_times(record):
    beside = {o.name: o.beside for o in record.objectives if o.beside}
    assert beside == {"escalation-l2": {"requested": "0:07:00"}, "escalation-engineering": {"requested": "0:10:00"}}


def test_the_findings_are_those_that_the_facts_give(record):
    assert [f.rule for f in record.findings if f.severity is not Severity.STRENGTH] == [
        "scaled-before-diagnosing",
        "first-containment-had-no-effect",
        "client-told-us-first",
        "slow-monitoring",
        "engaged-without-taking-lead",
        "postmortem-owner-late",
        "leftovers-of-players",
    ]


def test_each_finding_rests_on_facts_of_the_record(record):
    known = {f.id for f in record.facts}
    for finding in record.findings:
        if finding.severity is not Severity.STRENGTH:
            assert finding.fact_ids
            assert set(finding.fact_ids) <= known


def test_the_cause_was_found_before_the_fix_and_neither_is_the_mitigation(record):
    at = {m.key: m.at.not_before - record.clock_start.not_before for m in record.milestones}
    assert at["CauseIdentified"] == timedelta(minutes=18)
    assert at["FixApplied"] == timedelta(minutes=23)
    assert next(m.actor for m in record.milestones if m.name == "Mitigated") == "tom"


def test_had_somebody_read_a_log_before_scaling_there_would_be_no_such_finding(wire):
    read = {"at": "4m", "fact": "EvidenceRead", "by": "alice", "evidence": "logs", "detail": {}}
    changed = wire | {"facts": [*wire["facts"], read]}
    rules = {f.rule for f in replayed(read_transcript(changed)).findings}
    assert "scaled-before-diagnosing" not in rules


def test_listing_the_pods_alone_is_not_diagnosing(wire):
    kept = [f for f in wire["facts"] if f["fact"] != FactKind.EVIDENCE_READ]
    rules = {f.rule for f in replayed(read_transcript(wire | {"facts": kept})).findings}
    assert "scaled-before-diagnosing" in rules


def test_an_hours_drill_is_judged_in_milliseconds(wire):
    transcript = read_transcript(wire)
    start = perf_counter()
    replayed(transcript)
    # typically 1 ms; the bound leaves room for a busy machine and still excludes anything that waits
    assert perf_counter() - start < 0.5

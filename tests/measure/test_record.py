"""The record: all that a report knows, from a drill's design and its facts."""

from __future__ import annotations

from dataclasses import replace

from tests.measure.builders import alert, at, between, drill_plan, fact, limit, samples

from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.measure.drill_record import Circumstances, assemble
from kubedrill.core.measure.results import Verdict

FACTS = (fact(FactKind.ACKNOWLEDGED, 30, by="alice"), alert(FactKind.ALERT_FIRING, 0, 1))
OVER = Circumstances("drill-1", "drills", now=at(400), started=at(-60), ended=at(390))


def test_it_carries_what_was_judged_and_what_it_rests_on():
    series = {"impact": samples([1.0] * 20)}
    record = assemble(drill_plan(limit()), FACTS, series, OVER)
    assert record.verdict is Verdict.PASSED
    assert record.verdict_message == "every objective was met"
    assert record.clock_start == between(0, 1)
    assert [f.kind for f in record.facts] == [FactKind.ALERT_FIRING, FactKind.ACKNOWLEDGED]
    assert record.impact == series["impact"]
    assert [p.role for p in record.team] == ["L1", "L2", "Engineering"]


def test_evidence_that_can_not_be_read_is_told_once_and_nothing_is_held_against_anybody():
    unread = "the facts in evidence segment drill-1-facts-0 can't be read: it is damaged"
    record = assemble(drill_plan(limit()), FACTS[1:], {}, replace(OVER, unread=(unread,), measurement=("Operator: 1",)))
    assert record.verdict is Verdict.INCONCLUSIVE
    assert record.measurement == ("Operator: 1", f"{unread}. What rests on them is missing in what is measured")


def test_there_is_no_verdict_while_play_goes_on():
    assert assemble(drill_plan(limit()), FACTS, {}, replace(OVER, ended=None)).verdict is None


def test_an_ending_that_decides_gives_its_own_reason():
    stopped = replace(OVER, decided=Verdict.STOPPED, reason="RealIncident", message="a real one came")
    record = assemble(drill_plan(limit()), FACTS, {}, stopped)
    assert (record.verdict, record.verdict_reason) == (Verdict.STOPPED, "RealIncident")
    assert record.verdict_message == "a real one came"


def test_what_is_open_is_named():
    objectives = (limit(), limit("client", "ClientNotified"))
    record = assemble(drill_plan(*objectives), FACTS, {}, OVER)
    assert record.verdict is Verdict.INCONCLUSIVE
    assert record.verdict_message == "could not be judged: client"


def test_without_objectives_nothing_was_measured():
    record = assemble(drill_plan(), FACTS, {}, OVER)
    assert (record.verdict, record.verdict_message) == (Verdict.INCONCLUSIVE, "nothing was measured")

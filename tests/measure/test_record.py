"""The record: all that a report knows, from a drill's design and its facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from tests.measure.builders import alert, at, between, drill_plan, fact, limit, samples

from kubedrill.core.evidence.facts import Fact, FactKind, Series
from kubedrill.core.measure.assessment import assess
from kubedrill.core.measure.drill_record import Circumstances, assemble
from kubedrill.core.measure.results import DrillRecord, Verdict
from kubedrill.core.measure.verdicts import give_verdict
from kubedrill.core.plan.drill_plan import DrillPlan

FACTS = (fact(FactKind.ACKNOWLEDGED, 30, by="alice"), alert(FactKind.ALERT_FIRING, 0, 1))
OVER = Circumstances("drill-1", "drills", started=at(-60), ended=at(390))


def recorded(
    design: DrillPlan, facts: Iterable[Fact], series: Mapping[str, Series], around: Circumstances, **ending: Any
) -> DrillRecord:
    """The record of a drill that is looked at at T+400."""
    so_far = assess(design, facts, series, now=at(400), ended=around.ended, unread=around.unread)
    verdict = give_verdict(so_far.objectives, so_far.findings, **ending) if around.ended else None
    return assemble(design, facts, series, so_far, verdict, around)


def test_it_carries_what_was_judged_and_what_it_rests_on():
    series = {"impact": samples([1.0] * 20)}
    record = recorded(drill_plan(limit()), FACTS, series, OVER)
    assert record.verdict is Verdict.PASSED
    assert record.verdict_message == "every objective was met"
    assert record.clock_start == between(0, 1)
    assert [f.kind for f in record.facts] == [FactKind.ALERT_FIRING, FactKind.ACKNOWLEDGED]
    assert record.impact == series["impact"]
    assert [p.role for p in record.team] == ["L1", "L2", "Engineering"]


def test_evidence_that_can_not_be_read_is_told_once_and_nothing_is_held_against_anybody():
    unread = "the facts in evidence segment drill-1-facts-0 can't be read: it is damaged"
    record = recorded(drill_plan(limit()), FACTS[1:], {}, replace(OVER, unread=(unread,), measurement=("Operator: 1",)))
    assert record.verdict is Verdict.INCONCLUSIVE
    assert record.measurement == ("Operator: 1", f"{unread}. What rests on them is missing in what is measured")


def test_there_is_no_verdict_while_play_goes_on():
    assert recorded(drill_plan(limit()), FACTS, {}, replace(OVER, ended=None)).verdict is None


def test_an_ending_that_decides_gives_its_own_reason():
    ending = {"decided": Verdict.STOPPED, "reason": "RealIncident", "message": "a real one came"}
    record = recorded(drill_plan(limit()), FACTS, {}, OVER, **ending)
    assert (record.verdict, record.verdict_reason) == (Verdict.STOPPED, "RealIncident")
    assert record.verdict_message == "a real one came"


def test_what_is_open_is_named():
    objectives = (limit(), limit("client", "ClientNotified"))
    record = recorded(drill_plan(*objectives), FACTS, {}, OVER)
    assert record.verdict is Verdict.INCONCLUSIVE
    assert record.verdict_message == "client can't be judged"


def test_without_objectives_nothing_was_measured():
    record = recorded(drill_plan(), FACTS, {}, OVER)
    assert (record.verdict, record.verdict_message) == (Verdict.INCONCLUSIVE, "nothing was measured")

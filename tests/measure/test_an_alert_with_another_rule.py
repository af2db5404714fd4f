"""An alert whose rule was edited or removed proves nothing by its silence: not that it is over, nor that it is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.measure.builders import (
    alert,
    at,
    between,
    bitten,
    changed,
    drill_plan,
    fact,
    injected,
    limit,
    samples,
    state,
)

from kubedrill.core.evidence.facts import Fact, FactKind, FactSet, Series, Source
from kubedrill.core.evidence.rule_changes import other_rules
from kubedrill.core.findings.rules import findings
from kubedrill.core.measure.assessment import Assessment, assess
from kubedrill.core.measure.results import MilestoneName, ObjectiveResult, ObjectiveVerdict
from kubedrill.core.plan.drill_plan import AlertWanted, RuleTiming

ALERT = "HighQueueDepth"
BROKEN = (injected(), bitten(), state(-50, 2), alert(FactKind.ALERT_FIRING, 0))
FIXED = (changed(50, by="tom"), state(60, 5))
SILENT = alert(FactKind.ALERT_RESOLVED, 69, 70)
DRAINED = {"queue": samples([max(5.0, 100 - n) for n in range(600)])}
RULE = RuleTiming(waits=timedelta(seconds=20), every=timedelta(seconds=5))
PLAN = drill_plan(
    limit("resolution", "Recovered", 300),
    alerts=(AlertWanted(ALERT, starts_clock=True, within=timedelta(0), timing=RULE),),
)


def other(seconds: float) -> Fact:
    told = fact(FactKind.RULE_CHANGED, seconds, source=Source.PROMETHEUS, alert=ALERT)
    return replace(told, evidence=f"the rule of {ALERT} was removed")


def planned(seconds: float) -> Fact:
    return fact(FactKind.RULE_AS_PLANNED, seconds, source=Source.PROMETHEUS, alert=ALERT)


def assessed(*facts: Fact, now: float = 600, series: dict[str, Series] = DRAINED) -> Assessment:
    return assess(PLAN, (*BROKEN, *facts), series, now=at(now), ended=at(now))


def resolution(found: Assessment) -> ObjectiveResult:
    return next(o for o in found.objectives if o.name == "resolution")


def test_under_its_own_rule_the_end_is_an_end():
    assert resolution(assessed(*FIXED, SILENT)).verdict is ObjectiveVerdict.MET
    assert resolution(assessed(planned(-30), *FIXED, SILENT)).verdict is ObjectiveVerdict.MET


def test_whether_it_recovered_is_not_known_and_nobody_has_missed_it():
    judged = resolution(assessed(*FIXED, other(68), SILENT))
    assert judged.verdict is ObjectiveVerdict.INDETERMINATE
    assert judged.reason == f"whether {ALERT} has ended is not known: the rule of {ALERT} was removed"


@pytest.mark.parametrize("missing", [FIXED[:1], FIXED[1:]], ids=["the pods are not ready", "the cause is still in"])
def test_where_something_else_is_not_well_either_it_is_missed(missing):
    assert resolution(assessed(*missing, other(68), SILENT)).verdict is ObjectiveVerdict.MISSED


def test_what_got_well_too_late_whatever_the_alert_did_is_missed():
    late = (changed(400, by="tom"), state(410, 5))
    assert resolution(assessed(*late, other(68), SILENT)).verdict is ObjectiveVerdict.MISSED


def test_once_the_rule_is_back_and_has_waited_in_silence_the_trouble_was_over_by_then():
    recovered = assessed(*FIXED, other(68), SILENT, planned(100)).milestone(MilestoneName.RECOVERED)
    assert recovered is not None
    assert recovered.at.not_after == at(100 + 20 + 5)
    assert recovered.at.not_before <= at(95)


def test_an_end_from_before_the_rule_was_changed_stays_one():
    before = assessed(*FIXED, SILENT, other(120), now=115).milestone(MilestoneName.RECOVERED)
    after = assessed(*FIXED, SILENT, other(120)).milestone(MilestoneName.RECOVERED)
    assert before == after is not None


def test_what_nobody_saw_just_before_may_have_been_the_change():
    facts = FactSet((fact(FactKind.GAP, 60, 90), other(95), planned(200)))
    (found,) = other_rules(facts, ALERT, at(300))
    assert (found.since, found.back) == (at(60), between(200))


def test_an_alert_that_could_not_fire_under_its_rule_is_held_against_nobody():
    wanted = (AlertWanted(ALERT, starts_clock=True, within=timedelta(minutes=1), timing=RULE),)
    plan = replace(PLAN, alerts=wanted)
    silent = assess(plan, (injected(), bitten(), other(-20)), {}, now=at(600), ended=at(600))
    (judged,) = [o for o in silent.objectives if o.name == f"alert-{ALERT}"]
    assert judged.verdict is ObjectiveVerdict.INDETERMINATE
    assert "was removed" in judged.reason


def test_it_is_said():
    facts = (*BROKEN, *FIXED, other(68), SILENT, planned(100))
    found = {f.rule: f for f in findings(facts, assessed(*facts[4:]).milestones, (), PLAN)}
    assert found["rule-changed"].text.startswith(f"At T+1m8s the rule of {ALERT} was removed, until T+1m40s.")
    assert "rule-changed" not in {f.rule for f in findings(BROKEN, assessed().milestones, (), PLAN)}

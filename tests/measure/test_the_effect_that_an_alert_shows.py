"""An alert about the target's own trouble is the effect being seen, whole or not: what gets better after it counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

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

from kubedrill.core.evidence.facts import Fact, FactKind, Series, Source
from kubedrill.core.measure.assessment import Assessment, assess
from kubedrill.core.measure.results import By, MilestoneName, ObjectiveResult, ObjectiveVerdict
from kubedrill.core.plan.drill_plan import AlertWanted, DrillPlan

INJECTED, FIRED = injected(-20), alert(FactKind.ALERT_FIRING, 0)
FIXED = (changed(2, by="tom"), state(-10, 4), state(20, 5), alert(FactKind.ALERT_RESOLVED, 30, 31))
RISES_AND_DRAINS = [float(n) for n in range(70)] + [max(5.0, 70 - 3.0 * n) for n in range(120)]
CURVES = {name: samples(RISES_AND_DRAINS, start=-60, name=name) for name in ("impact", "queue")}
PLAN = drill_plan(limit("mitigation", "Mitigated", 120), limit("resolution", "Recovered", 300))
NEVER: dict[str, Series] = {}


def assessed(*facts: Fact, series: dict[str, Series] = CURVES, plan: DrillPlan = PLAN, now: float = 200) -> Assessment:
    return assess(plan, facts, series, now=at(now))


def verdicts(found: Assessment) -> dict[str, ObjectiveResult]:
    return {o.name: o for o in found.objectives}


def test_a_fix_right_after_the_alert_is_measured_although_the_effect_was_never_seen_whole():
    found = assessed(INJECTED, FIRED, *FIXED)

    mitigated, recovered = (found.milestone(n) for n in (MilestoneName.MITIGATED, MilestoneName.RECOVERED))
    assert mitigated is not None
    assert recovered is not None
    assert (mitigated.by, mitigated.actor) == (By.PLAYER, "tom")
    assert mitigated.at.contains(at(11))
    assert {o.verdict for o in found.objectives} == {ObjectiveVerdict.MET}


def test_what_a_source_tells_of_the_impact_counts_once_the_alert_fired():
    falling = fact(FactKind.IMPACT_FALLING, 10, source=Source.TRANSCRIPT)
    assert assessed(INJECTED, FIRED, falling, series=NEVER).milestone(MilestoneName.MITIGATED)
    assert not assessed(INJECTED, falling, series=NEVER).milestone(MilestoneName.MITIGATED)


def test_without_the_alert_nothing_shows_that_there_was_anything_to_mend():
    found = assessed(INJECTED, *FIXED[:3])
    assert found.milestone(MilestoneName.FAULT_EFFECTIVE) is None
    assert found.milestone(MilestoneName.MITIGATED) is None


def test_where_nobody_saw_the_injection_an_alert_shows_nothing_of_it():
    assert assessed(FIRED, *FIXED).milestone(MilestoneName.FAULT_EFFECTIVE) is None


def test_the_facilitators_word_for_the_alert_shows_it_as_it_starts_the_clock():
    word = alert(FactKind.ALERT_FIRING, 0, 5, source=Source.OBSERVER)
    assert assessed(INJECTED, word).milestone(MilestoneName.FAULT_EFFECTIVE)


def test_an_alert_that_may_have_fired_before_the_injection_shows_nothing():
    unsure = alert(FactKind.ALERT_FIRING, -21, 0)
    assert assessed(INJECTED, unsure).milestone(MilestoneName.FAULT_EFFECTIVE) is None


def test_the_facts_that_tell_of_it_are_those_of_the_alert():
    effect = assessed(INJECTED, FIRED).milestone(MilestoneName.FAULT_EFFECTIVE)
    assert effect is not None
    assert effect.fact_ids == (FIRED.id,)
    assert effect.at == between(-20, 0)


def test_the_monitoring_is_in_time_where_it_was_within_its_limit_since_the_injection():
    wanted = (AlertWanted("HighQueueDepth", starts_clock=True, within=timedelta(seconds=30)),)
    found = verdicts(assessed(INJECTED, FIRED, plan=replace(PLAN, alerts=wanted)))
    assert found["alert-HighQueueDepth"].verdict is ObjectiveVerdict.MET


# an alert that had no time to come

ALL = (
    AlertWanted("HighQueueDepth", starts_clock=True, within=timedelta(minutes=1)),
    AlertWanted("PodsCrash", starts_clock=False, within=timedelta(minutes=1)),
    AlertWanted("Silent", starts_clock=False, within=timedelta(minutes=1)),
)
TWO = replace(PLAN, alerts=ALL)


def second_alert(*facts: Fact) -> ObjectiveResult:
    return verdicts(assessed(INJECTED, bitten(-10), FIRED, *facts, plan=TWO))["alert-PodsCrash"]


def test_an_alert_that_was_due_after_the_fix_is_held_against_nobody():
    judged = second_alert(changed(2, by="tom"))
    assert judged.verdict is ObjectiveVerdict.INDETERMINATE
    assert judged.reason.startswith("tom took the fault out of Deployment/worker 22s after its injection")


def test_an_alert_that_was_due_before_the_fix_is_missed():
    assert second_alert(changed(80, by="tom")).verdict is ObjectiveVerdict.MISSED
    assert second_alert().verdict is ObjectiveVerdict.MISSED


def test_a_change_from_before_the_injection_excuses_no_alert():
    assert second_alert(changed(-40, by="tom")).verdict is ObjectiveVerdict.MISSED


def test_an_alert_that_fired_too_late_is_late_whoever_fixed_what_before():
    late = replace(alert(FactKind.ALERT_FIRING, 120), detail={"alert": "PodsCrash"})
    assert second_alert(changed(2, by="tom"), late).verdict is ObjectiveVerdict.MISSED

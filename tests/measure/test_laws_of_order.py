"""The laws of order, whatever was seen: nothing gets better before it broke, and no word comes before its matter."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.measure.any_drill import BEGINS, ENDS, AnyDrill, any_drill, well_played
from tests.measure.builders import (
    WORKER,
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

from kubedrill.core.evidence.attribution import OF_PEOPLE, since_start
from kubedrill.core.evidence.facts import FactKind, Source
from kubedrill.core.evidence.matching import matched
from kubedrill.core.measure.milestone_table import Charged, of
from kubedrill.core.measure.milestones import milestones
from kubedrill.core.measure.objectives import Grounds, judge
from kubedrill.core.measure.order import ABOUT
from kubedrill.core.measure.results import By, Milestone, MilestoneName, ObjectiveVerdict

WHATEVER = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ANY = st.one_of(any_drill(), well_played())


def reached(drill: AnyDrill) -> dict[str, Milestone]:
    return {m.key: m for m in milestones(drill.facts, drill.series, drill.plan, at(drill.now))}


@WHATEVER
@given(ANY)
def test_nothing_is_mitigated_or_recovered_before_it_was_injected_and_had_its_effect(drill):
    found = reached(drill)
    for began in ("Injected", "FaultEffective"):
        for name in ("Mitigated", "Recovered"):
            if began in found and name in found:
                assert found[name].at.not_before >= found[began].at.not_before


@WHATEVER
@given(ANY)
def test_an_effect_was_seen_whole_or_is_shown_by_an_alert_from_after_the_injection(drill):
    found = reached(drill)
    effect, fired = found.get("FaultEffective"), found.get("AlertFired")
    if effect is None or any(f.id in effect.fact_ids for f in drill.facts if f.kind is FactKind.FAULT_EFFECTIVE):
        return
    assert fired is not None
    assert fired.at.not_before >= found["Injected"].at.not_before == effect.at.not_before
    assert effect.at.not_after <= fired.at.not_after


@WHATEVER
@given(ANY)
def test_nothing_is_measured_to_get_better_that_had_no_effect(drill):
    found = reached(drill)
    mitigated = found.get("Mitigated")
    assert (
        "FaultEffective" in found
        or mitigated is None
        or mitigated.source is not Source.PROMETHEUS
        or "had got better" in mitigated.evidence
    )


@WHATEVER
@given(ANY)
def test_nothing_recovers_that_was_not_mitigated_or_it_says_why(drill):
    found = reached(drill)
    recovered, mitigated = found.get("Recovered"), found.get("Mitigated")
    if recovered is None:
        return
    if mitigated is None:
        assert recovered.by is By.OPERATOR or "its impact" in recovered.evidence
    else:
        in_order = mitigated.at.not_before <= recovered.at.not_after
        assert in_order or recovered.early or recovered.by is By.OPERATOR


@WHATEVER
@given(ANY)
def test_no_word_comes_before_what_it_is_about_unless_it_is_called_early_or_was_confirmed(drill):
    found = reached(drill)
    for said in found.values():
        about = ABOUT.get(said.name)
        if about is None or said.early or said.confirmed:
            continue
        matter = found.get(about)
        assert matter is None or said.at.not_after >= matter.at.not_before
        assert matter is not None or about is MilestoneName.INJECTED


@WHATEVER
@given(ANY)
def test_no_objective_is_met_before_its_own_clock_unless_the_facilitator_confirmed_it(drill):
    found = reached(drill)
    for judged in drill.judged(tuple(found.values())):
        if judged.verdict is ObjectiveVerdict.MET:
            stop = found[judged.stop]
            may_be = judged.upper is not None and judged.upper >= timedelta(0) and not stop.early
            assert may_be or stop.confirmed or stop.name in of(Charged.MONITORING)


@WHATEVER
@given(ANY, st.lists(st.tuples(st.sampled_from(sorted(OF_PEOPLE)), st.integers(1, 10_000)), max_size=10))
def test_nothing_of_people_from_before_the_start_counts(drill, early):
    before = [
        fact(kind, BEGINS - seconds, by="alice", change=f"early/{n}", target=WORKER, field="f", after=1, level="L2")
        for n, (kind, seconds) in enumerate(early)
    ]
    told = [
        milestones(matched(since_start(facts, at(BEGINS)), drill.plan.players), drill.series, drill.plan, at(drill.now))
        for facts in (drill.facts, (*drill.facts, *before))
    ]
    assert told[0] == told[1]


# the same laws, one case each

FIRED, EFFECT = alert(FactKind.ALERT_FIRING, 0), (injected(), bitten())
RISES_AND_FALLS = {"impact": samples([60.0 + n for n in range(60)] + [120 - 3.0 * n for n in range(40)], start=-250)}


def case(*facts, series=None, plan=None, now=ENDS):
    return {m.key: m for m in milestones((FIRED, *facts), series or {}, plan or drill_plan(), at(now))}


def test_what_fell_before_the_effect_is_no_mitigation():
    assert "Mitigated" not in case(*EFFECT, series=RISES_AND_FALLS)


@pytest.mark.parametrize("kind", [FactKind.IMPACT_FALLING, FactKind.STEADY_AGAIN])
def test_an_observation_from_before_the_trouble_is_about_something_else(kind):
    seen = fact(kind, -200, -100, source=Source.OBSERVER)
    assert not {"Mitigated", "Recovered"} & set(case(*EFFECT, seen))
    later = fact(kind, -55, 20, source=Source.OBSERVER)
    found = case(*EFFECT, later)
    assert found["Mitigated" if kind is FactKind.IMPACT_FALLING else "Recovered"].at == between(-50, 20)


RECOVERS = (*EFFECT, state(-30, 2), changed(50, by="tom"), state(60, 5), alert(FactKind.ALERT_RESOLVED, 69, 70))
DRAINS = {"queue": samples([max(5.0, 100 - n) for n in range(200)])}


def test_b6_what_recovered_had_got_better_by_then_although_its_impact_gave_no_data():
    found = case(*RECOVERS, series=DRAINS)
    assert found["Mitigated"].at.not_before == at(-50)
    assert found["Mitigated"].at.not_after == found["Recovered"].at.not_after
    assert (found["Mitigated"].by, found["Mitigated"].actor) == (By.PLAYER, "tom")
    assert "its impact gave no data" in found["Mitigated"].evidence


def test_user_trial_a_drill_that_was_fixed_in_time_does_not_miss_its_mitigation():
    plan = drill_plan(limit("mitigation", "Mitigated", 120), limit("resolution", "Recovered", 300))
    flat = {"impact": samples([3.0] * 300, start=-60)}
    found = milestones((FIRED, *RECOVERS), DRAINS | flat, plan, at(ENDS))
    assert [o.verdict for o in judge(found, plan, Grounds(now=at(ENDS)))] == [ObjectiveVerdict.MET] * 2


def test_a_recovery_that_came_too_late_to_tell_leaves_the_mitigation_open():
    plan = drill_plan(limit("mitigation", "Mitigated", 30))
    (judged,) = judge(milestones((FIRED, *RECOVERS), DRAINS, plan, at(ENDS)), plan, Grounds(now=at(ENDS)))
    assert judged.verdict is ObjectiveVerdict.INDETERMINATE


def test_a_second_trouble_after_the_recovery_does_not_move_the_mitigation():
    first_wave = [60.0 + n * 0.5 for n in range(160)] + [max(5.0, 140 - 3.0 * n) for n in range(100)]
    second = [5.0 + 4 * n for n in range(60)] + [max(5.0, 245 - 6.0 * n) for n in range(60)]
    series = DRAINS | {"impact": samples(first_wave + second, start=-120)}
    assert case(*RECOVERS, series=series, now=ENDS)["Mitigated"].at.not_before < at(60)


WORDS: dict[FactKind, dict[str, Any]] = {
    FactKind.ACKNOWLEDGED: {},
    FactKind.SEVERITY_ASSESSED: {"severity": "P1"},
    FactKind.ESCALATION_ENGAGED: {"level": "L2"},
    FactKind.CLIENT_NOTIFIED: {},
    FactKind.MITIGATED_DECLARED: {},
    FactKind.RESOLVED_DECLARED: {},
}


@pytest.mark.parametrize("kind", WORDS)
def test_f7_blind_words_before_the_alert_meet_nothing(kind):
    blind = fact(kind, -15, by="alice", **WORDS[kind])
    name = next(m for m in case(blind).values() if m.fact_ids == (blind.id,))
    assert name.early
    assert "early" in name.evidence


def test_f7_who_says_it_again_in_time_has_said_it():
    blind, again = fact(FactKind.ACKNOWLEDGED, -15, by="alice"), fact(FactKind.ACKNOWLEDGED, 20, by="alice")
    found = case(blind, again)["Acknowledged"]
    assert (found.at, found.early) == (between(20), "")


@pytest.mark.parametrize(("by", "counts"), [("alice", True), ("", True), ("emma", False)])
def test_what_was_early_counts_once_the_facilitator_saw_the_same(by, counts):
    said = fact(FactKind.ACKNOWLEDGED, -15, by="alice")
    seen = replace(fact(FactKind.ACKNOWLEDGED, -40, 10, source=Source.OBSERVER), actor=by)
    found = case(said, seen)["Acknowledged"]
    assert found.confirmed
    assert found.actor == ("alice" if counts else "emma")
    assert found.source is (Source.PLAYER_ACTION if counts else Source.OBSERVER)


def test_a_level_said_early_is_confirmed_by_an_observation_that_names_none():
    said = fact(FactKind.SEVERITY_ASSESSED, -15, by="alice", severity="P1")
    seen = fact(FactKind.SEVERITY_ASSESSED, -40, 10, source=Source.OBSERVER)
    assert case(said, seen)["SeverityAssessed"].confirmed


def test_a_change_from_before_the_injection_is_nobodys_containment_fix_or_credit():
    falls = {"impact": samples([60.0 + n * 0.5 for n in range(160)] + [140 - 2.0 * n for n in range(60)], start=-60)}
    found = case(changed(-90, by="tom"), *EFFECT, series=falls)
    assert not {"FirstContainment", "FixApplied"} & set(found)
    assert found["Mitigated"].by is By.NOBODY

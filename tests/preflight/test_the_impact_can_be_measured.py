"""No drill starts whose impact nobody could see, or that is bad already."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.machine.world import START
from tests.machine.world import drill_plan as a_drill
from tests.observers.builders import measured

from kubedrill.core.evidence.facts import Series
from kubedrill.core.plan.drill_plan import DrillPlan, FaultProfile, ImpactFall
from kubedrill.core.plan.preflight import impact_measured
from kubedrill.core.plan.surroundings import Surroundings

AROUND = Surroundings("drills")
DERIVED = ImpactFall('(q{namespace=~"shop|"} > 5) or (0 * q)', timedelta(minutes=1), 0, 10, alert="Errors")
SAID = ImpactFall("3 - sum(up)", timedelta(minutes=1), 0, 10)


def drill(impact: ImpactFall) -> DrillPlan:
    return replace(a_drill(), impact=impact)


def test_a_derived_impact_must_be_0_and_its_value_is_told():
    check = impact_measured(drill(DERIVED), replace(AROUND, impact=measured(0, START)))

    assert (check.ok, check.message) == (True, "the impact is 0 now")


def test_how_rarely_it_is_measured_is_told_for_that_is_the_monitorings_time():
    rarely = replace(measured(0, START), step=timedelta(seconds=30))
    check = impact_measured(drill(DERIVED), replace(AROUND, impact=rarely))

    assert (check.ok, check.message) == (True, "the impact is 0 now, measured every 30s")


def test_what_has_reason_to_fire_already_is_waited_for():
    check = impact_measured(drill(DERIVED), replace(AROUND, impact=measured(7, START)))

    assert (check.ok, check.hard, check.reason) == (False, False, "ImpactAlready")
    assert "7 already" in check.message


def test_one_that_the_drill_says_itself_may_have_any_value():
    assert impact_measured(drill(SAID), replace(AROUND, impact=measured(7, START))).ok is True


@pytest.mark.parametrize("impact", [DERIVED, SAID])
def test_no_data_is_unknown_and_not_well(impact):
    check = impact_measured(drill(impact), replace(AROUND, impact=Series("impact")))

    assert (check.ok, check.reason) == (None, "NoImpactData")
    assert impact.query in check.message


def test_b4_a_rule_that_names_the_namespace_otherwise_says_what_to_set():
    other = replace(DERIVED, query='(u{exported_namespace="shop",namespace=~"shop|"} > 0) or (0 * u)')
    check = impact_measured(drill(other), AROUND)

    assert "set labels.namespace to exported_namespace in a DrillEnvironment" in check.message


def test_what_can_not_be_derived_is_asked_for():
    check = impact_measured(drill(replace(DERIVED, query="", why_not="q is compared with nothing")), AROUND)

    assert (check.ok, check.hard, check.reason) == (False, True, "ImpactNotDerived")
    assert "q is compared with nothing. Say it in mitigated.query" in check.message


def test_where_monitoring_does_not_answer_that_alone_is_said():
    assert impact_measured(drill(DERIVED), replace(AROUND, monitoring_error="it is down")).ok is True


def test_an_alert_that_the_drill_fires_itself_measures_nothing():
    assert impact_measured(drill(replace(DERIVED, query="")), replace(AROUND, announced=frozenset({"Errors"}))).ok


def test_where_nothing_is_broken_nothing_is_measured():
    nothing = replace(drill(DERIVED), profiles=(FaultProfile("storm", people_only=True),))

    assert impact_measured(nothing, AROUND).ok is True

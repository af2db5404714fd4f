"""JUnit: one test case an objective, and never green for a drill that did not pass."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from tests.reports.records import INDETERMINATE, MET, MISSED, NOT_STARTED, morning_rush, objective, record

from kubedrill.core.measure.results import ObjectiveVerdict, Restoration, Verdict
from kubedrill.plugins.reports import render


def suite(drill):
    return ET.fromstring(render(drill, "junit")).find("testsuite")  # noqa: S314 - our own text


def case(drill, name):
    return next(c for c in suite(drill).iter("testcase") if c.get("name") == name)


def test_each_objective_is_a_test_case_under_its_own_name():
    names = [c.get("name") for c in suite(morning_rush()).iter("testcase")]
    assert names == [o.name for o in morning_rush().objectives]


def test_the_suite_counts_what_its_cases_say():
    drill = record(
        verdict=Verdict.FAILED,
        objectives=(
            objective("a", 5, MET, 1, 2),
            objective("b", 5, MISSED, 6, 7),
            objective("c", 5, INDETERMINATE),
            objective("d", 5, NOT_STARTED),
        ),
    )
    counts = {k: suite(drill).get(k) for k in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "4", "failures": "1", "errors": "1", "skipped": "1"}


def test_a_missed_limit_is_a_failure_that_says_by_how_much():
    failure = case(morning_rush(), "mitigation").find("failure")
    assert failure.get("message") == "Mitigation took 23–28 min, limit 20: 3 to 8 min late."


def test_what_cannot_be_told_is_an_error_and_no_skip():
    drill = record(objectives=(objective("a", 5, INDETERMINATE, reason="no evidence"),))
    assert case(drill, "a").find("error") is not None
    assert case(drill, "a").find("skipped") is None


def test_the_time_of_a_case_is_real_seconds():
    drill = record(pace=12, objectives=(objective("a", 5, MET, 1, 2),))
    assert case(drill, "a").get("time") == "120.000"


def test_the_verdict_is_a_property():
    properties = {p.get("name"): p.get("value") for p in suite(morning_rush()).iter("property")}
    assert (properties["verdict"], properties["met"], properties["restored"]) == ("Failed", "6 of 7", "true")


@pytest.mark.parametrize("verdict", [v for v in (*Verdict, None) if v is not Verdict.PASSED])
def test_no_verdict_but_passed_is_green(verdict):
    drill = record(verdict=verdict, objectives=(objective("a", 5, NOT_STARTED), objective("b", 5, MET, 1, 2)))
    assert suite(drill).get("errors") == "1"
    assert case(drill, "verdict").find("error").get("type") == (verdict or "Unfinished")


def test_a_drill_that_passed_is_green():
    drill = record(objectives=(objective("a", 5, MET, 1, 2),))
    assert (suite(drill).get("failures"), suite(drill).get("errors"), suite(drill).get("skipped")) == (
        "0",
        "0",
        "0",
    )


def test_what_is_not_put_back_is_an_error_whatever_the_verdict():
    drill = record(restoration=Restoration(complete=False, records_left=1))
    assert case(drill, "restoration").find("error").get("message") == "NOT everything was restored: 1 undo record."


def test_an_objective_that_is_still_open_is_not_green():
    assert case(record(objectives=(objective("a", 5, ObjectiveVerdict.PENDING),)), "a").find("error") is not None


def test_a_replay_touches_no_cluster_and_needs_no_restoration():
    assert suite(replace(record(), live=False, restoration=None)).get("errors") == "0"

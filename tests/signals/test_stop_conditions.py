"""A stop condition is met when Prometheus says so; an error says nothing, and never that all is well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.plan.drill_plan import PlannedStop
from kubedrill.plugins.sources.stop_conditions import fact_of, query_of, read, unaskable

ERRORS = PlannedStop("errors", promql="sum(rate(errors[1m])) > 5")
PAGED = PlannedStop("neighbour", alert="NeighbourDown")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def vector(*series: tuple[dict[str, str], float]) -> dict[str, object]:
    result = [{"metric": labels, "value": [1.0, str(value)]} for labels, value in series]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def test_an_expression_that_gives_a_series_is_met_and_says_its_value():
    reading = read(ERRORS, vector(({"pod": "web-1"}, 7.25)), About("shop"))
    assert reading.met is True
    assert reading.said == 'sum(rate(errors[1m])) > 5 gives 7.25 {pod="web-1"}'


def test_many_series_are_told_in_short():
    reading = read(ERRORS, vector(*(({"pod": f"web-{n}"}, n) for n in range(9))), About("shop"))
    assert reading.said.endswith("and 6 more")


def test_no_series_is_not_met():
    assert read(ERRORS, vector(), About("shop")).met is False


@pytest.mark.parametrize("labels", [{"namespace": "shop"}, {}], ids=["about the namespace", "about none"])
def test_an_alert_that_fires_is_met(labels):
    reading = read(PAGED, vector((labels, 1)), About("shop"))
    assert (reading.met, reading.said) == (True, "NeighbourDown fires")


def test_an_alert_of_another_namespace_is_not():
    assert read(PAGED, vector(({"namespace": "bank"}, 1)), About("shop")).met is False


def test_an_alert_is_asked_for_by_its_whole_name_and_only_firing():
    assert query_of(PAGED) == 'ALERTS{alertname=~"NeighbourDown",alertstate="firing"}'


def test_what_is_no_promql_is_refused_before_it_is_asked():
    reading = unaskable(PlannedStop("bad", promql="sum(rate(errors[1m]) >"))
    assert reading is not None
    assert reading.refused
    assert reading.said.startswith("is not valid PromQL: ")
    assert unaskable(ERRORS) is None
    assert unaskable(PAGED) is None


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        ({"status": "error", "errorType": "bad_data", "error": "parse error"}, True),
        ({"status": "error", "errorType": "execution", "error": "many-to-many matching"}, True),
        ({"status": "error", "errorType": "timeout", "error": "query timed out"}, False),
        ({"message": "503 Service Unavailable"}, False),
        ({}, False),
        ({"status": "success", "data": {"resultType": "scalar", "result": [1, "1"]}}, True),
    ],
)
def test_what_is_no_answer_is_neither_met_nor_unmet(answer, refused):
    reading = read(ERRORS, answer, About("shop"))
    assert reading.met is None
    assert reading.said
    assert reading.refused is refused


def test_the_fact_names_the_condition_and_what_was_seen():
    fact = fact_of(read(ERRORS, vector(({}, 7)), About("shop")), NOON, NOON + timedelta(milliseconds=20))
    assert fact.kind is FactKind.STOP_CONDITION_MET
    assert fact.evidence == "stop condition errors: sum(rate(errors[1m])) > 5 gives 7"
    assert fact.at.width == timedelta(milliseconds=20)

"""Each reader of an answer gives what it reads or says that nothing was said, whatever JSON it is given."""

from __future__ import annotations

import copy
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.answers.test_decoding import JSON

from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import Interval
from kubedrill.core.plan.drill_plan import PlannedStop
from kubedrill.kube.answers import NoAnswer
from kubedrill.plugins.alerts import alerts_about
from kubedrill.plugins.channels.alertmanager import PoisonError
from kubedrill.plugins.channels.alertmanager import read as webhook
from kubedrill.plugins.channels.base import Arrival
from kubedrill.plugins.sources import alertmanager, prometheus, stop_conditions
from kubedrill.plugins.sources.alert_history import Look, alert_history
from kubedrill.plugins.sources.alert_routes import AlertRoutes
from kubedrill.plugins.sources.raw_values import raw_form

SHOP = About("shop")
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
ERROR = timedelta(milliseconds=100)
LOOKED = Interval(NOON - timedelta(minutes=5), NOON)
ERRORS, PAGED = PlannedStop("errors", promql="errors > 5"), PlannedStop("neighbour", alert="High")

ABSURD = [
    1e300,
    -1e300,
    -1,
    0,
    10**400,
    2**63,
    253402300799,
    "1e300",
    "NaN",
    "+Inf",
    "-Inf",
    "1_0",
    "9" * 5000,
    "",
    "\x00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "2026-11-28T12:00:00",
    "24:00",
    [],
    {},
    None,
    True,
    [[]],
    {"": None},
]
ALERT = {
    "labels": {"alertname": "High", "namespace": "shop"},
    "annotations": {},
    "startsAt": "2026-11-28T11:59:00Z",
    "endsAt": "2026-11-28T12:09:00Z",
    "fingerprint": "f1",
    "status": {"state": "active"},
}
MATRIX = {
    "status": "success",
    "data": {
        "resultType": "matrix",
        "result": [
            {
                "metric": {"__name__": "ALERTS", "alertname": "High", "alertstate": "firing", "namespace": "shop"},
                "values": [[1764331100.5, "1"], [1764331101.5, "1"], [1764331190, "NaN"]],
            }
        ],
    },
}
VECTOR = {
    "status": "success",
    "data": {
        "resultType": "vector",
        "result": [{"metric": {"alertname": "High", "container": "app"}, "value": [1764331100.5, "7.5"]}],
    },
}
RULES = {
    "status": "success",
    "data": {
        "groups": [
            {
                "name": "g",
                "interval": 15,
                "rules": [
                    {
                        "type": "alerting",
                        "name": "High",
                        "query": "depth > 50",
                        "lastEvaluation": "2026-11-28T11:59:59.5Z",
                    }
                ],
            }
        ]
    },
}
WEBHOOK = {
    "version": "4",
    "receiver": "pager",
    "alerts": [{**ALERT, "status": "firing"}, {**ALERT, "status": "resolved", "fingerprint": "f2"}],
}
FAILED = {"status": "error", "errorType": "bad_data", "error": "parse error"}


def history(answer: Any) -> Any:
    rules = prometheus.alert_rules(RULES, SHOP)
    look = Look(SHOP, NOON - timedelta(hours=1), NOON, ERROR, rules)
    return alert_history(prometheus.matrix(answer), look)


def total(answer: Any) -> Any:
    series = prometheus.matrix(answer)
    form = raw_form("q > 5 or 0 * q")
    assert form is not None
    return prometheus.raw_total([series], form), prometheus.evaluated_total(series, 60)


def routes(answer: Any) -> Any:
    """Alertmanager tells its configuration as a text; a text in JSON is one in YAML, too."""
    return AlertRoutes(json.dumps(answer)).deliveries({"alertname": "High", "severity": "page"}, NOON)


ROUTES = {
    "route": {
        "receiver": "none",
        "group_wait": "30s",
        "routes": [
            {"matchers": ['severity="page"'], "receiver": "pager", "mute_time_intervals": ["weekend"]},
            {"match_re": {"severity": "page|ticket"}, "receiver": "tickets", "continue": "true"},
        ],
    },
    "receivers": [{"name": "none"}, {"name": "pager", "webhook_configs": [{"url": "http://pager"}]}],
    "time_intervals": [
        {
            "name": "weekend",
            "time_intervals": [
                {
                    "weekdays": ["saturday", "sunday"],
                    "times": [{"start_time": "00:00", "end_time": "24:00"}],
                    "days_of_month": ["-5:-1"],
                    "months": ["january:march"],
                    "years": ["2026:2030"],
                    "location": "UTC",
                }
            ],
        }
    ],
}
READERS = {
    "a series": (total, MATRIX),
    "the history of alerts": (history, MATRIX),
    "the loaded rules": (lambda answer: prometheus.alert_rules(answer, SHOP), RULES),
    "a query's latest values": (lambda answer: prometheus.latest_by(answer, "container"), VECTOR),
    "a stop condition": (lambda answer: stop_conditions.read(ERRORS, answer, SHOP), VECTOR),
    "an alert as stop condition": (lambda answer: stop_conditions.read(PAGED, answer, SHOP), VECTOR),
    "a stop condition that fails": (lambda answer: stop_conditions.read(ERRORS, answer, SHOP), FAILED),
    "the active alerts": (
        lambda answer: [*alertmanager.active(alerts_about(answer, SHOP), looked=LOOKED, error=ERROR)],
        [ALERT, ALERT],
    ),
    "the routes": (routes, ROUTES),
    "the webhook": (lambda answer: webhook(answer, Arrival(SHOP, NOON, ERROR)), WEBHOOK),
}


def places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(place for key, one in inner for place in places(one, (*here, key)))]


def changed(answer: Any, place: tuple[Any, ...], value: Any) -> Any:
    """The answer with another value in one place."""
    if not place:
        return value
    whole = copy.deepcopy(answer)
    inner = whole
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return whole


def is_read(name: str, answer: Any) -> bool:
    """Whether a reader reads it; it may say that it is unanswered, and nothing else."""
    try:
        READERS[name][0](answer)
    except (NoAnswer, PoisonError) as error:
        assert len(str(error)) < 300  # noqa: PT017  nothing may be raised, so `raises` fits not
        return False
    return True


@pytest.mark.parametrize("name", READERS)
def test_a_reader_reads_a_good_answer(name):
    assert is_read(name, READERS[name][1])


@pytest.mark.parametrize("name", READERS)
@settings(deadline=None)
@given(answer=JSON)
def test_any_json_is_read_or_unanswered(name, answer):
    is_read(name, answer)


@pytest.mark.parametrize("name", READERS)
@settings(deadline=None)
@given(data=st.data())
def test_a_good_answer_with_anything_in_one_place_is_read_or_unanswered(name, data):
    good = READERS[name][1]
    place = data.draw(st.sampled_from(places(good)))
    is_read(name, changed(good, place, data.draw(st.sampled_from(ABSURD) | JSON)))


@pytest.mark.parametrize("name", READERS)
def test_every_absurdity_in_every_place_is_read_or_unanswered(name):
    good = READERS[name][1]
    assert sum(is_read(name, changed(good, place, value)) for place in places(good) for value in ABSURD) > 0


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("data",), ["x"], "data is a list, not an object"),
        (("data", "result"), None, "the result is null, not a list"),
        (("data", "result", 0, "values", 0, 0), 1e300, "a sample's time is not between 1970 and 2099"),
        (("data", "result", 0, "values", 0, 0), 10**400, "a sample's time is a number without end"),
        (("data", "result", 0, "values", 0, 1), 7, "a sample's value is a number, not a string"),
        (("data", "result", 0, "metric"), ["a"], "a set of labels is a list, not an object"),
        (("status",), "ok", "that is not an answer of Prometheus"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(place, value, said):
    with pytest.raises(NoAnswer, match=said):
        prometheus.matrix(changed(MATRIX, place, value))


@pytest.mark.parametrize("interval", [1e300, -1, 86401, "15", 10**400])
def test_an_interval_that_no_group_has_is_unanswered(interval):
    with pytest.raises(NoAnswer, match="a group's interval"):
        prometheus.alert_rules(changed(RULES, ("data", "groups", 0, "interval"), interval), SHOP)


@pytest.mark.parametrize(
    "answer",
    [
        {"token": "TOP-SECRET"},
        {"message": "TOP-SECRET"},
        {"status": "TOP-SECRET"},
        {"status": "failure", "error": "TOP-SECRET"},
        ["TOP-SECRET"],
    ],
)
def test_words_that_are_not_prometheus_own_error_are_not_repeated(answer):
    with pytest.raises(NoAnswer) as caught:
        prometheus.matrix(answer)
    assert "SECRET" not in str(caught.value)
    assert "SECRET" not in stop_conditions.read(ERRORS, answer, SHOP).said


@pytest.mark.parametrize(
    "expression",
    ["(" * 6000 + "a" + ")" * 6000, "sum(" * 900 + "a" + ")" * 900, "a+" * 2000 + "a", "a or " * 800 + "a"],
    ids=["brackets", "calls", "sums", "alternatives"],
)
def test_a_rule_of_thousands_of_brackets_is_given_up_at_once(expression):
    answer = changed(RULES, ("data", "groups", 0, "rules", 0, "query"), expression)
    began = time.process_time()
    assert "too long" in prometheus.alert_rules(answer, SHOP)["High"].rule.whole.why_not
    assert raw_form(expression) is None
    assert time.process_time() - began < 0.5

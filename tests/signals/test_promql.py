import promql_parser
import pytest

from kubedrill.core.evidence.about import About
from kubedrill.plugins.sources import promql


@pytest.mark.parametrize(
    ("expression", "left", "operator", "threshold"),
    [
        ("queue_depth > 50", "queue_depth", ">", 50.0),
        ("50 < queue_depth", "queue_depth", ">", 50.0),
        ("(rate(errors[1m]) / rate(all[1m])) >= 0.05", "rate(errors[1m]) / rate(all[1m])", ">=", 0.05),
        ("max by (q) (last_over_time(depth[15s])) > 50", "max by (q) (last_over_time(depth[15s]))", ">", 50.0),
        ("depth > 50 and on () up == 1", "depth", ">", 50.0),
        ("used > limit", "(used) - (limit)", ">", 0.0),
        ("temperature < -5", "temperature", "<", -5.0),
        ("absent(up)", "absent(up)", "", None),
        ("a > 5 or b > 6", "a > 5 or b > 6", "", None),
    ],
)
def test_an_alerts_expression_is_taken_apart(expression, left, operator, threshold):
    rule = promql.take_apart("A", expression)
    assert (rule.left, rule.operator, rule.threshold) == (left, operator, threshold)


def test_what_is_no_promql_is_refused():
    with pytest.raises(ValueError, match="invalid"):
        promql.take_apart("A", "queue_depth and")


@pytest.mark.parametrize(
    ("expression", "selectors"),
    [
        ("queue_depth", ("queue_depth",)),
        ('queue_depth{queue="jobs"}', ('queue_depth{queue="jobs"}',)),
        ("queued + in_flight", ("queued", "in_flight")),
        ("sum(queued) + (sum(in_flight))", ("queued", "in_flight")),
        ("max by (q) (last_over_time(depth[15s]))", ("depth",)),
        ("rate(jobs[1m])", ()),
        ("queued - in_flight", ()),
        ("depth offset 1m", ()),
        ("max_over_time(depth[1m])", ()),
        ("sum(queued + in_flight)", ()),
        ("not promql (", ()),
    ],
)
def test_expressions_whose_value_is_that_of_raw_samples(expression, selectors):
    assert promql.raw_selectors(expression) == selectors


@pytest.mark.parametrize(
    "query",
    [
        promql.alert_history(["HighQueueDepth", 'odd"name', "a.b|c"], 60),
        promql.raw_samples('depth{a="b"}', 30),
        promql.evaluated("rate(jobs[1m]) > 3", 30, 5),
        promql.working_sets(About("shop", "exported_namespace"), ["worker", "api"]),
    ],
)
def test_every_query_that_is_built_is_promql(query):
    assert promql_parser.parse(query) is not None


def test_alert_names_are_matched_literally():
    assert promql.alert_history(["a.b"], 60) == 'ALERTS{alertname=~"a\\\\.b"}[60s]'

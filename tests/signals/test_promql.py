import promql_parser
import pytest

from kubedrill.core.evidence.about import About
from kubedrill.plugins.sources import promql
from kubedrill.plugins.sources.raw_values import raw_form


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
    form = raw_form(expression)

    assert (form.selectors if form else ()) == selectors


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

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.signals.builders import at, between

from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import FactKind, Sample
from kubedrill.core.plan.trouble import AlertRule
from kubedrill.plugins.sources import prometheus
from kubedrill.plugins.sources.alert_history import Look, alert_history
from kubedrill.plugins.sources.prometheus import LoadedRule, RawSeries
from kubedrill.plugins.sources.raw_values import RawForm, raw_form

EVERY = timedelta(seconds=1)
RULES = {"High": LoadedRule(AlertRule("High"), EVERY)}


def series(*points: tuple[float, float], **labels: str) -> RawSeries:
    return RawSeries(labels, tuple(Sample(at(t), v) for t, v in points))


def form(expression: str) -> RawForm:
    found = raw_form(expression)
    assert found is not None
    return found


BOTH, BARE = form("sum(q) + sum(f)"), form("q")


def alerts(start: float, end: float, state: str = "firing", **labels: str) -> RawSeries:
    points = [(start + n, 1.0) for n in range(int(end - start) + 1)]
    return series(*points, __name__="ALERTS", alertname="High", alertstate=state, **labels)


def history(*given: RawSeries, now: float = 100, since: float = 0, announced=(), evaluated: float | None = None):
    rule = replace(RULES["High"], evaluated=None if evaluated is None else at(evaluated))
    look = Look(About("shop"), at(since), at(now), timedelta(0), {"High": rule}, frozenset(announced))
    return alert_history(given, look)


def kinds(told):
    return [f.kind for f in told.facts]


def test_the_first_evaluation_in_state_firing_is_when_it_fired():
    told = history(alerts(90.25, 99.25))
    (fired,) = told.facts
    assert fired.kind is FactKind.ALERT_FIRING
    assert fired.at == between(90.25, 90.25)
    assert told.firing == {"High"}


def test_pending_is_told_apart():
    told = history(alerts(90, 95, "pending"), alerts(96, 100))
    assert kinds(told) == [FactKind.ALERT_PENDING, FactKind.ALERT_FIRING]
    assert told.pending == set()
    assert told.firing == {"High"}


def test_an_alert_that_ended_was_resolved_before_its_next_evaluation():
    _, resolved = history(alerts(50, 60)).facts
    assert resolved.kind is FactKind.ALERT_RESOLVED
    assert resolved.at == between(60, 61)
    assert history(alerts(50, 60)).firing == set()


def test_an_alert_that_fires_again_is_two_firings():
    flapping = RawSeries(alerts(50, 60).labels, (*alerts(50, 60).samples, *alerts(70, 100).samples))
    told = history(flapping)
    assert kinds(told) == [FactKind.ALERT_FIRING, FactKind.ALERT_RESOLVED, FactKind.ALERT_FIRING]
    assert told.firing == {"High"}


def test_one_missed_evaluation_is_no_end():
    holed = RawSeries(alerts(90, 100).labels, tuple(s for s in alerts(90, 100).samples if s.at != at(95)))
    assert kinds(history(holed)) == [FactKind.ALERT_FIRING]


def test_a_prometheus_that_stands_still_ends_no_alert():
    told = history(alerts(50, 60), evaluated=61)
    assert kinds(told) == [FactKind.ALERT_FIRING]
    assert told.firing == {"High"}


def test_what_fired_when_first_looked_at_may_have_fired_before():
    assert history(alerts(0.5, 10)).facts[0].detail["earlier"] is True
    assert history(alerts(50, 60)).facts[0].detail["earlier"] is False


def test_the_same_firing_read_again_is_the_same_fact():
    assert history(alerts(90, 95), now=95).facts[0].id == history(alerts(90, 100)).facts[0].id


def test_another_namespaces_alert_is_none_of_ours():
    assert history(alerts(90, 100, namespace="other")).facts == ()
    assert history(alerts(90, 100, namespace="shop")).facts != ()


def test_an_alert_that_the_drill_announced_itself_is_marked():
    assert history(alerts(90, 100), announced=("High",)).facts[0].detail["drill"] is True


def test_an_error_is_no_answer():
    with pytest.raises(ValueError, match="bad_data"):
        prometheus.matrix({"status": "error", "error": "bad_data: parse error"})
    with pytest.raises(ValueError, match="not an answer"):
        prometheus.matrix({})


def test_values_that_are_no_numbers_are_no_data():
    answer = {
        "status": "success",
        "data": {"resultType": "matrix", "result": [{"metric": {}, "values": [[1, "NaN"], [2, "3"], [3, "+Inf"]]}]},
    }
    (one,) = prometheus.matrix(answer)
    assert [s.value for s in one.samples] == [3.0]


def test_sums_of_one_scrape_are_exact():
    queued, flying = series((1.0, 5), (2.0, 6), __name__="q"), series((1.0, 2), (2.0, 3), __name__="f")
    total = prometheus.raw_total([[queued], [flying]], BOTH)
    assert total is not None
    assert [s.value for s in total] == [7, 9]


def test_samples_of_different_scrapes_cant_be_added():
    one, other = series((1.0, 5)), series((1.5, 2))
    assert prometheus.raw_total([[one], [other]], BOTH) is None


def test_several_series_are_added_only_for_a_bare_selector():
    two = [series((1.0, 5), pod="a"), series((1.0, 6), pod="b")]
    assert prometheus.raw_total([two], BOTH) is None
    total = prometheus.raw_total([two], BARE)
    assert total is not None
    assert [s.value for s in total] == [11]


def test_series_that_promql_would_not_match_are_not_added():
    one, other = series((1.0, 5), queue="a"), series((1.0, 2), queue="b")
    assert prometheus.raw_total([[one], [other]], BOTH) is None


def test_a_part_without_data_is_no_data():
    assert prometheus.raw_total([[series((1.0, 5))], []], BOTH) == ()


def test_an_evaluated_sample_is_set_back_by_half_a_step():
    assert prometheus.evaluated_total([series((10.0, 5)), series((10.0, 6))], 2) == (Sample(at(9), 11),)


def test_loaded_rules_are_read_with_their_interval():
    answer = {
        "status": "success",
        "data": {
            "groups": [
                {
                    "interval": 1,
                    "rules": [
                        {
                            "type": "alerting",
                            "name": "High",
                            "query": "depth > 50",
                            "lastEvaluation": "2026-11-23T12:00:07Z",
                        },
                        {"type": "recording", "name": "r", "query": "x"},
                        {
                            "type": "alerting",
                            "name": "Odd",
                            "query": "not promql (",
                            "lastEvaluation": "0001-01-01T00:00:00Z",
                        },
                    ],
                },
            ]
        },
    }
    rules = prometheus.alert_rules(answer, About("shop"))
    assert set(rules) == {"High", "Odd"}
    assert (rules["High"].rule.whole.better, rules["High"].every) == ('as depth{namespace=~"shop|"} falls', EVERY)
    assert (rules["High"].evaluated, rules["Odd"].evaluated) == (at(7), None)
    assert "not PromQL" in rules["Odd"].rule.whole.why_not


def test_the_usual_spacing_of_samples_is_their_median():
    samples = [Sample(at(t), 0) for t in (0, 1, 2, 3, 30)]
    assert prometheus.spacing(samples, timedelta(seconds=9)) == timedelta(seconds=1)
    assert prometheus.spacing([], timedelta(seconds=9)) == timedelta(seconds=9)

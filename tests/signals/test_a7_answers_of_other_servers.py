"""Thanos, Mimir, VictoriaMetrics and OpenShift answer like Prometheus, with something more, or something less.

Written by hand after their documentation; what is left out of an answer here is of no consequence.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.signals.builders import at

from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import Sample
from kubedrill.plugins.sources import prometheus

SHOP = About("shop")
RULE = {
    "name": "High",
    "query": "depth > 50",
    "duration": 60,
    "labels": {"severity": "page"},
    "annotations": {"summary": "x"},
    "alerts": [],
    "health": "ok",
    "evaluationTime": 0.0003,
    "lastEvaluation": "2026-11-23T12:00:07.5Z",
    "type": "alerting",
}
RULES: dict[str, dict[str, Any]] = {
    "Prometheus": {"groups": [{"name": "g", "file": "/etc/r.yml", "interval": 30, "limit": 0, "rules": [RULE]}]},
    "Thanos": {
        "groups": [
            {
                "name": "g",
                "file": "r.yml",
                "rules": [{**RULE, "labels": {"severity": "page", "replica": "0"}, "partialResponseStrategy": "ABORT"}],
                "interval": 30,
                "evaluationTime": 0.001,
                "lastEvaluation": "2026-11-23T12:00:07.500000001Z",
                "partialResponseStrategy": "ABORT",
                "limit": 0,
            },
            {"name": "empty", "file": "r.yml", "rules": None, "interval": 30},
        ]
    },
    "Mimir": {
        "groups": [
            {
                "name": "g",
                "file": "team/rules",
                "rules": [{**RULE, "state": "inactive", "keepFiringFor": 0, "lastError": ""}],
                "interval": 30.0,
                "sourceTenants": ["team"],
            }
        ]
    },
    "VictoriaMetrics": {
        "groups": [
            {
                "name": "g",
                "id": "101",
                "file": "/r.yml",
                "type": "prometheus",
                "interval": 30,
                "concurrency": 1,
                "lastEvaluation": "2026-11-23T12:00:07.5+00:00",
                "rules": [
                    {
                        **RULE,
                        "id": "7",
                        "group_id": "101",
                        "state": "inactive",
                        "lastEvaluation": "2026-11-23T12:00:07.5+00:00",
                        "lastSamples": 0,
                        "lastSeriesFetched": None,
                        "datasourceType": "prometheus",
                        "max_updates_entries": 20,
                        "updates": None,
                    }
                ],
            }
        ]
    },
    "OpenShift": {
        "groups": [
            {
                "name": "g",
                "file": "/etc/prometheus/rules/shop.yaml",
                "rules": [
                    {**RULE, "labels": {"severity": "page", "prometheus": "openshift-user-workload-monitoring/w"}}
                ],
                "interval": 30,
                "partialResponseStrategy": "ABORT",
            }
        ]
    },
}
SERIES = [{"metric": {"namespace": "shop"}, "values": [[1795435207.5, "60"], [1795435208.5, "NaN"]]}]
BESIDE: dict[str, dict[str, Any]] = {
    "Prometheus": {},
    "Thanos": {"warnings": ["No StoreAPIs matched for this query"]},
    "Mimir": {"infos": ["PromQL info: metric might not be a counter"]},
    "VictoriaMetrics": {"isPartial": False, "stats": {"seriesFetched": "1", "executionTimeMsec": 2}},
    "OpenShift": {"analysis": None},
}


@pytest.mark.parametrize("server", RULES)
def test_rules_are_read_alike(server):
    (loaded,) = prometheus.alert_rules({"status": "success", "data": RULES[server]}, SHOP).values()

    assert loaded.rule.whole.query == '(depth{namespace=~"shop|"} > 50) or (0 * depth{namespace=~"shop|"})'
    assert loaded.every == timedelta(seconds=30)
    assert loaded.evaluated is not None
    assert abs(loaded.evaluated - at(7.5)) < timedelta(milliseconds=1)


@pytest.mark.parametrize("server", BESIDE)
def test_series_are_read_alike(server):
    answer = {"status": "success", "data": {"resultType": "matrix", "result": SERIES}, **BESIDE[server]}
    (series,) = prometheus.matrix(answer)

    assert [sample.value for sample in series.samples] == [60]
    assert isinstance(series.samples[0], Sample)


@pytest.mark.parametrize("data", [{"groups": []}, {"groups": None}, {}])
def test_a_server_that_evaluates_no_rules_has_none(data):
    """VictoriaMetrics without `-vmalert.proxyURL`, and a querier without a ruler."""
    assert prometheus.alert_rules({"status": "success", "data": data}, SHOP) == {}


@pytest.mark.parametrize("query", ["default_rollup(q) > 5", "q{a='1' or b='2'} > 5", '[{"refId":"A","model":{}}]'])
def test_a_rule_in_another_language_than_promql_asks_for_a_query(query):
    group = {"name": "g", "interval": 30, "rules": [{**RULE, "query": query}]}
    (loaded,) = prometheus.alert_rules({"status": "success", "data": {"groups": [group]}}, SHOP).values()

    assert loaded.rule.whole.query == ""
    assert "PromQL" in loaded.rule.whole.why_not


def test_b6_rules_of_one_name_are_kept_apart_and_together():
    warning = {**RULE, "query": "disk > 90", "labels": {"severity": "warning"}}
    groups = [{"name": "g", "interval": 30, "rules": [RULE]}, {"name": "h", "interval": 60, "rules": [warning]}]
    (loaded,) = prometheus.alert_rules({"status": "success", "data": {"groups": groups}}, SHOP).values()

    assert [one.labels["severity"] for one in loaded.rule.each] == ["page", "warning"]
    assert loaded.rule.whole.better.endswith("each against its own limit")
    assert loaded.every == timedelta(seconds=60)

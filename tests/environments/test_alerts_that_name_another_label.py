"""Where exporters are scraped without honorLabels, an alert names its exporter's namespace and, beside it, the app's.

`exported_namespace` is the app's then. Every reader goes by the environment's label, or the alert of a drill would be
somebody else's, and somebody else's would be the drill's.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.environments.builders import drill_spec, environment, settled
from tests.undo.builders import NOON

from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import Interval, Sample
from kubedrill.core.plan.derive import derive
from kubedrill.core.plan.drill_plan import PlannedStop
from kubedrill.plugins.alerts import alerts_about
from kubedrill.plugins.channels.alertmanager import read as webhook
from kubedrill.plugins.channels.base import Arrival
from kubedrill.plugins.faults.of_drill import profile
from kubedrill.plugins.sources import alertmanager, promql, stop_conditions
from kubedrill.plugins.sources.alert_history import Look, alert_history
from kubedrill.plugins.sources.prometheus import RawSeries

HERE = About("shop-staging", "exported_namespace")
OURS = {"alertname": "Errors", "namespace": "exporters", "exported_namespace": "shop-staging"}
THEIRS = {"alertname": "Errors", "namespace": "shop-staging", "exported_namespace": "billing"}
OF_NOBODY = {"alertname": "Errors", "namespace": "exporters"}
ZERO = timedelta(0)


def history(labels: dict[str, str]) -> bool:
    samples = tuple(Sample(NOON + timedelta(seconds=n), 1.0) for n in range(3))
    series = RawSeries(labels | {"alertstate": "firing"}, samples)
    look = Look(HERE, NOON, NOON + timedelta(seconds=3), ZERO, {})
    return bool(alert_history([series], look).facts)


def page(labels: dict[str, str]) -> bool:
    alert = {"status": "firing", "labels": labels, "startsAt": "2026-03-02T12:00:00Z", "fingerprint": "f"}
    message = {"version": "4", "receiver": "operator", "alerts": [alert]}
    return bool(webhook(message, Arrival(HERE, NOON, ZERO)))


def listed(labels: dict[str, str]) -> bool:
    alert = {"status": {"state": "active"}, "labels": labels, "startsAt": "2026-03-02T12:00:00Z", "fingerprint": "f"}
    told = alerts_about([alert], HERE)
    return bool([*alertmanager.active(told, looked=Interval.at(NOON, ZERO), error=ZERO)])


def stopping(labels: dict[str, str]) -> bool:
    vector: dict[str, Any] = {"resultType": "vector", "result": [{"metric": labels, "value": [1, "1"]}]}
    answer = {"status": "success", "data": vector}
    return bool(stop_conditions.read(PlannedStop("paged", alert="Errors"), answer, HERE).met)


@pytest.mark.parametrize("reader", [history, page, listed, stopping])
def test_an_alert_counts_when_that_label_says_so_or_is_not_there(reader):
    assert (reader(OURS), reader(THEIRS), reader(OF_NOBODY)) == (True, False, True)


def test_a_label_that_is_empty_is_not_there_as_in_prometheus():
    assert HERE.holds({"exported_namespace": ""})


def test_alertmanager_and_prometheus_are_asked_by_that_label():
    assert ("filter", 'exported_namespace=~"|shop-staging"') in alertmanager.asked_for(HERE, ["Errors"])
    assert '{exported_namespace="shop-staging",' in promql.working_sets(HERE, ["web"])


def test_the_plan_has_the_label_of_the_environment():
    spec = drill_spec()
    assert spec.scenario is not None
    setting = settled(spec, environment(labels={"namespace": "exported_namespace"}))
    assert derive(spec, spec.scenario, profile, setting=setting).about == HERE

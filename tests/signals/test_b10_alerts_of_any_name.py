"""B10: hand-written alerts are often called by a sentence. Such a name is taken whole, and no two become one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError
from tests.signals.builders import NOON, at, between

from kubedrill.api.base import LONGEST_ALERT_NAME
from kubedrill.api.drill import StopCondition
from kubedrill.api.drill_status import DrillStatus
from kubedrill.api.scenario import ExpectedAlert
from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.codec import from_line, to_line
from kubedrill.core.evidence.facts import Sample
from kubedrill.core.machine.bounds import within_bounds
from kubedrill.core.measure.results import MilestoneName
from kubedrill.plugins.alerts import alerts_about
from kubedrill.plugins.faults.alert import AlertAnnounce
from kubedrill.plugins.sources import alertmanager, promql
from kubedrill.plugins.sources.alert_history import Look, alert_history
from kubedrill.plugins.sources.prometheus import RawSeries
from kubedrill.store.segments import FACT_BYTES

SENTENCE = "Checkout service - less than two pods available (customer facing, page)"
LONG = ["x" * (LONGEST_ALERT_NAME - 1) + end for end in "ab"]
BEYOND = ["x" * 400 + end for end in "ab"]


@pytest.mark.parametrize("name", [SENTENCE, *LONG, "Zu wenige Läufer („Kasse“)", 'with "quotes" and \\'])
def test_b10_a_drill_may_expect_it_stop_at_it_and_announce_it(name: str):
    assert ExpectedAlert(name=name).name == name
    assert StopCondition(name="stop", alert=name).alert == name
    assert AlertAnnounce(alert=name).alert == name


@pytest.mark.parametrize("name", ["x" * (LONGEST_ALERT_NAME + 1), "", "two\nlines"])
def test_b10_what_is_longer_or_of_two_lines_is_refused(name: str):
    with pytest.raises(ValidationError):
        ExpectedAlert(name=name)


def history(*names: str):
    """Facts of alerts that fire about the namespace, as they are stored."""
    series = [
        RawSeries({"alertname": name, "alertstate": "firing", "namespace": "shop"}, (Sample(at(5), 1.0),))
        for name in names
    ]
    found = alert_history(series, Look(About("shop"), NOON, at(6), timedelta(0), {})).facts
    return [from_line(to_line(fact, FACT_BYTES)[1]) for fact in found]


@pytest.mark.parametrize("names", [[SENTENCE], LONG, BEYOND], ids=["a sentence", "as long as may be", "longer"])
def test_b10_the_firings_of_two_that_begin_alike_stay_two(names: list[str]):
    facts = history(*names)
    assert len({fact.id for fact in facts}) == len(names)
    assert [fact.detail["alert"] for fact in facts] == names


@pytest.mark.parametrize("names", [LONG, BEYOND], ids=["as long as may be", "longer"])
def test_b10_so_they_do_where_alertmanager_tells_of_them(names: list[str]):
    given = [
        {"labels": {"alertname": name}, "startsAt": NOON.isoformat(), "status": {"state": "active"}} for name in names
    ]
    told = alerts_about(given, About("shop"))
    facts = alertmanager.active(told, looked=between(0, 60), error=timedelta(0))
    kept = [from_line(to_line(fact, FACT_BYTES)[1]) for fact in facts]
    assert len({fact.id for fact in kept}) == len({fact.detail["alert"] for fact in kept}) == 2
    if names is LONG:
        assert {fact.detail["alert"] for fact in kept} == set(names)


def test_b10_what_the_status_calls_after_them_is_not_cut():
    names = [f"alert-{name}" for name in LONG]
    reached = [f"{MilestoneName.ALERT_FIRED}[{name}]" for name in LONG]
    objectives = [{"name": name, "verdict": "Met", "limit": "10m"} for name in names]
    stamp = NOON.isoformat()
    milestones = [{"name": n, "notBefore": stamp, "notAfter": stamp, "source": "Prometheus"} for n in reached]
    status = within_bounds({"objectives": objectives, "milestones": milestones})
    assert [o["name"] for o in status["objectives"]] == names
    assert [m["name"] for m in status["milestones"]] == reached
    DrillStatus.model_validate(status)


def test_b10_prometheus_is_asked_for_the_very_name():
    assert promql.firing(SENTENCE) == (
        'ALERTS{alertname=~"Checkout\\\\ service\\\\ \\\\-\\\\ less\\\\ than\\\\ two\\\\ pods\\\\ available'
        '\\\\ \\\\(customer\\\\ facing,\\\\ page\\\\)",alertstate="firing"}'
    )
    assert promql.check(promql.firing(*LONG)) == ""
    assert ("rule_name[]", SENTENCE) in promql.rules_asked_for([SENTENCE])

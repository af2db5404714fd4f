"""What an alert's rule takes by itself is read where it is loaded, shown, and frozen with the plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.machine.world import drill_plan as a_drill

from kubedrill.api.drill import DrillSpec
from kubedrill.core.evidence.about import About
from kubedrill.core.plan.codec import plan_from_json, plan_to_json
from kubedrill.core.plan.derive import derive
from kubedrill.core.plan.drill_plan import DrillPlan, RuleTiming
from kubedrill.core.plan.trouble import AlertRule
from kubedrill.kube.answers import NoAnswer
from kubedrill.plugins.faults.of_drill import profile
from kubedrill.plugins.sources.prometheus import alert_rules

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
SLOW = RuleTiming(waits=15 * MINUTE, lingers=MINUTE, every=30 * SECOND)


def planned(timing: RuleTiming = SLOW, **alert: Any) -> DrillPlan:
    spec = DrillSpec.model_validate(
        {
            "targetNamespace": "shop",
            "scenario": {
                "title": "A drill",
                "expectedAlerts": [{"name": "Slow", **alert}],
                "faults": [{"name": "limit", "memoryLimit": {"target": {"kind": "Deployment", "name": "web"}}}],
            },
            "players": [{"name": "alice", "role": "L1"}],
        }
    )
    assert spec.scenario is not None
    return derive(spec, spec.scenario, profile, {"Slow": AlertRule("Slow", timing=timing)})


def loaded(**rule: Any) -> RuleTiming:
    whole = {"type": "alerting", "name": "Slow", "query": "down > 0", **rule}
    answer = {"status": "success", "data": {"groups": [{"name": "g", "interval": 30, "rules": [whole]}]}}
    return alert_rules(answer, About("shop"))["Slow"].rule.timing


def test_it_is_read_where_the_rule_is_loaded():
    assert loaded(duration=900, keepFiringFor=60) == SLOW


def test_a_server_that_does_not_tell_of_them_has_none():
    assert loaded() == RuleTiming(every=30 * SECOND)


@pytest.mark.parametrize("absurd", [-1, 1e12, "15m"])
def test_an_absurd_one_is_no_answer(absurd):
    with pytest.raises(NoAnswer):
        loaded(duration=absurd)


def test_it_is_said_to_be_the_monitorings():
    said = "Slow is evaluated every 30s, waits 15m before it fires (for) and fires 1m longer (keep_firing_for)"
    assert f"{said}: the monitoring's time, not the players'" in planned().derived


def test_b1_a_limit_that_is_left_out_leaves_room_for_it():
    (alert,) = planned().alerts
    assert alert.within == 20 * MINUTE
    (quick,) = planned(RuleTiming(2 * SECOND)).alerts
    assert quick.within == 10 * MINUTE


def test_a_limit_that_is_written_is_kept():
    (alert,) = planned(within="3m").alerts
    assert alert.within == 3 * MINUTE


def test_the_drill_is_given_the_time_in_which_the_alert_still_fires():
    assert planned().max_duration - planned(replace(SLOW, lingers=timedelta(0))).max_duration == MINUTE


def test_it_is_stored_with_the_plan():
    assert plan_from_json(plan_to_json(planned())) == planned()


def test_a_plan_that_was_stored_without_it_is_read():
    text = plan_to_json(a_drill())
    assert '"timing":' in text
    (alert,) = plan_from_json(text.replace('"timing":', '"unknown":')).alerts
    assert alert.timing == RuleTiming()

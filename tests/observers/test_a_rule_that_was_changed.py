"""An expected alert's rule that is edited or removed in a drill: its alert does not end by that, and it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.observers.builders import drill_plan
from tests.observers.test_probe import CLOCK, HIGH, FakeMonitoring, matrix, since

from kubedrill.controller.gathering import MonitoringProbe
from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.plugins.sources.prometheus import alert_rules

EDITS: Mapping[str, dict[str, Any]] = {
    "threshold": {"query": "max(last_over_time(depth[15s])) > 5000"},
    "for": {"duration": 3600},
    "keep_firing_for": {"keepFiringFor": 60},
    "labels": {"labels": {"severity": "none"}},
}


def loaded(*rules: Mapping[str, Any]) -> dict[str, Any]:
    return {"status": "success", "data": {"groups": [{"interval": 1, "rules": list(rules)}]}}


def identity(*rules: Mapping[str, Any]) -> str:
    return alert_rules(loaded(*rules), About("shop"))["High"].rule.identity


def planned() -> DrillPlan:
    plan = drill_plan()
    return replace(plan, alerts=tuple(replace(alert, rule=identity(HIGH)) for alert in plan.alerts))


class Watched:
    """A drill's monitoring, in which High fired until half a minute ago, probed again and again."""

    def __init__(self, plan: DrillPlan | None = None) -> None:
        self.fake, self.plan = FakeMonitoring(), plan or planned()
        self.monitoring = MonitoringProbe(self.fake, CLOCK)
        labels = {"__name__": "ALERTS", "alertname": "High", "alertstate": "firing"}
        self.fake.answers["ALERTS"] = matrix((labels, self.fake.points(1, 1, 1, back=30)))

    async def sees(self, *rules: Mapping[str, Any], evaluated: float = 0) -> list[Fact]:
        last = datetime.fromtimestamp(self.fake.now - evaluated, UTC).isoformat()
        self.fake.rules = loaded(*({**rule, "lastEvaluation": last} for rule in rules))
        return list((await self.monitoring.probe(self.plan, since())).facts)


def kinds(facts: list[Fact]) -> list[FactKind]:
    return [f.kind for f in facts if f.kind is not FactKind.ALERT_FIRING]


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.mark.parametrize("edit", EDITS)
async def test_the_alert_of_an_edited_rule_has_not_ended(watched, edit):
    assert kinds(await watched.sees(HIGH, evaluated=30)) == [FactKind.RULE_AS_PLANNED]

    told = await watched.sees(HIGH | EDITS[edit])

    assert kinds(told) == [FactKind.RULE_AS_PLANNED, FactKind.RULE_CHANGED]
    assert told[-1].evidence.startswith("the rule of High is another than the drill was planned with")
    assert told[-1].at.not_before <= datetime.fromtimestamp(watched.fake.now - 30, UTC)


async def test_however_often_it_is_looked_at_it_has_not_ended(watched):
    await watched.sees(HIGH, evaluated=30)
    told = [kinds(await watched.sees(HIGH | EDITS["threshold"], evaluated=seconds)) for seconds in (20, 10, 0)]
    assert told == [[FactKind.RULE_AS_PLANNED, FactKind.RULE_CHANGED]] * 3


async def test_a_rule_that_is_removed_is_told_as_such(watched):
    await watched.sees(HIGH, evaluated=30)
    told = await watched.sees()
    assert kinds(told)[-1] is FactKind.RULE_CHANGED
    assert told[-1].evidence.startswith("the rule of High was removed")


async def test_a_second_rule_of_the_name_is_a_change(watched):
    assert FactKind.RULE_CHANGED in kinds(await watched.sees(HIGH, HIGH | EDITS["threshold"]))


async def test_once_it_is_back_that_is_told_and_its_alert_has_ended(watched):
    await watched.sees(HIGH, evaluated=30)
    await watched.sees(HIGH | EDITS["threshold"])
    told = await watched.sees(HIGH)
    assert kinds(told) == [
        FactKind.ALERT_RESOLVED,
        FactKind.RULE_AS_PLANNED,
        FactKind.RULE_CHANGED,
        FactKind.RULE_AS_PLANNED,
    ]


async def test_an_operator_that_was_restarted_meanwhile_tells_no_end_either(watched):
    assert kinds(await watched.sees(HIGH | EDITS["threshold"])) == [FactKind.RULE_CHANGED]


@pytest.mark.parametrize(
    "same",
    [{"query": f"  {HIGH['query']}\n"}, {"health": "ok", "state": "firing"}, {"annotations": {"summary": "s"}}],
    ids=["white space", "its state", "annotations"],
)
async def test_what_does_not_bear_on_when_it_fires_is_no_change(watched, same):
    assert FactKind.RULE_CHANGED not in kinds(await watched.sees(HIGH | same))


async def test_a_rule_that_goes_on_changing_ends_as_another_one(watched):
    for _ in range(30):
        await watched.sees(HIGH)
        told = await watched.sees()
    assert kinds(told)[-1] is FactKind.RULE_CHANGED
    assert len(told) <= 42
    assert kinds(await watched.sees(HIGH))[-1] is FactKind.RULE_CHANGED


async def test_a_plan_that_does_not_say_which_rule_it_means_is_compared_with_nothing():
    assert kinds(await Watched(drill_plan()).sees(HIGH, evaluated=30)) == []


async def test_a_look_that_failed_compares_nothing(watched):
    watched.fake.down = True
    assert kinds(await watched.sees()) == []


def test_an_identity_does_not_depend_on_the_order_of_rules():
    other = HIGH | EDITS["labels"]
    assert identity(HIGH, other) == identity(other, HIGH)
    assert len({identity(HIGH), identity(other), identity(HIGH, other)}) == 3

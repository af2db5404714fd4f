"""A drill that names no impact is judged by the alert that starts its clock, and the plan says how."""

from __future__ import annotations

from tests.environments.builders import SCENARIO, drill_spec, environment, settled

from kubedrill.core.plan.codec import plan_from_json, plan_to_json
from kubedrill.core.plan.derive import derive
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.core.plan.trouble import AlertRule, Trouble
from kubedrill.plugins.faults.of_drill import profile

HIGH = Trouble("(q > 5) or (0 * q)", "as q falls", 5.0, labels={"severity": "page"})
LOW = Trouble("(d > 9) or (0 * d)", "as d falls", 9.0, labels={"severity": "warning"})


def planned(rule: AlertRule | None, **mitigated: object) -> DrillPlan:
    spec = drill_spec({"name": "alice", "role": "L1"}, scenario=SCENARIO | {"mitigated": mitigated})
    assert spec.scenario is not None
    return derive(spec, spec.scenario, profile, {"Errors": rule} if rule else {})


def test_the_plan_says_what_is_measured_and_when_it_falls():
    plan = planned(AlertRule("Errors", HIGH, (HIGH,)))

    assert (plan.impact.query, plan.impact.alert, plan.impact.threshold) == (HIGH.query, "Errors", 5.0)
    assert f"impact: {HIGH.query}" in plan.derived
    assert "the impact is 0 while Errors has no reason to fire, and falls as q falls" in plan.derived


def test_b6_several_rules_of_one_name_are_all_in_the_plan():
    both = Trouble("count_of_both", "as fewer are in trouble")
    plan = planned(AlertRule("Errors", both, (HIGH, LOW)))

    assert plan.impact.query == "count_of_both"
    assert [(rule.query, rule.labels) for rule in plan.impact.rules] == [
        (HIGH.query, HIGH.labels),
        (LOW.query, LOW.labels),
    ]
    assert any(line.startswith("2 rules are called Errors") for line in plan.derived)
    assert plan_from_json(plan_to_json(plan)).impact == plan.impact


def test_why_nothing_can_be_derived_is_in_the_plan():
    plan = planned(AlertRule("Errors", Trouble(why_not="q is compared with nothing")))

    assert (plan.impact.query, plan.impact.why_not) == ("", "q is compared with nothing")
    assert "impact: can't be derived from Errors: q is compared with nothing" in plan.derived


def test_while_its_rule_is_not_known_nothing_is_said_against_it():
    plan = planned(None)

    assert (plan.impact.query, plan.impact.why_not) == ("", "")


def test_what_the_drill_says_itself_is_taken_as_it_is():
    plan = planned(AlertRule("Errors", HIGH, (HIGH,)), query="3 - sum(up)")

    assert (plan.impact.query, plan.impact.alert, plan.impact.rules) == ("3 - sum(up)", "", ())
    assert (plan.impact.amount, plan.impact.percent) == (0, 10)  # three pods never fall by ten


def test_the_environment_says_which_cluster_it_is():
    here = settled(drill_spec(), environment(cluster="eu-1", labels={"cluster": "region"}))
    spec = drill_spec()
    assert spec.scenario is not None
    about = derive(spec, spec.scenario, profile, setting=here).about

    assert about.wanted == {"namespace": "shop-staging", "region": "eu-1"}
    assert about.holds({"region": "eu-1"})
    assert about.holds({})
    assert not about.holds({"region": "us-2"})

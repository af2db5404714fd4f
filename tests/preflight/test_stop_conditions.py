"""No drill starts whose stop conditions can't be asked for, or are met already."""

from __future__ import annotations

import pytest
from tests.machine.world import drill_plan as a_drill

from kubedrill.api.drill import DrillSpec
from kubedrill.core.plan.derive import derive
from kubedrill.core.plan.drill_plan import DrillPlan, PlannedStop
from kubedrill.core.plan.preflight import alerts_loaded, preflight, stop_conditions_clear
from kubedrill.core.plan.surroundings import StopReading, Surroundings
from kubedrill.plugins.faults.of_drill import profile

ERRORS = {"name": "errors", "promql": "sum(rate(errors[1m])) > 5"}
PAGED = {"name": "neighbour", "alert": "NeighbourDown"}


def drill_plan(*stop_when: dict[str, str]) -> DrillPlan:
    """A drill with these stop conditions."""
    spec = DrillSpec.model_validate(
        {
            "targetNamespace": "shop",
            "stopWhen": list(stop_when),
            "scenario": {
                "title": "A drill",
                "expectedAlerts": [{"name": "Errors"}],
                "faults": [{"name": "call", "manual": {"do": "pull the plug", "undo": "restore it"}}],
            },
        }
    )
    assert spec.scenario is not None
    return derive(spec, spec.scenario, profile)


def around(*stops: StopReading, rules: frozenset[str] | None = None) -> Surroundings:
    return Surroundings("drills", stops=stops, rules_loaded=rules)


def test_a_drill_without_any_passes():
    assert stop_conditions_clear(a_drill(), around()).ok is True


def test_what_is_written_is_what_is_planned():
    assert drill_plan(ERRORS, PAGED).stop_when == (
        PlannedStop("errors", promql="sum(rate(errors[1m])) > 5"),
        PlannedStop("neighbour", alert="NeighbourDown"),
    )


def test_one_that_is_not_met_passes():
    assert stop_conditions_clear(drill_plan(ERRORS), around(StopReading("errors", False))).ok is True


def test_one_that_is_met_already_is_waited_for_and_named_with_its_value():
    check = stop_conditions_clear(drill_plan(ERRORS), around(StopReading("errors", True, "errors > 5 gives 7")))
    assert (check.ok, check.hard, check.reason) == (False, False, "StopConditionMet")
    assert check.message == "stop condition errors: errors > 5 gives 7"


def test_one_that_can_never_be_asked_is_refused_at_once():
    wrong = StopReading("errors", None, "is not valid PromQL: unexpected end", refused=True)
    check = stop_conditions_clear(drill_plan(ERRORS), around(wrong))
    assert (check.ok, check.hard, check.reason) == (False, True, "StopConditionInvalid")


@pytest.mark.parametrize("stops", [(), (StopReading("errors", None, "connection refused"),)], ids=["none", "no answer"])
def test_no_answer_is_not_well(stops):
    check = stop_conditions_clear(drill_plan(ERRORS), around(*stops))
    assert (check.ok, check.reason) == (None, "StopConditionUnknown")


def test_an_alert_whose_rule_is_not_loaded_is_refused_like_an_expected_one():
    check = alerts_loaded(drill_plan(PAGED), around(rules=frozenset({"Errors"})))
    assert (check.ok, check.hard, check.reason) == (False, True, "AlertRuleNotLoaded")
    assert "NeighbourDown" in check.message
    assert alerts_loaded(drill_plan(PAGED), around(rules=frozenset({"Errors", "NeighbourDown"}))).ok is True


def test_it_is_one_of_the_checks_of_every_start():
    assert "stop-conditions" in {check.name for check in preflight(drill_plan(ERRORS), around())}

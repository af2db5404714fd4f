"""A drill starts only where all that it needs was seen to be so; what could not be seen is not so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.machine.world import START
from tests.machine.world import drill_plan as a_drill

from kubedrill.core.evidence.facts import Sample, Series
from kubedrill.core.machine.state import CheckResult
from kubedrill.core.plan.drill_plan import SteadyCheck
from kubedrill.core.plan.preflight import preflight, steady
from kubedrill.core.plan.surroundings import Surroundings
from kubedrill.core.undo.operations import Refusal

CALM = SteadyCheck("queue", "sum(queue_depth)", below=20)
FIT = Surroundings(
    "drills",
    namespace_found=True,
    namespace_control="drills",
    missing_rights=(),
    rules_loaded=frozenset({"Errors"}),
    firing=frozenset(),
)


NOT_FOUND = {"limit": Refusal("TargetNotFound", "there is no Deployment/web in namespace shop")}


def failing(around: Surroundings) -> list[CheckResult]:
    return [check for check in preflight(a_drill(), around) if check.ok is not True]


def samples(*values: float) -> Series:
    """Measured once a second."""
    return Series("queue", tuple(Sample(START + timedelta(seconds=i), v) for i, v in enumerate(values)))


def test_where_everything_is_so_nothing_fails():
    assert failing(FIT) == []


@pytest.mark.parametrize(
    ("wrong", "reason", "says"),
    [
        ({"namespace_found": False}, "NamespaceNotFound", "there is no namespace shop"),
        ({"namespace_control": ""}, "NamespaceNotOptedIn", "its label is missing"),
        ({"namespace_control": "others"}, "NamespaceNotOptedIn", "it names others"),
        ({"missing_rights": ("patch deployments",)}, "RightsMissing", "may not patch deployments in shop"),
        ({"other_drills": ("drills/storm",)}, "TargetBusy", "another drill is on in shop: drills/storm"),
        ({"busy_records": ("drills/flood",)}, "TargetBusy", "another drill is on in shop: drills/flood"),
        (
            {"refusals": {"limit": Refusal("TargetMissing", "there is no Deployment/web")}},
            "TargetMissing",
            "fault limit: there is no Deployment/web",
        ),
        ({"rules_loaded": frozenset()}, "AlertRuleNotLoaded", "no alert rule Errors is loaded"),
    ],
)
def test_what_waiting_does_not_mend_is_refused_at_once_and_says_what_to_do(wrong, reason, says):
    (check,) = failing(replace(FIT, **wrong))

    assert (check.ok, check.hard, check.reason) == (False, True, reason)
    assert says in check.message


@pytest.mark.parametrize(
    ("wrong", "reason", "says"),
    [
        (
            {"refusals": {"limit": Refusal("RolloutInProgress", "Deployment/web is rolling out")}},
            "RolloutInProgress",
            "is rolling out",
        ),
        ({"firing": frozenset({"Errors"})}, "AlertAlreadyFiring", "Errors fires already"),
        ({"not_ready": ("Deployment/web: 1 of 2 ready",)}, "TargetNotReady", "1 of 2 ready"),
    ],
)
def test_what_may_pass_is_waited_for(wrong, reason, says):
    (check,) = failing(replace(FIT, **wrong))

    assert (check.ok, check.hard, check.reason) == (False, False, reason)
    assert says in check.message


@pytest.mark.parametrize(
    ("unseen", "reason"),
    [
        ({"namespace_found": None}, "NamespaceUnknown"),
        ({"missing_rights": None}, "RightsUnknown"),
        ({"monitoring_error": "prometheus does not answer"}, "PrometheusUnreachable"),
        ({"rules_loaded": None}, "RulesUnknown"),
        ({"firing": None}, "AlertsUnknown"),
    ],
)
def test_what_could_not_be_read_is_unknown_and_not_well(unseen, reason):
    (check,) = failing(replace(FIT, **unseen))

    assert (check.ok, check.hard, check.reason) == (None, False, reason)


def test_what_may_not_be_seen_is_not_said_to_be_missing():
    not_yet = replace(FIT, namespace_control="", hidden=("Deployment/web",), refusals=NOT_FOUND)
    opting_in, possible = failing(not_yet)

    assert opting_in.reason == "NamespaceNotOptedIn"
    assert (possible.ok, possible.reason) == (None, "TargetUnknown")
    assert "may not see Deployment/web yet" in possible.message


@pytest.mark.parametrize("series", [{}, {"queue": Series("queue")}], ids=["not read", "empty"])
def test_no_data_is_not_steady(series):
    check = steady(CALM, replace(FIT, series=series))

    assert (check.ok, check.reason) == (None, "NoData")


def test_steady_is_what_was_steady_at_every_sample_of_the_look_back():
    assert steady(CALM, replace(FIT, series={"queue": samples(3, 19.9, 0)})).ok is True


def test_one_sample_at_the_bound_is_not_steady():
    check = steady(CALM, replace(FIT, series={"queue": samples(3, 20, 4)}))

    assert (check.ok, check.hard, check.reason) == (False, False, "NotSteady")
    assert check.message == "steady state queue: 20, must be below 20"


def test_a_check_may_ask_for_more_than_a_bound():
    served = SteadyCheck("served", "sum(rate(served[1m]))", above=1)

    assert steady(served, replace(FIT, series={"served": samples(1.5)})).ok is True
    assert steady(served, replace(FIT, series={"served": samples(1.5, 1)})).message.endswith("1, must be above 1")


def test_every_steady_state_of_the_drill_is_asked_for():
    checks = preflight(replace(a_drill(), steady=(CALM,)), FIT)

    assert [c.name for c in checks if c.reason == "NoData"] == ["queue"]


def test_what_would_keep_people_from_being_told_is_said_and_does_not_refuse():
    """It may be meant: a drill of a team whose pager must not ring."""
    around = replace(FIT, withheld=("Errors would be held back by silence 6bb7 (of bob)",))
    (told,) = [check for check in preflight(a_drill(), around) if check.name == "alerts-told"]

    assert told.ok is True
    assert told.message == "Errors would be held back by silence 6bb7 (of bob)"

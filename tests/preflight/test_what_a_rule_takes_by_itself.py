"""A rule's `for`, its evaluation and `keep_firing_for` are the monitoring's: a drill that leaves no room is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.machine.world import drill_plan as a_drill
from tests.preflight.test_before_anything_is_touched import FIT

from kubedrill.core.machine.state import CheckResult
from kubedrill.core.plan.drill_plan import DrillPlan, RuleTiming
from kubedrill.core.plan.preflight import preflight

MINUTE = timedelta(minutes=1)


def waiting(waits: timedelta, within: timedelta, every: timedelta = timedelta(seconds=30), **more: object) -> DrillPlan:
    """A drill whose alert has a rule that waits so long."""
    (alert,) = a_drill().alerts
    return replace(a_drill(), alerts=(replace(alert, within=within, timing=RuleTiming(waits, every=every)),), **more)  # type: ignore[arg-type]


def failing(design: DrillPlan, **around: object) -> list[CheckResult]:
    return [c for c in preflight(design, replace(FIT, **around)) if c.ok is not True]  # type: ignore[arg-type]


def test_b1_an_alert_that_waits_longer_than_its_limit_is_refused_at_once():
    (check,) = failing(waiting(15 * MINUTE, within=10 * MINUTE))

    assert (check.reason, check.hard) == ("AlertLimitTooShort", True)
    assert "Errors fires 15m after its condition at the earliest (for), evaluated every 30s" in check.message
    assert "can't fire within 10m" in check.message


def test_b1_the_limit_is_told_as_it_was_written_where_the_drill_is_played_faster():
    (check,) = failing(waiting(2 * MINUTE, within=MINUTE, pace=12))

    assert "within 1m (12m in the scenario)" in check.message


def test_an_alert_that_waits_less_than_its_limit_is_not_refused():
    assert failing(waiting(9 * MINUTE, within=10 * MINUTE)) == []


def test_an_evaluation_more_must_fit_too():
    (check,) = failing(waiting(10 * MINUTE, within=10 * MINUTE))

    assert check.reason == "AlertLimitTooShort"


def test_a_limit_that_nobody_set_is_none():
    assert failing(waiting(15 * MINUTE, within=timedelta(0))) == []


def test_a_drill_that_is_over_before_its_alert_can_fire_is_refused():
    (check,) = failing(waiting(15 * MINUTE, within=20 * MINUTE, max_duration=15 * MINUTE))

    assert (check.reason, check.hard) == ("DrillTooShort", True)
    assert "the drill is over after 15m" in check.message


def test_b8_an_alert_that_is_pending_already_is_waited_for_and_then_refused():
    (check,) = failing(a_drill(), pending=frozenset({"Errors"}))

    assert (check.ok, check.hard, check.reason) == (False, False, "AlertAlreadyPending")
    assert "Errors is pending already" in check.message


def test_another_alert_that_is_pending_is_none_of_the_drills():
    assert failing(a_drill(), pending=frozenset({"Others"})) == []

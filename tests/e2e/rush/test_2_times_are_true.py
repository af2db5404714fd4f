"""Every measured interval holds the true instant, and is as narrow as was promised."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.e2e.rush.conftest import Ran
from tests.measure.builders import first_sustained

from kubedrill.core.evidence.facts import Interval, Series
from kubedrill.core.measure.falls import falling
from kubedrill.core.plan.drill_plan import ImpactFall, SteadyCheck

SAID = {
    "Acknowledged": "ack",
    "SeverityAssessed": "severity",
    "EscalationRequested[L2]": "escalate L2",
    "EscalationEngaged[L2]": "engage L2",
    "CommandAssumed": "command",
    "EscalationRequested[Engineering]": "escalate Engineering",
    "EscalationEngaged[Engineering]": "engage Engineering",
    "ClientNotified": "notify",
    "CauseIdentified": "diagnose",
    "ResolvedDeclared": "resolve",
    "AllClearSent": "all-clear",
    "FirstContainment": "kubectl scale",
    "FixApplied": "kubectl set resources",
}
WATCHED = timedelta(seconds=1, milliseconds=100)
MEASURED = timedelta(seconds=2)
SMOOTHING = timedelta(seconds=5)


def touches(measured: Interval, true: Interval) -> bool:
    """The act happened between request and answer; the measured interval must be able to hold that instant."""
    return measured.intersection(true) is not None


@pytest.mark.parametrize("milestone", SAID)
def test_what_a_player_did_lies_inside(rush: Ran, milestone: str):
    assert touches(rush.milestone(milestone), rush.did(SAID[milestone]))


@pytest.mark.parametrize("milestone", [*SAID, "Injected", "FaultEffective", "AlertFired", "ClientComplained"])
def test_what_is_watched_is_known_to_a_second_and_the_clocks_error(rush: Ran, milestone: str):
    if milestone == "FaultEffective":
        assert rush.milestone(milestone).width <= WATCHED + timedelta(seconds=1)  # the third of several kills
    else:
        assert rush.milestone(milestone).width <= WATCHED


@pytest.mark.parametrize("milestone", ["Mitigated", "Recovered"])
def test_what_prometheus_measures_is_known_to_a_scrape_and_a_second(rush: Ran, milestone: str):
    assert rush.milestone(milestone).width <= MEASURED


def test_the_recorder_saw_the_impact_fall_when_it_was_measured(rush: Ran):
    end = rush.milestone("Recovered").not_after
    impact = rush.witness.impact()
    fall = ImpactFall("", timedelta(minutes=2) / 12, 10, 10)
    true = falling(Series("impact", tuple(s for s in impact.samples if s.at <= end), impact.step), fall, end, SMOOTHING)
    assert true is not None
    assert rush.milestone("Mitigated").contains(true.not_before + true.width / 2)


def test_the_recorder_saw_the_queue_short_again_when_it_was_measured(rush: Ran):
    fired = rush.milestone("AlertFired").not_after
    queue = rush.witness.queue()
    after = Series("queue", tuple(s for s in queue.samples if s.at >= fired), queue.step)
    true = first_sustained(after, SteadyCheck("queue", "", below=20), timedelta(seconds=60), SMOOTHING)
    assert true is not None
    assert rush.milestone("Recovered").contains(true.not_before + true.width / 2)


def test_nothing_is_called_mitigated_while_the_cause_stands(rush: Ran):
    assert rush.milestone("Mitigated").not_before >= rush.did("kubectl set resources").not_before

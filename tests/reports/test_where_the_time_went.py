"""One bar from the fault to recovery, each stretch charged to whom it belongs."""

import pytest
from tests.reports.records import T0, milestone, minutes, morning_rush, record

from kubedrill.core.measure.milestone_table import Charged
from kubedrill.core.measure.results import By, Finding, MilestoneName, Severity
from kubedrill.plugins.reports.timespent import charges, stretches

NAME = MilestoneName


def test_noticing_is_the_monitorings_acting_the_peoples_and_draining_the_systems():
    charged = [(s.start, s.end, s.charged) for s in stretches(morning_rush())]
    assert charged == [
        ("fault", "effect", Charged.SYSTEM),
        ("effect", "alert", Charged.MONITORING),
        ("alert", "page", Charged.MONITORING),
        ("page", "ack", Charged.PEOPLE),
        ("ack", "cause", Charged.PEOPLE),
        ("cause", "fix", Charged.PEOPLE),
        ("fix", "impact falls", Charged.SYSTEM),
        ("impact falls", "recovered", Charged.SYSTEM),
    ]


def test_the_shares_are_the_whole():
    assert sum(c.share for c in charges(stretches(morning_rush()))) == pytest.approx(100)


def test_a_station_that_was_never_reached_leaves_its_time_to_the_next():
    drill = record(ended=None, milestones=(milestone(NAME.ALERT_FIRED, 0), milestone(NAME.FIX_APPLIED, 10)))
    assert [(s.start, s.end, s.took) for s in stretches(drill)] == [("alert", "fix", "10 min")]


def test_without_a_fix_on_record_the_way_to_the_falling_impact_is_not_the_systems_own():
    drill = record(ended=None, milestones=(milestone(NAME.ACKNOWLEDGED, 0), milestone(NAME.MITIGATED, 10)))
    assert [s.charged for s in stretches(drill)] == [Charged.PEOPLE]


def test_a_fix_that_came_after_the_impact_fell_stands_after_it():
    drill = record(
        ended=None,
        milestones=(
            milestone(NAME.ALERT_FIRED, 0),
            milestone(NAME.FIX_APPLIED, 9),
            milestone(NAME.MITIGATED, 5),
        ),
    )
    assert [s.end for s in stretches(drill)] == ["impact falls", "fix"]


def test_where_nobody_acted_the_time_to_the_end_of_play_is_the_peoples():
    reached = (milestone(NAME.INJECTED, -3), milestone(NAME.ALERT_FIRED, 0), milestone(NAME.PAGED, 1))
    bar = stretches(record(milestones=reached, ended=T0 + minutes(21)))
    assert (bar[-1].end, bar[-1].charged, bar[-1].took) == ("end of play", Charged.PEOPLE, "20 min")
    assert {c.charged: round(c.share) for c in charges(bar)} == {
        Charged.SYSTEM: 0,
        Charged.MONITORING: 17,
        Charged.PEOPLE: 83,
    }


def test_where_nobody_was_paged_the_time_to_the_end_of_play_is_the_monitorings():
    reached = (milestone(NAME.INJECTED, -3), milestone(NAME.ALERT_FIRED, 0))
    unheard = (Finding("nobody-was-paged", Severity.IMPORTANT, "Nobody was paged", "it is muted"),)
    bar = stretches(record(milestones=reached, ended=T0 + minutes(21), findings=unheard))
    assert (bar[-1].end, bar[-1].charged) == ("end of play", Charged.MONITORING)


def test_what_only_the_drills_own_restore_brought_about_is_no_station():
    reached = (milestone(NAME.ALERT_FIRED, 0), milestone(NAME.RECOVERED, 22, by=By.OPERATOR))
    bar = stretches(record(milestones=reached, ended=T0 + minutes(20)))
    assert [(s.end, s.charged) for s in bar] == [("end of play", Charged.PEOPLE)]


def test_while_no_alert_has_fired_the_time_is_the_monitorings():
    reached = (milestone(NAME.INJECTED, -3), milestone(NAME.FAULT_EFFECTIVE, -2))
    assert stretches(record(milestones=reached, ended=T0 + minutes(8)))[-1].charged is Charged.MONITORING


def test_what_the_automation_healed_is_the_systems():
    reached = (milestone(NAME.ALERT_FIRED, 0), milestone(NAME.MITIGATED, 5, by=By.AUTOMATION))
    assert stretches(record(milestones=reached, ended=None))[0].charged is Charged.SYSTEM


def test_bounds_never_claim_less_than_no_time():
    drill = record(milestones=(milestone(NAME.FIX_APPLIED, 5, 9), milestone(NAME.MITIGATED, 6, 10)))
    assert stretches(drill)[0].took == "0–5 min"


def test_with_one_milestone_there_is_no_bar():
    assert stretches(record(ended=None, milestones=(milestone(NAME.ALERT_FIRED, 0),))) == ()

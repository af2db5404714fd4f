"""Objectives: the bounds of a time against its limit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.measure.builders import FIRED, at, drill_plan, limit, milestone

from kubedrill.core.measure.objectives import Grounds, judge
from kubedrill.core.measure.results import By, MilestoneName, ObjectiveVerdict, Verdict
from kubedrill.core.measure.verdicts import roll_up
from kubedrill.core.plan.drill_plan import AlertWanted

MET, MISSED, OPEN = ObjectiveVerdict.MET, ObjectiveVerdict.MISSED, ObjectiveVerdict.INDETERMINATE
ACK = MilestoneName.ACKNOWLEDGED


def one(*milestones, objective=None, now=1000, ended=None, censored=None, unread=False, **design):
    (result,) = judge(
        (FIRED, *milestones),
        drill_plan(objective or limit(), **design),
        Grounds(
            now=at(now),
            ended=at(ended) if ended is not None else None,
            censored_at=at(censored) if censored is not None else None,
            unread=unread,
        ),
    )
    return result


@pytest.mark.parametrize(
    ("first", "last", "verdict"),
    [
        (10, 300, MET),
        (301, 302, MISSED),
        (299, 301, OPEN),
        (300, 300, MET),
    ],
)
def test_the_upper_bound_must_be_within_the_limit_and_the_lower_one_over_it_to_miss(first, last, verdict):
    result = one(milestone(ACK, first, last))
    assert result.verdict is verdict
    assert (result.lower, result.upper) == (timedelta(seconds=first), timedelta(seconds=last))


def test_both_ends_of_the_start_count():
    fired = milestone(MilestoneName.ALERT_FIRED, 0, 2)
    (result,) = judge([fired, milestone(ACK, 300, 301)], drill_plan(limit()), Grounds(now=at(400)))
    assert (result.lower, result.upper) == (timedelta(seconds=298), timedelta(seconds=301))
    assert result.verdict is OPEN


def test_what_came_before_its_clock_started_is_shown_negative_and_open_until_the_facilitator_confirms_it():
    early = one(milestone(ACK, -30, -29, actor="alice"))
    assert early.verdict is OPEN
    assert early.upper == timedelta(seconds=-29)
    assert "kubectl drill observe Acknowledged --at 2026-11-23T09:14:31Z --by alice" in early.reason
    assert one(milestone(ACK, -30, -29, confirmed=True)).verdict is MET


def test_what_was_early_may_still_come_in_time_while_play_goes_on():
    assert one(milestone(ACK, -30, -29), now=299).verdict is ObjectiveVerdict.PENDING
    assert one(milestone(ACK, -30, -29), now=299, ended=299).verdict is OPEN


def test_what_may_have_come_after_its_clock_started_is_not_early():
    assert one(milestone(ACK, -1, 0)).verdict is MET


def test_a_word_before_what_it_is_about_is_open_however_late_it_is():
    said = milestone(MilestoneName.MITIGATED_DECLARED, 100, early="before Mitigated")
    result = one(said, objective=limit(to="MitigatedDeclared"))
    assert result.verdict is OPEN
    assert result.reason.startswith("early: before Mitigated; ")


def test_monitoring_that_saw_the_trouble_before_its_effect_was_seen_whole_is_in_time():
    alerts = (AlertWanted("HighQueueDepth", starts_clock=True, within=timedelta(minutes=10)),)
    (fired,) = judge(
        [FIRED, milestone(MilestoneName.FAULT_EFFECTIVE, 10)], drill_plan(alerts=alerts), Grounds(now=at(100))
    )
    assert fired.verdict is MET


def test_nothing_after_the_end_of_play_counts():
    late = one(milestone(ACK, 250), now=500, ended=200)
    assert (late.verdict, late.reason) == (OPEN, "it came after play had ended")


def test_without_its_start_an_objective_has_not_started():
    (result,) = judge([], drill_plan(limit()), Grounds(now=at(9000), ended=at(9000)))
    assert result.verdict is ObjectiveVerdict.NOT_STARTED


def test_what_may_still_come_is_pending_and_once_the_limit_is_past_missed_by_more_than_the_time_gone():
    assert one(now=299).verdict is ObjectiveVerdict.PENDING
    late = one(now=350)
    assert late.verdict is MISSED
    assert (late.lower, late.upper) == (timedelta(seconds=350), None)


@pytest.mark.parametrize("now", [200, 260])
@pytest.mark.parametrize("censored", [None, 200, 230])
def test_f1_what_may_still_have_come_when_play_ended_is_nobodys_failure_whenever_it_is_asked(now, censored):
    result = one(now=now, ended=200, censored=censored)
    assert (result.verdict, result.reason) == (OPEN, "play ended before the limit was up")


@pytest.mark.parametrize("name", ["SeverityAssessed", "ClientNotified", "AllClearSent"])
def test_that_nobody_told_of_what_only_people_can_tell_is_not_evidenced_rather_than_missed(name):
    objective = limit(to=name)
    assert one(objective=objective, now=200).verdict is ObjectiveVerdict.PENDING
    for now, ended in ((350, None), (200, 200)):
        result = one(objective=objective, now=now, ended=ended)
        assert result.verdict is OPEN
        assert "no evidence" in result.reason


def test_what_people_told_too_late_is_missed_all_the_same():
    assert one(milestone(MilestoneName.CLIENT_NOTIFIED, 400), objective=limit(to="ClientNotified")).verdict is MISSED


MITIGATION = limit("mitigation", "Mitigated", 300)


@pytest.mark.parametrize("by", [By.STRANGER, By.UNKNOWN])
def test_a_strangers_doing_and_nobody_knows_whose_is_open_until_it_is_attributed(by: By):
    fell = milestone(MilestoneName.MITIGATED, 100, by=by)
    assert one(fell, objective=MITIGATION).verdict is OPEN
    assert one(fell, objective=limit("mitigation", "Mitigated", 300, anyone=True)).verdict is MET


@pytest.mark.parametrize("by", [By.AUTOMATION, By.NOBODY])
def test_the_automations_doing_counts_only_where_anyones_does(by):
    fell = milestone(MilestoneName.MITIGATED, 100, by=by)
    assert one(fell, objective=MITIGATION, now=400).verdict is MISSED
    assert one(fell, objective=limit("mitigation", "Mitigated", 300, anyone=True)).verdict is MET


def test_nothing_after_the_operators_own_revert_counts():
    fell = milestone(MilestoneName.MITIGATED, 250, by=By.OPERATOR)
    early = one(fell, objective=MITIGATION, now=500, ended=200, censored=200)
    assert early.verdict is OPEN
    assert "restored everything" in early.reason
    late = one(milestone(ACK, 420), now=500, ended=400, censored=400)
    assert late.verdict is MISSED
    assert late.lower == timedelta(seconds=400)


def test_a_windowed_milestone_is_not_missed_before_its_window_could_confirm_it():
    window = drill_plan().impact.window.total_seconds()
    assert one(objective=MITIGATION, now=300 + window).verdict is ObjectiveVerdict.PENDING
    assert one(objective=MITIGATION, now=301 + window).verdict is MISSED


def test_the_request_is_shown_beside_the_engagement():
    objective = limit("l2", "EscalationEngaged", 900, level="L2")
    result = one(
        milestone(MilestoneName.ESCALATION_REQUESTED, 420, level="L2"),
        milestone(MilestoneName.ESCALATION_ENGAGED, 500, level="L2", actor="emma"),
        objective=objective,
    )
    assert result.verdict is MET
    assert result.beside == {"requested": "0:07:00"}
    assert result.actor == "emma"


def test_the_alert_has_a_limit_of_its_own_from_the_faults_effect():
    alerts = (AlertWanted("HighQueueDepth", starts_clock=True, within=timedelta(minutes=10)),)
    bitten = milestone(MilestoneName.FAULT_EFFECTIVE, -90, -80)
    (fired,) = judge([FIRED, bitten], drill_plan(alerts=alerts), Grounds(now=at(100)))
    assert (fired.name, fired.verdict) == ("alert-HighQueueDepth", MET)
    never, ack = judge([bitten], drill_plan(limit(), alerts=alerts), Grounds(now=at(700)))
    assert never.verdict is MISSED
    assert ack.verdict is ObjectiveVerdict.NOT_STARTED
    assert roll_up([never, ack]) is Verdict.FAILED


@pytest.mark.parametrize("stop", [(), (milestone(ACK, 420),), (milestone(ACK, 420, by=By.OPERATOR),)])
def test_what_was_not_seen_in_time_may_stand_in_evidence_that_cannot_be_read(stop):
    result = one(*stop, now=500, ended=500, unread=True)
    assert result.verdict is OPEN
    assert "evidence can't be read" in result.reason


def test_nobody_says_that_nobody_reported_it_while_evidence_cannot_be_read():
    result = one(objective=limit(to="ClientNotified"), now=500, unread=True)
    assert result.verdict is OPEN
    assert "nobody" not in result.reason


def test_a_clock_whose_start_may_stand_in_evidence_that_cannot_be_read_may_have_started():
    (result,) = judge([], drill_plan(limit()), Grounds(now=at(9000), ended=at(9000), unread=True))
    assert result.verdict is OPEN
    assert "evidence can't be read" in result.reason


def test_what_may_still_come_is_pending_and_what_was_seen_in_time_is_met_whatever_else_cannot_be_read():
    assert one(now=299, unread=True).verdict is ObjectiveVerdict.PENDING
    assert one(milestone(ACK, 100), unread=True).verdict is MET


@pytest.mark.parametrize(
    ("verdicts", "decided", "drill"),
    [
        ([MET, MET], None, Verdict.PASSED),
        ([MET, OPEN], None, Verdict.INCONCLUSIVE),
        ([MET, OPEN, MISSED], None, Verdict.FAILED),
        ([MISSED], Verdict.STOPPED, Verdict.STOPPED),
        ([MET], Verdict.ERROR, Verdict.ERROR),
        ([MISSED], Verdict.INCONCLUSIVE, Verdict.FAILED),
        ([ObjectiveVerdict.PENDING], None, Verdict.INCONCLUSIVE),
        ([], None, Verdict.INCONCLUSIVE),
    ],
)
def test_the_worst_decides_the_drills_verdict_and_nothing_measured_is_no_pass(verdicts, decided, drill):
    results = [type(one())("n", "a", "b", timedelta(1), verdict) for verdict in verdicts]
    assert roll_up(results, decided) is drill

"""The drill in one sentence, as the report, the terminal and CI say it."""

from dataclasses import replace

from tests.reports.records import (
    INDETERMINATE,
    MET,
    MISSED,
    NOT_STARTED,
    T0,
    minutes,
    morning_rush,
    objective,
    record,
)

from kubedrill.core.measure.results import Verdict
from kubedrill.plugins.reports.wording import headline


def test_it_counts_what_was_met_and_says_by_how_much_the_rest_was_missed():
    assert headline(morning_rush()) == "6 of 7 met. Mitigation took 23–28 min, limit 20: 3 to 8 min late."


def test_when_all_is_met_it_names_the_one_that_was_tightest():
    drill = record(objectives=(objective("detection", 5, MET, 1, 2), objective("mitigation", 20, MET, 17, 18)))
    assert headline(drill) == "2 of 2 met. The tightest: Mitigation took 17–18 min, limit 20: 2 min to spare."


def test_what_was_never_reached_is_said_with_the_time_waited():
    drill = record(objectives=(objective("mitigation", 20, MISSED, 41),))
    assert headline(drill) == "0 of 1 met. Mitigation was not reached within 41 min, limit 20 min."


def test_what_cannot_be_told_is_said_with_its_reason_and_is_not_met():
    drill = record(objectives=(objective("client-notification", 30, INDETERMINATE, reason="Not evidenced."),))
    assert headline(drill) == "0 of 1 met. Client notification can't be judged (Not evidenced), limit 30 min."


def test_a_limit_between_the_bounds_is_said_to_lie_inside():
    drill = record(objectives=(objective("mitigation", 20, INDETERMINATE, 19, 22),))
    assert headline(drill) == "0 of 1 met. Mitigation took 19–22 min; the limit, 20 min, lies inside."


def test_times_are_in_scenario_time_whatever_the_pace():
    drill = record(pace=12, objectives=(objective("mitigation", 20 / 12, MISSED, 23 / 12, 28 / 12),))
    assert headline(drill) == "0 of 1 met. Mitigation took 23–28 min, limit 20: 3 to 8 min late."


def test_bounds_are_rounded_outwards_so_the_words_claim_no_more_than_was_measured():
    drill = record(objectives=(objective("mitigation", 20, MISSED, 23.16, 27.84),))
    assert "took 23.1–27.9 min, limit 20: 3.1 to 7.9 min late" in headline(drill)


def test_a_stop_before_the_start_is_shown_as_one():
    drill = record(objectives=(objective("client-notification", 30, MET, -4, -3),))
    assert headline(drill).endswith("Client notification came 3–4 min before its clock started.")


def test_the_alerts_own_limit_is_not_counted_among_peoples_but_is_told_when_missed():
    alert = objective("alert-HighQueueDepth", 10, MISSED, 12, start="FaultEffective", stop="AlertFired")
    silent = objective("detection", 5, NOT_STARTED)
    drill = record(objectives=(alert, silent))
    said = "Nobody was measured. Alert HighQueueDepth was not reached within 12 min, limit 10 min."
    assert headline(drill) == said


def test_no_more_than_two_are_told_the_others_are_counted():
    missed = tuple(objective(f"limit-{n}", 5, MISSED, 6, 7) for n in range(4))
    assert headline(record(objectives=missed)).endswith("2 more below.")


def test_a_stopped_drill_says_so_first():
    drill = record(verdict=Verdict.STOPPED, verdict_message="real incident", ended=T0 + minutes(12))
    assert headline(drill) == "Stopped after 12 min: real incident. Nobody was measured."


def test_a_drill_that_could_not_be_judged_says_why_and_counts_nothing():
    drill = replace(morning_rush(), verdict=Verdict.ERROR, verdict_message="the fault had no effect")
    assert headline(drill) == "The drill could not be judged: the fault had no effect."

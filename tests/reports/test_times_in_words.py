"""Times as people read them."""

from datetime import timedelta

import pytest
from tests.reports.records import MET as ANY_VERDICT
from tests.reports.records import T0, between, minutes, objective, record

from kubedrill.core.evidence.facts import Interval
from kubedrill.plugins.reports.wording import clock, clock_of, length, measured, milestone_words, sentence_case, span

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("offset", "words"),
    [
        (minutes(0), "T+0:00"),
        (minutes(23), "T+23:00"),
        (minutes(-10), "T−10:00"),
        (timedelta(hours=1, minutes=2, seconds=3), "T+1:02:03"),
        (-0.2 * SECOND, "T+0:00"),
        (59.6 * SECOND, "T+1:00"),
    ],
)
def test_an_offset_is_written_to_the_second(offset, words):
    assert clock(offset) == words


@pytest.mark.parametrize(
    ("lower", "upper", "words"),
    [
        (23, 28, "23–28 min"),
        (15, 15, "15 min"),
        (0.5, 2, "0.5–2 min"),
        (0.5, 0.75, "30–45 s"),
        (-2, 3, "−2 to 3 min"),
        (0.501, 0.749, "30–45 s"),
    ],
)
def test_bounds_share_one_unit(lower, upper, words):
    assert span(minutes(lower), minutes(upper)) == words


def test_a_length_is_rounded_to_the_nearest_tenth_of_a_minute():
    assert (length(minutes(72.53)), length(44.6 * SECOND)) == ("72.5 min", "45 s")


def test_an_interval_is_multiplied_by_the_pace():
    assert clock_of(record(pace=12), between(1, 2)) == "T+12:00–24:00"


def test_an_interval_that_spans_zero_is_not_mistaken_for_a_negative_range():
    assert clock_of(record(), between(-1, 1)) == "T−1:00 to T+1:00"


def test_an_interval_narrower_than_a_second_is_one_time():
    assert clock_of(record(), Interval(T0 + minutes(3), T0 + minutes(3) + 0.2 * SECOND)) == "T+3:00"


def test_without_an_alert_times_count_from_the_start_of_the_drill():
    assert clock_of(record(clock_start=None), between(2, 2)) == "T+2:00"


def test_what_was_never_reached_took_longer_than_was_waited():
    assert measured(objective("mitigation", 20, ANY_VERDICT, 41), 1) == "> 41 min"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("client-notification", "Client notification"),
        ("escalation-l2", "Escalation L2"),
        ("p1-page", "P1 page"),
    ],
)
def test_names_of_objectives_read_as_words(name, words):
    assert sentence_case(name) == words


def test_names_of_milestones_read_as_words():
    assert milestone_words("EscalationEngaged[L2]") == "Escalation engaged: L2"

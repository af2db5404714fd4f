"""Durations in the API's writing."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubedrill.api.durations import askable_duration, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("1h30m", timedelta(minutes=90)),
        ("250ms", timedelta(milliseconds=250)),
        ("1.5h", timedelta(minutes=90)),
        ("0s", timedelta(0)),
    ],
)
def test_numbers_with_units_add_up(text, duration):
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(seconds=90), "1m30s"),
        (timedelta(hours=2), "2h"),
        (timedelta(seconds=61, milliseconds=500), "1m1.5s"),
        (timedelta(0), "0s"),
        (timedelta(seconds=-5), "-5s"),
    ],
)
def test_a_duration_is_written_with_its_largest_units(duration, text):
    assert format_duration(duration) == text


@given(st.integers(min_value=0, max_value=10**12))
def test_what_is_written_is_read_back_exactly(microseconds):
    duration = timedelta(microseconds=microseconds)
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize("text", ["", "15", "15 m", "m", "-5m", "1d", "5m!", "1h30"])
def test_what_is_no_duration_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="90s, 15m or 1h30m"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["9999999999999999999999999999999h", "99999999999999999999999999999999"[:30] + "ms"])
def test_a_duration_that_nothing_can_count_is_refused_with_what_to_do(text):
    """F26: it was an OverflowError, at every turn."""
    with pytest.raises(ValueError, match=r"too long: write at most 30 days \(720h\)"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["720h", "43200m", "2592000s", "0s", "1.5h"])
def test_up_to_thirty_days_may_be_asked_for(text):
    assert askable_duration(text) == text


@pytest.mark.parametrize("text", ["720h0.001s", "99999999h", "9999999999999999999999999999999h"])
def test_more_may_not(text):
    with pytest.raises(ValueError, match="at most 30 days"):
        askable_duration(text)

"""Times as people type them: the last one that has been, here; never guessed in the nights of a clock change."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from kubedrill.cli.connection import CliError
from kubedrill.cli.typed_times import moment

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"
"""Clocks are put forward at 02:00 on 29 March 2026, and put back at 03:00 on 25 October 2026."""


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as here:
        here.setenv("TZ", BERLIN)
        time.tzset()
        yield
    time.tzset()


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at", "within"),
    [
        ("2026-03-02T11:07:30Z", NOON.replace(hour=11, minute=7, second=30), "1m"),
        ("2026-03-02T11:07:30Z±10s", NOON.replace(hour=11, minute=7, second=30), "10s"),
        ("2026-03-02T12:07:30+01:00", NOON.replace(hour=11, minute=7, second=30), "1m"),
    ],
)
def test_a_full_time_may_say_how_far_off_it_may_be(text, at, within):
    assert moment(text, NOON) == (at, within)


def test_a_time_of_day_is_the_last_one_that_has_been():
    here = NOON.astimezone()
    past, future = here - timedelta(minutes=5), here + timedelta(minutes=5)
    assert moment(f"{past:%H:%M}±2m", NOON) == (past, "2m")
    assert moment(f"{future:%H:%M:%S}", NOON) == (future - timedelta(days=1), "1m")


def test_a_time_that_may_have_been_is_todays():
    here = NOON.astimezone() + timedelta(seconds=40)
    assert moment(f"{here:%H:%M:%S}", NOON)[0] == here


@pytest.mark.parametrize("text", ["2026-03-02T12:05:00Z", "2027-01-01T00:00:00Z", "2026-03-02T12:00:30Z±10s"])
def test_what_is_still_to_come_was_not_seen(text):
    with pytest.raises(CliError, match="is still to come"):
        moment(text, NOON)


@pytest.mark.parametrize("text", ["", "noon", "25:00", "14:07±x", "14:07 tomorrow"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(CliError):
        moment(text, NOON)


@pytest.mark.parametrize(
    ("now", "typed", "meant"),
    [
        # 25 October: 02:59:59 CEST is followed by 02:00:00 CET, which is 01:00 UTC
        ("2026-10-25T03:30", "01:30", "2026-10-24T23:30"),
        ("2026-10-25T03:30", "03:15", "2026-10-25T02:15"),
        ("2026-10-25T03:30", "23:00", "2026-10-24T21:00"),
        ("2026-10-25T23:30", "01:30", "2026-10-24T23:30"),
        ("2026-10-25T00:20", "02:10", "2026-10-25T00:10"),
        ("2026-10-25T01:10", "02:30", "2026-10-25T00:30"),
        # 29 March: 01:59:59 CET is followed by 03:00:00 CEST, which is 01:00 UTC
        ("2026-03-29T02:00", "01:30", "2026-03-29T00:30"),
        ("2026-03-29T02:00", "03:30", "2026-03-29T01:30"),
        ("2026-03-29T10:00", "23:30", "2026-03-28T22:30"),
        ("2026-03-29T00:30", "02:30", "2026-03-28T01:30"),
    ],
)
@pytest.mark.usefixtures("berlin")
def test_around_a_clock_change_it_is_what_the_clocks_here_showed(now, typed, meant):
    assert moment(typed, utc(now))[0] == utc(meant)


@pytest.mark.parametrize("typed", ["02:30", "02:05:10", "2026-10-25T02:30:00"])
@pytest.mark.usefixtures("berlin")
def test_what_the_clocks_showed_twice_is_asked_for(typed):
    with pytest.raises(CliError, match=r"twice on 25 October") as refused:
        moment(typed, utc("2026-10-25T04:00"))
    assert "+02:00 or 2026-10-25T02" in str(refused.value)
    assert str(refused.value).endswith("+01:00")


@pytest.mark.parametrize("typed", ["02:30", "2026-03-29T02:30:00"])
@pytest.mark.usefixtures("berlin")
def test_what_they_never_showed_is_no_other_days(typed):
    with pytest.raises(CliError, match=r"never showed .* on 29 March"):
        moment(typed, utc("2026-03-29T04:00"))


@pytest.mark.usefixtures("berlin")
def test_a_full_time_without_a_zone_is_local():
    assert moment("2026-10-25T01:30:00", utc("2026-10-25T04:00"))[0] == utc("2026-10-24T23:30")

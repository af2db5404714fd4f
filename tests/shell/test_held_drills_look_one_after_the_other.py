"""A hundred drills that are held look around twice a minute each: not all at once, when one of them is started."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubedrill.controller.worker import LEISURE, own_moment
from kubedrill.core.machine.waking import HELD_AGAIN, PROBE, RETRY

NOW = datetime(2026, 11, 28, 12, 0, 0, 250_000, tzinfo=UTC)
uids = st.uuids(version=4).map(str)


def test_of_a_hundred_that_were_held_at_one_moment_at_most_twenty_look_within_three_seconds() -> None:
    drills = [str(UUID(int=number**7, version=4)) for number in range(100)]
    looks = [own_moment(NOW + HELD_AGAIN, NOW, uid) for uid in drills]
    at_once = Counter((at - NOW) // (HELD_AGAIN / 10) for at in looks)
    assert max(at_once.values()) <= 20, at_once


@given(uids, st.datetimes(timezones=st.just(UTC)), st.timedeltas(LEISURE, timedelta(days=400)))
def test_nobody_looks_later_than_it_wanted_to(uid: str, now: datetime, period: timedelta) -> None:
    now = now.replace(year=2026 + now.year % 100)
    assert now < own_moment(now + period, now, uid) <= now + period


@given(uids, st.lists(st.integers(0, 400), min_size=1, max_size=50))
def test_from_its_second_look_on_a_drill_looks_as_seldom_as_it_said(uid: str, late: list[int]) -> None:
    began = first = own_moment(NOW + HELD_AGAIN, NOW, uid)
    for turn in late:
        began += timedelta(milliseconds=turn - 50)  # the loop was busy with others, or its clock is a little early
        began = own_moment(began + HELD_AGAIN + timedelta(milliseconds=turn), began, uid)
    assert abs(began - first - len(late) * HELD_AGAIN) < timedelta(seconds=1)


@pytest.mark.parametrize("soon", [PROBE, RETRY, LEISURE - timedelta(seconds=1)])
def test_who_is_in_a_hurry_waits_as_long_as_it_said(soon: timedelta) -> None:
    assert own_moment(NOW + soon, NOW, "whoever") == NOW + soon

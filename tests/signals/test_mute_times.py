"""Alertmanager's time intervals: everything that one names must hold, in its own place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kubedrill.kube.answers import NoAnswer
from kubedrill.plugins.sources.mute_times import holds

FRIDAY_EVENING = datetime(2026, 2, 27, 18, 30, tzinfo=UTC)
"""The last Friday of a February of 28 days."""


@pytest.mark.parametrize(
    ("interval", "held"),
    [
        ({}, True),
        ({"times": [{"start_time": "00:00", "end_time": "24:00"}]}, True),
        ({"times": [{"start_time": "18:30", "end_time": "19:00"}]}, True),
        ({"times": [{"start_time": "18:00", "end_time": "18:30"}]}, False),
        ({"weekdays": ["monday:friday"]}, True),
        ({"weekdays": ["saturday", "sunday"]}, False),
        ({"weekdays": ["sunday:saturday"]}, True),
        ({"days_of_month": ["27"]}, True),
        ({"days_of_month": ["-2:-1"]}, True),
        ({"days_of_month": ["-1"]}, False),
        ({"days_of_month": ["1:5", "25:31"]}, True),
        ({"months": ["february"]}, True),
        ({"months": ["1:3"]}, True),
        ({"months": ["december"]}, False),
        ({"years": ["2026:2030"]}, True),
        ({"years": ["2027"]}, False),
        ({"weekdays": ["friday"], "months": ["march"]}, False),
        ({"weekdays": ["saturday"], "location": "Australia/Sydney"}, True),
    ],
)
def test_an_interval_holds_when_all_that_it_names_does(interval, held):
    assert holds([interval], FRIDAY_EVENING) is held


def test_of_several_one_is_enough_and_none_never_holds():
    assert holds([{"years": ["2027"]}, {"months": ["february"]}], FRIDAY_EVENING)
    assert not holds([], FRIDAY_EVENING)


@pytest.mark.parametrize(
    "odd",
    [
        {"moons": ["full"]},
        {"weekdays": ["someday"]},
        {"times": [{"start_time": "noon", "end_time": "24:00"}]},
        {"location": "Middle/Earth"},
        {"days_of_month": "5"},
        {"years": [["2026"]]},
    ],
)
def test_what_is_not_understood_is_not_known(odd: dict[str, Any]):
    with pytest.raises(NoAnswer):
        holds([odd], FRIDAY_EVENING)

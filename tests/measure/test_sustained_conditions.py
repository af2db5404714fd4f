"""Recovered: the start of the first window in which all conditions hold."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from tests.examples import share_of
from tests.measure.builders import BELOW_20, at, between, first_sustained, samples
from tests.measure.simulated_queue import course

from kubedrill.core.evidence.facts import Interval, Series
from kubedrill.core.measure.crossings import edges
from kubedrill.core.measure.windows import Edge, sustained
from kubedrill.core.plan.drill_plan import SteadyCheck

WINDOW = timedelta(seconds=15)
STEP_SEEN = 5
"""Seconds over which the curve, a mean over five, shows a sudden step: it crosses where its share is reached."""


def middle(interval: Interval):
    return interval.not_before + interval.width / 2


@pytest.mark.parametrize("seed", range(share_of(10, least=3)))
def test_where_a_recorder_sees_the_queue_drained_lies_inside(seed):
    random = Random(seed)  # noqa: S311 - a simulation that must repeat
    drained = 0
    for _ in range(20):
        drill = course(random, added=(8,))
        recorded = drill.seen(0.1, random.random() / 10, waiting=True)
        recorder = first_sustained(recorded, BELOW_20, WINDOW, timedelta(seconds=5))
        measured = first_sustained(drill.seen(1, random.random(), waiting=True), BELOW_20, WINDOW)
        if recorder is None or measured is None:
            continue
        drained += 1
        assert measured.contains(middle(recorder))
        assert measured.width <= timedelta(seconds=2.1)
    assert drained > 5


def test_a_window_starts_where_the_threshold_is_crossed_not_where_it_was_confirmed():
    start = first_sustained(samples([60.0 - 2 * n for n in range(60)]), BELOW_20, WINDOW)
    assert start is not None
    assert start.contains(at(20.25))


def test_a_window_is_never_shorter_than_fifteen_samples():
    short = samples([50.0] * 20 + [5.0] * 12)
    assert first_sustained(short, BELOW_20, timedelta(seconds=1)) is None
    assert first_sustained(samples([50.0] * 20 + [5.0] * 20), BELOW_20, timedelta(seconds=1)) is not None


def test_a_window_that_was_broken_starts_again():
    start = first_sustained(samples([5.0] * 10 + [50.0] * 10 + [5.0] * 30), BELOW_20, WINDOW)
    assert start is not None
    assert start.not_before > at(17)


def test_the_first_window_stays_the_first_whatever_comes_after_it():
    start = first_sustained(samples([50.0] * 10 + [5.0] * 30 + [50.0] * 10), BELOW_20, WINDOW)
    assert start is not None
    assert start.contains(at(9.5 + STEP_SEEN * (30.5 / 45 - 0.5)))


def test_no_data_is_not_healthy():
    assert first_sustained(Series("queue"), BELOW_20, WINDOW) is None
    whole = samples([5.0] * 60)
    holed = Series("queue", tuple(s for s in whole.samples if not at(5) < s.at < at(12)), whole.step)
    start = first_sustained(holed, BELOW_20, WINDOW)
    assert start is not None
    assert start.not_before >= at(5)
    assert start.contains(at(12))


def test_samples_that_ended_a_while_ago_do_not_hold():
    line = edges(samples([5.0] * 30), BELOW_20, now=at(60))
    assert line[-1].holds is False


def test_a_check_may_ask_for_more_than_a_threshold():
    above = SteadyCheck("alive", "workers_alive", above=4)
    start = first_sustained(samples([2.0] * 20 + [5.0] * 20), above, WINDOW)
    assert start is not None
    assert start.contains(at(19.5 + STEP_SEEN * (2.5 / 3 - 0.5)))


def test_a_share_between_0_and_1_is_compared_as_it_is():
    above = SteadyCheck("success", "success_ratio", above=0)
    assert first_sustained(samples([0.4, 0.3] * 20), above, WINDOW) is not None


def test_several_conditions_start_with_the_last_of_them():
    lines = [(Edge(between(0, 2), holds=True),), (Edge(between(1, 3), holds=True),)]
    assert sustained(lines, WINDOW, at(30)) == Interval(at(1), at(3))


def test_a_condition_that_nothing_is_known_of_does_not_hold():
    assert sustained([(Edge(between(0), holds=True),), ()], WINDOW, at(60)) is None


def test_what_has_not_lasted_yet_is_not_confirmed():
    line = (Edge(between(0, 2), holds=True),)
    assert sustained([line], WINDOW, at(16)) is None
    assert sustained([line], WINDOW, at(17)) is not None

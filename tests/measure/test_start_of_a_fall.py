"""Mitigated: where the impact leaves its peak for good (docs/decisions/0006)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from tests.examples import share_of
from tests.measure.builders import FALL, at, samples
from tests.measure.simulated_queue import course

from kubedrill.core.evidence.facts import Interval, Series
from kubedrill.core.measure.falls import falling

FIVE_SECONDS = timedelta(seconds=5)


def middle(interval: Interval):
    return interval.not_before + interval.width / 2


@pytest.mark.parametrize("seed", range(share_of(10, least=3)))
def test_what_a_recorder_at_100_ms_names_lies_inside_and_the_interval_is_one_scrape_and_a_second(seed):
    random = Random(seed)  # noqa: S311 - a simulation that must repeat
    for _ in range(20):
        drill = course(random)
        recorder = falling(drill.seen(0.1, random.random() / 10), FALL, at(200), FIVE_SECONDS)
        measured = falling(drill.seen(1, random.random()), FALL, at(200))
        assert recorder is not None
        assert measured is not None
        assert measured.contains(middle(recorder))
        assert measured.width <= timedelta(seconds=2.1)
        assert middle(recorder) > at(drill.fixed)


def test_a_straight_fall_starts_where_a_quarter_of_the_amount_is_gone():
    plateau_then_fall = samples([100.0] * 30 + [100 - 2.0 * n for n in range(1, 30)])
    start = falling(plateau_then_fall, FALL, at(60))
    assert start is not None
    assert start.contains(at(29 + 1.25))
    assert start.width < timedelta(seconds=2)


FEW = replace(FALL, amount=0)
"""Of things that are counted in ones a tenth of the peak is asked for."""


@pytest.mark.parametrize("step", [1, 15, 60])
@pytest.mark.parametrize("high", [[2.0] * 12, [2.0] * 3, [1.0, 2.0, 2.0, 3.0], [0.0] * 9 + [2.0, 3.0]])
def test_a_step_was_between_the_samples_around_it_whatever_the_mean_says(step: int, high: list[float]):
    """As of pods that are missing, and are back at once: the curve falls up to two and a half steps before."""
    values = [0.0] * 20 + high + [0.0] * 40
    last = step * (len(values) - 41)
    start = falling(samples(values, step=step), FEW, at(step * len(values)))
    assert start is not None
    assert start.contains(at(last + step / 2))
    assert start.not_before >= at(last - step)
    assert start.not_after <= at(last + 2 * step)


def test_a_step_is_confirmed_when_its_curve_is():
    """A recovery that was seen with the same sample ends what is measured a window later."""
    values = [0.0] * 20 + [2.0] * 9 + [0.0] * 15
    assert falling(samples(values), FEW, at(29 + 13)) is not None


def test_a_step_whose_other_steps_come_later_began_with_the_first():
    values = [0.0] * 20 + [3.0] * 9 + [2.0, 2.0, 1.0] + [0.0] * 40
    start = falling(samples(values), FEW, at(len(values)))
    assert start is not None
    assert start.contains(at(28.5))
    assert start.width <= timedelta(seconds=2.5)


def test_a_step_that_a_later_blip_hides_is_still_within_the_bounds():
    values = [0.0] * 20 + [2.0] * 9 + [0.0] * 30 + [2.0] + [0.0] * 40
    start = falling(samples(values), FEW, at(len(values)))
    assert start is not None
    assert start.contains(at(28.5))
    assert start.width <= timedelta(seconds=6)


def test_a_queue_that_grows_with_noise_never_falls():
    random = Random(7)  # noqa: S311 - a simulation that must repeat
    for _ in range(20):
        growing = samples([60 + 0.2 * n + random.choice((-3, -2, 0, 2, 3)) for n in range(200)])
        for until in range(20, 200, 20):
            assert falling(growing, FALL, at(until)) is None


def test_a_fall_that_is_not_over_its_window_yet_is_not_confirmed():
    values = [100.0] * 30 + [100 - 4.0 * n for n in range(1, 30)]
    assert falling(samples(values), FALL, at(38)) is None
    assert falling(samples(values), FALL, at(50)) is not None


def test_a_fall_that_comes_back_to_its_peak_does_not_count():
    back = [100.0] * 20 + [100 - 3.0 * n for n in range(1, 11)] + [70 + 3.0 * n for n in range(1, 12)]
    assert falling(samples([*back, *[103.0] * 20]), FALL, at(300)) is None


def test_a_second_fall_counts_from_the_second_peak():
    first = [100.0] * 20 + [100 - 3.0 * n for n in range(1, 11)] + [70 + 4.0 * n for n in range(1, 12)]
    second = [114 - 3.0 * n for n in range(1, 30)]
    start = falling(samples(first + second), FALL, at(300))
    assert start is not None
    assert start.not_before > at(38)


def test_a_fall_too_slow_for_the_window_counts_from_where_it_became_fast():
    creeping = [100 - 0.05 * n for n in range(100)]
    draining = [95 - 2.0 * n for n in range(1, 40)]
    start = falling(samples(creeping + draining), FALL, at(300))
    assert start is not None
    assert start.not_before > at(90)


def test_ten_per_cent_of_a_high_peak_are_asked_for():
    values = [400.0] * 30 + [400 - 2.0 * n for n in range(1, 18)] + [366.0] * 40
    assert falling(samples(values), FALL, at(300)) is None


def test_a_gap_at_the_start_of_the_fall_is_part_of_the_interval():
    whole = samples([100.0] * 30 + [100 - 3.0 * n for n in range(1, 30)])
    holed = Series("impact", tuple(s for s in whole.samples if not at(27) < s.at < at(36)), whole.step)
    start = falling(holed, FALL, at(300))
    assert start is not None
    assert start.not_before <= at(27)
    assert start.not_after >= at(36)


def test_no_data_is_no_fall():
    assert falling(samples([]), FALL, at(60)) is None
    assert falling(samples([9.0] * 14), FALL, at(60)) is None


def test_the_smallest_amount_must_be_a_fall_at_all():
    nothing_asked = type(FALL)("queue", FALL.window, 0, 0)
    assert falling(samples([0.0] * 40), nothing_asked, at(60)) is None

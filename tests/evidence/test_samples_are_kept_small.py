"""Samples of hours are kept small, and what is read again shares all but the newest with what was there."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import pytest

from kubedrill.controller.gathering.samples import SeriesHistory, Shelves
from kubedrill.core.evidence.facts import Sample
from kubedrill.core.evidence.samples import PAGE, PAGES_KEPT_WHOLE, Samples
from kubedrill.plugins.sources.prometheus import RawSeries

START = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
HOUR = 3600
MIB = 1 << 20


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def read(first: int, last: int, value: float = 1.0) -> list[Sample]:
    return [Sample(at(second), value) for second in range(first, last)]


def taken(samples: Samples) -> int:
    """Bytes of memory."""
    parts = [part for page in samples.pages for part in (page, page.times, page.values, page.measured)]
    return sys.getsizeof(samples.pages) + sum(map(sys.getsizeof, parts))


def test_eight_hours_at_a_sample_a_second_take_less_than_a_mebibyte():
    assert taken(Samples.of(read(0, 8 * HOUR))) < 0.7 * MIB


def test_they_are_in_order_however_they_came():
    samples = Samples().united(read(5, 9)).united(read(0, 3)).united(read(3, 5))
    assert samples == tuple(read(0, 9))


def test_of_two_samples_of_one_instant_the_later_read_one_counts():
    assert Samples().united(read(0, 9)).united(read(4, 5, value=7.0))[4].value == 7.0


def test_they_are_told_by_number_like_a_tuple():
    samples = Samples.of(read(0, 300)).starting(at(10))
    assert (samples[0], samples[-1], samples[2:4]) == (read(10, 11)[0], read(299, 300)[0], tuple(read(12, 14)))
    assert len(samples) == 290
    with pytest.raises(IndexError):
        samples[290]


def test_what_is_read_again_shares_every_page_but_the_newest():
    before = Samples.of(read(0, 1000))
    after = before.united(read(990, 1001))
    assert all(one is other for one, other in zip(before.pages[:-1], after.pages, strict=False))


def test_a_sample_that_comes_late_makes_all_pages_after_it_new():
    before = Samples.of([s for s in read(0, 1000) if s.at != at(100)])
    after = before.united(read(100, 101))
    assert after.pages[0] is before.pages[0]
    assert not {id(page) for page in before.pages[1:]} & {id(page) for page in after.pages}
    assert after == tuple(read(0, 1000))


def test_pages_before_the_beginning_are_given_up():
    samples = Samples.of(read(0, 1000)).starting(at(500))
    assert samples == tuple(read(500, 1000))
    assert samples.pages[0].times[0] > Samples.of(read(500 - 2 * PAGE, 501)).pages[0].times[0]


def test_thinning_keeps_the_highest_the_lowest_and_both_sides_of_a_gap():
    wanted = [*read(0, 500), Sample(at(500), 900.0), Sample(at(501), -5.0), *read(520, 4000)]
    thinned = Samples.of(wanted).thinned(1000)
    assert {at(500), at(501), at(520)} <= {s.at for s in thinned}
    assert (max(s.value for s in thinned), min(s.value for s in thinned)) == (900.0, -5.0)
    assert len(thinned) <= 1000


def test_the_newest_pages_are_never_thinned():
    thinned = Samples.of(read(0, 4000)).thinned(1)
    whole = [page for page in thinned.pages if not page.thinned]
    assert len(whole) <= PAGES_KEPT_WHOLE
    much = Samples.of(read(0, 4000)).thinned(2000)
    assert tuple(much)[-PAGES_KEPT_WHOLE * PAGE :] == tuple(read(4000 - PAGES_KEPT_WHOLE * PAGE, 4000))


def test_what_comes_for_a_time_that_is_thinned_already_is_left_out():
    thinned = Samples.of(read(0, 4000)).thinned(1000)
    assert thinned.thinned_until is not None
    assert thinned.united(read(10, 11, value=99.0)) is thinned


def test_a_drill_that_is_alone_keeps_all_and_one_among_many_thins_its_old_samples():
    shelves = Shelves(samples=4000)
    history = SeriesHistory(shelves.one_more())
    history.seconds_to_read(START, at(3900))
    history.merge([RawSeries({}, read(0, 3900))], at(3900))
    history.merge([RawSeries({}, read(3890, 3901))], at(3901))
    assert len(history.since(START)[0].samples) == 3901
    others = [shelves.one_more() for _ in range(3)]
    history.merge([RawSeries({}, read(3890, 3902))], at(3902))
    (known,) = history.since(START)
    assert others
    assert len(known.samples) <= 1001
    assert known.samples[0].at == START


def test_what_is_read_at_once_is_measured_before_it_is_thinned():
    history = SeriesHistory(Shelves(samples=1000).one_more())
    history.seconds_to_read(START, at(8000))
    history.merge([RawSeries({}, read(0, 8000))], at(8000))
    assert len(history.since(START)[0].samples) == 8000

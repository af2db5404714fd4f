"""Measurement goes on where it stopped, and says what it would say if it had begun anew."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import share_of
from tests.measure import from_scratch
from tests.measure.builders import FALL, T0, at

from kubedrill.core.evidence import samples as keeping
from kubedrill.core.evidence.facts import Sample, Series
from kubedrill.core.evidence.samples import Samples
from kubedrill.core.measure.crossings import edges, first_breach, holds_for
from kubedrill.core.measure.falls import Descent, falling
from kubedrill.core.measure.windows import long_enough, sustained
from kubedrill.core.plan.drill_plan import ImpactFall, SteadyCheck

STEP = timedelta(seconds=1)
BELOW = SteadyCheck("queue", "queue", below=6)
ABOVE = SteadyCheck("alive", "alive", above=4)
WINDOW = timedelta(seconds=15)
SMALL_FALL = ImpactFall("queue", timedelta(seconds=14), 4, 10)


@pytest.fixture(autouse=True, scope="module")
def small_pages() -> Iterator[None]:
    """So that a short series has many pages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeping, "PAGE", 8)
        patch.setattr(keeping, "PAGES_KEPT_WHOLE", 2)
        yield


@st.composite
def courses(draw: st.DrawFn) -> list[Sample]:
    """Levels that are kept for a while, with noise, halves and gaps."""
    values: list[float] = []
    noises = st.sampled_from([0, 0, 1, 3, 0.5])
    for level, length, noise in draw(
        st.lists(st.tuples(st.integers(0, 14), st.integers(1, 25), noises), min_size=1, max_size=5)
    ):
        signs = draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=length, max_size=length))
        values += [max(0.0, level + sign * noise) for sign in signs]
    gaps = draw(st.dictionaries(st.integers(0, len(values) - 1), st.sampled_from([2, 3, 4, 20]), max_size=3))
    found, now = [], 0
    for number, value in enumerate(values):
        now += gaps.get(number, 1)
        found.append(Sample(at(now), value))
    return found


@st.composite
def readings(draw: st.DrawFn) -> list[list[Sample]]:
    """A course as it is read: in batches that repeat and correct the newest samples, some of them late."""
    course = draw(courses())
    late = set(draw(st.lists(st.integers(0, len(course) - 1), max_size=2)))
    batches, read = [], 0
    for size in draw(st.lists(st.integers(1, 30), min_size=1, max_size=8)):
        again = draw(st.integers(0, min(5, read)))
        batch = [course[n] for n in range(read - again, min(read + size, len(course))) if n not in late]
        if again and draw(st.booleans()):
            batch[:1] = [Sample(one.at, one.value + 1) for one in batch[:1]]
        batches.append(batch)
        read = min(read + size, len(course))
    return [*batches, [course[n] for n in late]]


def what_is_measured(series: Series, since: int, until: int) -> dict[str, Any]:
    checks = (BELOW, ABOVE)
    now, window = at(until), long_enough(WINDOW, STEP)
    return {
        "edges": [edges(series, check, now) for check in checks],
        "breach": [first_breach(series, check, at(since), now) for check in checks],
        "holds": sustained((holds_for(series, check, window, at(since), now) for check in checks), window, now),
        "each holds": [sustained([holds_for(series, check, window, at(since), now)], window, now) for check in checks],
        "falling": [falling(series, fall, now, since=at(since)) for fall in (FALL, SMALL_FALL)],
    }


def what_is_right(known: list[Sample], since: int, until: int) -> dict[str, Any]:
    checks, part = (BELOW, ABOVE), [s for s in known if at(since) <= s.at <= at(until)]
    now, window = at(until), long_enough(WINDOW, STEP)
    lines = [from_scratch.edges(part, STEP, check, now) for check in checks]
    whole = [from_scratch.edges(known, STEP, check, now) for check in checks]
    broken = ([e.at for e in line if not e.holds and e.at.not_after >= at(since)] for line in whole)
    return {
        "edges": whole,
        "breach": [min(found, default=None) for found in broken],
        "holds": sustained(lines, window, now),
        "each holds": [sustained([line], window, now) for line in lines],
        "falling": [from_scratch.falling(part, STEP, fall) for fall in (FALL, SMALL_FALL)],
    }


@settings(max_examples=share_of(50), deadline=None)
@given(readings(), st.integers(0, 40), st.integers(0, 30))
def test_what_comes_in_batches_is_measured_as_if_it_had_come_at_once(batches, since, before_the_end):
    kept = Samples()
    known: dict[datetime, float] = {}
    for batch in batches:
        kept = kept.united(batch)
        known |= {s.at: s.value for s in batch}
        right = [Sample(when, known[when]) for when in sorted(known)]
        assert kept == tuple(right)
        end = int((right[-1].at - T0).total_seconds()) if right else 0
        for until in (end + 1, end - before_the_end):
            assert what_is_measured(Series("queue", kept), since, until) == what_is_right(right, since, until)


@settings(max_examples=share_of(50), deadline=None)
@given(courses(), st.integers(5, 15), st.integers(0, 20))
def test_thinning_moves_no_bound(course, size, since):
    kept = Samples()
    for read in range(0, len(course), size):
        kept = kept.thinned(30).united(course[max(0, read - 3) : read + size])
        known = course[: read + size]
        until = int((known[-1].at - T0).total_seconds()) + 1
        assert what_is_measured(Series("queue", kept), since, until) == what_is_right(known, since, until)


def test_a_check_that_begins_to_hold_at_the_last_sample_before_a_gap_does_not_hold_in_it():
    values = [(n, 50.0) for n in range(20)] + [(20, 0.0), (21, 0.0)] + [(n, 0.0) for n in range(60, 70)]
    series = Series("queue", tuple(Sample(at(second), value) for second, value in values))
    start = sustained([edges(series, BELOW, at(75))], WINDOW, at(75))
    assert start is None


def test_a_rough_hour_long_ago_does_not_widen_what_is_measured_now():
    calm = [20.0 - n for n in range(20)] + [0.0] * 20
    before = [40.0 + 15 * (-1) ** n for n in range(600)] + [20.0] * 60
    late = tuple(Sample(at(n), value) for n, value in enumerate([*before, *calm]))
    alone = tuple(Sample(at(n), value) for n, value in enumerate([20.0] * 60 + calm))
    widths = [edges(Series("q", one), BELOW, one[-1].at)[-1].at.width for one in (late, alone)]
    assert widths[0] == widths[1]


class Counting(Descent):
    fed = 0

    def feed(self, at: int, value: float) -> None:
        Counting.fed += 1
        super().feed(at, value)


def most_of_a_turn(*, begins: int, turns: int) -> int:
    """How many samples a turn looks at, at the most, while one comes each second and 15 are read again."""
    most = 0
    kept = Samples().united(Sample(at(second), float(second % 90)) for second in range(begins))
    falling(Series("impact", kept), FALL, at(begins))
    for now in range(begins, begins + turns):
        kept = kept.united(Sample(at(second), float(second % 90)) for second in range(max(0, now - 15), now + 1))
        Counting.fed = 0
        falling(Series("impact", kept), FALL, at(now))
        most = max(most, Counting.fed)
    return most


def test_a_turn_after_eight_hours_looks_at_no_more_samples_than_one_after_ten_minutes(monkeypatch):
    monkeypatch.setattr("kubedrill.core.measure.falls.Descent", Counting)
    monkeypatch.setattr(keeping, "PAGE", 64)
    after_ten_minutes = most_of_a_turn(begins=600, turns=70)
    assert 0 < after_ten_minutes <= 2 * 64
    assert most_of_a_turn(begins=8 * 3600, turns=70) <= after_ten_minutes

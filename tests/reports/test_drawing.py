"""The picture: everything on one time axis, nothing drawn that was not seen."""

from datetime import timedelta

import pytest
from tests.reports.records import MISSED, T0, fact, milestone, minutes, morning_rush, objective, record

from kubedrill.core.evidence.facts import FactKind, Sample, Series
from kubedrill.core.evidence.samples import Samples
from kubedrill.core.measure.results import DrillRecord, MilestoneName
from kubedrill.plugins.reports.axis import LEFT, WIDTH
from kubedrill.plugins.reports.curve import Curve
from kubedrill.plugins.reports.drawing import Drawing, draw


def picture_of(known: DrillRecord) -> Drawing:
    picture = draw(known)
    assert picture is not None
    return picture


def drawn(**changes) -> Drawing:
    return picture_of(record(started=T0, ended=T0 + minutes(60), **changes))


def curve_of(impact: Series, **changes) -> Curve:
    curve = drawn(impact=impact, **changes).curve
    assert curve is not None
    return curve


def row(picture, label):
    return next(r for r in picture.rows if r.label == label)


def series(*values, step=1):
    return Series("impact", tuple(Sample(T0 + minutes(m), v) for m, v in values), minutes(step))


def test_everything_lies_inside_the_picture():
    picture = picture_of(morning_rush())
    bars = [b for lane in picture.lanes for b in lane.bars] + [r.bar for r in picture.rows if r.bar]
    assert all(b.x >= LEFT - 4 and b.x + b.width <= WIDTH for b in bars)
    assert picture.rows[-1].y < picture.height


def test_a_milestone_is_as_wide_as_its_time_is_uncertain():
    picture = drawn(milestones=(milestone(MilestoneName.MITIGATED, 20, 40),))
    assert row(picture, "Mitigated").bar.width == pytest.approx((WIDTH - LEFT) / 3, rel=0.08)


def test_a_point_in_time_stays_visible():
    assert row(drawn(milestones=(milestone(MilestoneName.PAGED, 20),)), "Paged").bar.width == 4


def test_a_limit_that_was_missed_ends_before_the_bar():
    mitigated = row(draw(morning_rush()), "Mitigated")
    assert mitigated.limit.x + mitigated.limit.width < mitigated.bar.x
    assert mitigated.verdict == "Missed"


def test_what_was_never_reached_has_a_row_of_its_own():
    picture = drawn(
        milestones=(milestone(MilestoneName.ALERT_FIRED, 0),),
        objectives=(objective("mitigation", 20, MISSED, 41, stop="Mitigated"),),
    )
    assert (row(picture, "Mitigated").bar, row(picture, "Mitigated").words) == (
        None,
        "not reached (> 41 min)",
    )


def test_no_line_is_drawn_over_time_in_which_nothing_was_seen():
    impact = series((1, 1), (2, 2), (3, 3), (30, 3), (31, 2), (32, 1))
    assert len(curve_of(impact).lines) == 2


def test_samples_too_far_apart_for_a_line_are_dots():
    curve = curve_of(series((0, 95), (28, 50), (45, 18)))
    assert (len(curve.lines), len(curve.dots)) == (0, 3)


def test_without_samples_there_is_no_curve():
    assert drawn(impact=Series("impact")).curve is None


def test_thinning_keeps_the_peak():
    values = [(i / 100, 5.0) for i in range(6000)]
    values[3001] = (30.01, 400.0)
    curve = curve_of(series(*values, step=0.01))
    assert curve.peak == "400"
    assert min(float(p.split()[1]) for p in curve.lines[0][1:].split("L")) < curve.top + 40
    assert curve.lines[0].count("L") < 2000


def test_the_threshold_is_in_the_picture_even_above_every_sample():
    curve = curve_of(series((1, 3), (2, 4)), impact_threshold=50)
    assert curve.threshold_y is not None
    assert curve.top <= curve.threshold_y < curve.bottom
    assert curve.threshold_label == "threshold 50"


def test_what_is_drawn_across_the_curve_is_named_as_what_it_is():
    curve = curve_of(series((1, 3), (2, 4)), impact_threshold=20, impact_threshold_is="steady below")
    assert curve.threshold_label == "steady below 20"


def test_the_alert_is_drawn_until_it_is_resolved():
    facts = (
        fact(FactKind.ALERT_FIRING, 0, detail={"alert": "A"}),
        fact(FactKind.ALERT_RESOLVED, 30, detail={"alert": "A"}),
    )
    (firing,) = drawn(facts=facts).lanes[1].bars
    assert firing.title == "A firing: T+0:00–30:00"


def test_an_alert_that_was_not_resolved_lasts_to_the_end():
    (firing,) = drawn(facts=(fact(FactKind.ALERT_FIRING, 0, detail={"alert": "A"}),)).lanes[1].bars
    assert firing.x + firing.width == pytest.approx(WIDTH - 16, abs=0.2)


def test_the_axis_has_a_handful_of_round_marks_for_any_length():
    for length in (timedelta(seconds=20), timedelta(minutes=7), timedelta(hours=3), timedelta(days=2)):
        ticks = picture_of(record(started=T0, ended=T0 + length)).ticks
        assert 3 <= len(ticks) <= 11
        assert "T+0" in {t.label.removesuffix(":00") for t in ticks}


def test_with_no_time_known_there_is_no_picture():
    assert draw(record(started=None, ended=None, clock_start=None, restoration=None)) is None


def test_the_line_goes_on_where_samples_were_thinned():
    whole = [Sample(T0 + timedelta(seconds=n), 5.0) for n in range(3000)]
    thinned = Samples.of(whole).thinned(1500)
    impact = Series("impact", thinned, timedelta(seconds=1), thinned.thinned_until)
    assert len(curve_of(impact).lines) == 1

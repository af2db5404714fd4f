"""That the impact did not fall in time is only said where it was measured."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.measure.builders import FALL, FIRED, at, drill_plan, limit, milestone, samples

from kubedrill.core.evidence.facts import Series
from kubedrill.core.measure.objectives import Grounds, judge
from kubedrill.core.measure.results import By, MilestoneName, ObjectiveResult, ObjectiveVerdict
from kubedrill.core.plan.drill_plan import FaultProfile

MITIGATION = limit("mitigation", "Mitigated", within=300)
DERIVED = replace(FALL, alert="HighQueueDepth")


def judged(seen: Series | None, *milestones, **design) -> ObjectiveResult:
    (result,) = judge(
        (FIRED, *milestones), drill_plan(MITIGATION, **design), Grounds(now=at(900), ended=at(900), impact=seen)
    )
    return result


def test_an_impact_that_was_measured_and_never_fell_is_missed():
    assert judged(samples([60.0] * 400)).verdict is ObjectiveVerdict.MISSED


@pytest.mark.parametrize(
    ("impact", "why"),
    [
        (Series("impact"), "there was no data of the impact"),
        (samples([60.0] * 100), "there was no data of the impact from 09:16:39 UTC on"),
        (samples([60.0] * 100, start=-200), "there was no data of the impact,"),
    ],
    ids=["never", "not to the end", "only before"],
)
def test_without_data_it_is_indeterminate(impact, why):
    result = judged(impact)

    assert (result.verdict, result.lower) == (ObjectiveVerdict.INDETERMINATE, None)
    assert result.reason.startswith(why)


def test_a_derived_impact_that_was_never_above_0_says_nothing_of_what_fired():
    nothing = samples([0.0] * 400)

    assert judged(nothing, impact=DERIVED).verdict is ObjectiveVerdict.INDETERMINATE
    assert "is not measured in shop" in judged(nothing, impact=DERIVED).reason
    assert judged(samples([0.0] * 50 + [60.0] * 350), impact=DERIVED).verdict is ObjectiveVerdict.MISSED


def test_what_was_reached_is_judged_as_it_was():
    late = milestone(MilestoneName.MITIGATED, 400, 401, by=By.PLAYER)

    assert judged(Series("impact"), late).verdict is ObjectiveVerdict.MISSED


def test_where_people_say_all_that_there_is_no_data_is_missing():
    words = (FaultProfile("storm", people_only=True),)

    assert judged(Series("impact"), profiles=words).verdict is ObjectiveVerdict.MISSED

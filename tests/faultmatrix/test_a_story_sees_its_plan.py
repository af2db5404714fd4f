"""What a story waits for is read from what the witness saw, so it is as sure as that."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from tests.faultmatrix import shapes
from tests.faultmatrix.builders import STORED, Course, a_course, a_plan, asked
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.plan import Expect, Plan, Rule
from tests.faultmatrix.sight import Sight

RECORD = asked("PUT", STORED, {})


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a hundred seconds after the first version was seen."""
    monkeypatch.setattr("tests.faultmatrix.sight.time", SimpleNamespace(monotonic=lambda: 100.0))


def sight(course: Course, plan: Plan | None = None) -> Sight:
    return Sight(plan or a_plan(), "storm", course.witness)


@pytest.mark.parametrize(
    ("course", "phase", "in_play", "ended"),
    [
        (Course(), "", False, False),
        (Course().phase(""), "Pending", False, False),
        (Course().phase("Armed").phase("InPlay"), "InPlay", True, False),
        (Course().phase("InPlay").phase("Stopped"), "Stopped", True, True),
        (Course().phase("InPlay").phase("InPlay", event="DELETED"), "Gone", True, True),
    ],
)
def test_a_drill_is_where_it_was_seen_last(course: Course, phase: str, in_play: bool, ended: bool):
    seen = sight(course)

    assert (seen.phase(), seen.in_play(), seen.ended()) == (phase, in_play, ended)


@pytest.mark.parametrize(
    ("course", "restored", "closed"),
    [
        (Course().limit(shapes.GOOD).record("Intended"), False, False),
        (Course().record("Injected").limit(FAULTED), False, False),
        (Course().record("Reverted").limit(FAULTED), False, False),
        (Course().record("Reverting").limit(shapes.GOOD), False, False),
        (Course().record("Reverted").limit(shapes.GOOD), True, False),
        (a_course(), True, True),
    ],
)
def test_it_is_restored_when_targets_and_records_say_so_and_closed_when_no_record_is_left(
    course: Course, restored: bool, closed: bool
):
    assert (sight(course).restored(), sight(course).closed()) == (restored, closed)


def test_what_somebody_carried_over_is_not_waited_for():
    carried = Course().record("Reverted").limit(FAULTED)

    assert sight(carried, a_plan(expect=Expect(value=FAULTED))).restored()


@pytest.mark.parametrize(
    ("values", "since"),
    [
        ((shapes.GOOD,), 0.0),
        ((shapes.GOOD, FAULTED), 0.0),
        ((shapes.GOOD, FAULTED, shapes.GOOD), 97.0),
        ((shapes.GOOD, FAULTED, shapes.GOOD, FAULTED), 0.0),
        ((shapes.GOOD, FAULTED, shapes.GOOD, "96Mi"), 97.0),
    ],
)
def test_since_it_was_undone_is_counted_from_the_first_value_after_the_fault_while_none_stands(values, since: float):
    course = Course()
    for value in values:
        course.limit(value)

    assert sight(course).since_undone() == since


def test_since_all_rules_were_met_is_counted_from_the_last_one_to_be_met_first(monkeypatch: pytest.MonkeyPatch):
    seen = sight(Course(), a_plan(Rule("record", ("delay 0",)), Rule("record", ("delay 0",), after=0)))
    for instant, since in ((60.0, 0.0), (90.0, 10.0)):
        monkeypatch.setattr("tests.faultmatrix.rigging.time", SimpleNamespace(monotonic=lambda now=instant: now))
        seen.rigging.take("operator", RECORD)
        assert seen.since_met() == since


def test_without_rules_nothing_was_met():
    assert sight(Course()).since_met() == 0.0


def test_without_a_record_there_is_no_deadline():
    assert sight(Course()).deadline_at() == 0.0

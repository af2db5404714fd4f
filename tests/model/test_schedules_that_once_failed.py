"""The shortest ways that the exploration found to break a law, each by its name."""

from __future__ import annotations

from tests.model.course import Course, beginning_of, injections
from tests.model.laws import records
from tests.model.people import HELD, OWN_PACE
from tests.model.world import Budget

from kubedrill.core.undo.record import RecordState

ONE = {"storm": ("x",)}
FIRST, SECOND, THIRD = "operator 1 storm", "operator 2 storm", "operator 3 storm"


def test_a_thawed_injector_takes_up_no_record_that_was_made_after_its_own_was_closed():
    course = Course(beginning_of(ONE, Budget(), alive=3))
    course.go_on(FIRST, until="GET x")  # it has seen no record, and will make one
    course.go_on(SECOND, until="splice x")  # its fault is in, and it still has to say so
    course.people("storm is stopped")
    course.go_on(THIRD)  # reverted, told, closed
    assert course.world.value("x") == 1

    course.go_on(FIRST, until="POST secrets")
    course.do(FIRST)
    course.go_on(SECOND)

    assert (course.world.value("x"), injections(course.world, "x")) == (1, 1)
    course.ends_well()


def test_who_takes_a_record_over_is_not_misled_by_its_maker_whose_patch_lands_late_and_is_repaired():
    course = Course(beginning_of(ONE, Budget(), alive=2))
    course.go_on(FIRST, until="PATCH x")  # frozen before its patch
    course.go_on(SECOND, until="PATCH x")  # has found nothing in, and has claimed the record
    course.do(FIRST)  # the fault is in; that it is can't be stored any more
    course.go_on(FIRST, until="PATCH record")
    course.do(FIRST)
    course.people("x is repaired")
    course.go_on(SECOND)

    assert (course.world.value("x"), injections(course.world, "x")) == (1, 1)
    course.ends_well()


def test_a_repair_lets_the_rollout_go_while_the_drill_is_on():
    course = Course(beginning_of(ONE, Budget()))
    course.go_on(FIRST)
    assert course.world.pace("x") == HELD
    course.people("x is repaired")
    course.go_on(FIRST)

    assert (course.world.value("x"), course.world.pace("x")) == (1, OWN_PACE)
    assert [r.state for r in records(course.world.store)] == [RecordState.INJECTED]
    course.ends_well()


def test_an_operator_that_was_frozen_while_it_let_a_rollout_go_does_not_matter_after_the_end():
    course = Course(beginning_of(ONE, Budget()))
    course.go_on(FIRST)
    course.people("x is repaired")
    course.go_on(FIRST, until="PATCH x")
    course.people("storm is stopped")

    course.ends_well()


def test_the_label_of_a_fence_that_was_cut_short_is_not_taken_for_an_injection_and_goes():
    course = Course(beginning_of(ONE, Budget(), alive=2))
    course.go_on(FIRST, until="PATCH x")  # frozen before its patch
    course.people("storm is stopped")
    course.go_on(SECOND, until="PATCH x")
    course.do(SECOND)  # the label is up; nobody has taken it back yet

    course.ends_well()


def test_a_record_is_planned_only_where_none_stands_so_that_no_fault_is_taken_for_somebodys_value():
    course = Course(beginning_of(ONE, Budget(), alive=2))
    course.go_on(FIRST, until="POST secrets")  # has planned, and is overtaken
    course.go_on(SECOND, until="PATCH record")
    course.do(SECOND)  # the fault is in
    course.do(FIRST)  # there is a record already: it begins anew, and reads while the fault is in
    course.people("x is repaired")
    course.go_on(FIRST, until="GET record")
    assert course.waiting(FIRST) == ["GET record"]
    course.people("storm is stopped")
    course.go_on(SECOND)  # reverted, told, closed: now there is none
    course.go_on(FIRST, until="plan x")

    course.ends_well()


def test_another_drills_fault_is_never_taken_for_somebodys_value():
    course = Course(beginning_of({"storm": ("x",), "flood": ("x",)}, Budget()))
    course.go_on("operator 1 flood", until="GET record")
    assert course.waiting("operator 1 flood") == ["GET record"]
    course.go_on("operator 1 flood")
    course.go_on(FIRST, until="GET record")  # it has read the target with the other's fault in
    assert course.waiting(FIRST) == ["GET record"]

    course.ends_well()

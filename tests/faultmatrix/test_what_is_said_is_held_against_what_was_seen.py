"""What a status says is worth what was seen: nothing is given up for nobody, nothing restored that is not."""

from __future__ import annotations

import pytest
from tests.faultmatrix import shapes
from tests.faultmatrix.builders import Course, a_course, a_plan, a_status, ended, evidence, left, said
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.plan import Expect, Rule
from tests.faultmatrix.refusals import FREEZE


@pytest.mark.parametrize("end", ["KeptPlayerEdit", "Superseded"])
async def test_o6_finds_a_field_that_was_given_up_though_nobody_else_had_changed_it(end: str):
    status = a_status(restore={"complete": True, "fields": [ended("Restored"), ended(end)]})

    assert await said(evidence(status=status)) == [
        f"O6 {shapes.LIMIT} of web ended {end}, and nobody else had changed web",
    ]


async def test_o6_takes_an_entry_that_was_there_before_the_drill_for_no_change():
    before = Course().limit(shapes.GOOD, by="kubectl-set").record("Intended", event="ADDED")
    before = before.limit(FAULTED, by="kubectl-set").limit(shapes.GOOD, by="kubectl-set")
    status = a_status(restore={"complete": True, "fields": [ended("KeptPlayerEdit")]})

    (one,) = await said(evidence(before, status=status))

    assert one.startswith("O6 ")


async def test_o6_knows_that_a_target_which_was_made_anew_is_somebodys_change():
    anew = a_course().limit(shapes.GOOD, uid="another")
    status = a_status(restore={"complete": True, "fields": [ended("Superseded")]})

    assert await said(evidence(anew, status=status)) == []


FAULTY = "O7 storm was said to be restored (Restored) while web was faulted"


async def test_o7_finds_that_it_was_said_to_be_restored_while_the_fault_was_in():
    early = Course().limit(shapes.GOOD).record("Intended").limit(FAULTED).phase("Stopped", restored="Restored")

    assert await said(evidence(early.limit(shapes.GOOD))) == [FAULTY]


async def test_o7_finds_that_nothing_was_said_to_be_touched_while_the_fault_was_in():
    lie = Course().limit(shapes.GOOD).record("Intended").limit(FAULTED).phase("Stopped", restored="NothingTouched")

    (one,) = await said(evidence(lie.limit(shapes.GOOD)))

    assert "NothingTouched" in one


async def test_o7_knows_whose_fault_it_is_where_two_drills_run():
    two = Course().limit(shapes.GOOD).record("Intended").limit(FAULTED).phase("Stopped", restored="Restored")

    assert await said(evidence(two, drills=("storm", "flood"), slot=left())) == []
    assert await said(evidence(two.record("Injected"), drills=("storm", "flood"), slot=left())) == [FAULTY]


async def test_o7_lets_it_be_said_when_it_is_so():
    course = a_course().phase("Stopped", restored="Restored")

    assert await said(evidence(course)) == []


async def test_o7_lets_it_be_said_of_what_is_somebody_elses_by_then():
    theirs = Course().limit(shapes.GOOD).record("Intended").limit(FAULTED).limit(FAULTED, by="kubectl-edit")

    assert await said(evidence(theirs.phase("Stopped", restored="Restored").limit(shapes.GOOD))) == []


async def test_o7_finds_that_nobody_was_told_who_refuses_it():
    plan = a_plan(Rule("target", ("refuse policy-422",)), expect=Expect(reported_stuck=True))

    assert await said(evidence(plan=plan, stuck_seen=True, stuck_said=("web is always written",))) == [
        "O7 nobody was told what policy-422 said, only: web is always written",
    ]
    assert await said(evidence(plan=plan, stuck_seen=True, stuck_said=(f"web: 422 {FREEZE}",))) == []


async def test_o7_finds_that_a_clean_up_was_given_up_without_a_word():
    untidy = a_plan(expect=Expect(untidy=True))

    assert await said(evidence(plan=untidy)) == ["O7 the clean-up was refused for good, and no note says so"]
    noted = a_status(restore={"complete": True, "fields": [ended("Restored")], "notes": ["web-1 is left"]})
    assert await said(evidence(plan=untidy, status=noted)) == []


async def test_o9_finds_that_a_record_was_removed_while_its_fault_was_in():
    lost = Course().limit(shapes.GOOD).record("Intended").limit(FAULTED).record("Injected", event="DELETED")

    assert await said(evidence(lost.limit(shapes.GOOD))) == ["O9 the record of web was removed while its fault was in"]


async def test_o9_lets_a_record_go_whose_fault_is_somebody_elses_by_then():
    carried = Course().limit(shapes.GOOD).record("Intended").limit(FAULTED).limit(FAULTED, uid="another")

    assert await said(evidence(carried.record("Reverted", event="DELETED").limit(shapes.GOOD))) == []

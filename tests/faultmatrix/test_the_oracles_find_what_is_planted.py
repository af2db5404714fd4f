"""The oracles guard everything: each finds its own evidence where it is planted, and nothing where nothing is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.faultmatrix import shapes
from tests.faultmatrix.builders import Course, StillSlot, a_course, a_plan, a_status, ended, evidence, left, said
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.plan import Expect, Rule


async def test_a_run_that_nothing_is_wrong_with_has_no_finding():
    assert await said(evidence()) == []


async def test_what_differs_from_moment_to_moment_is_masked():
    slot = left(path="/metadata/annotations", value={"deployment.kubernetes.io/revision": "3"})
    slot.targets["Deployment/web"]["metadata"] |= {"resourceVersion": "9", "generation": 3, "uid": "another"}

    assert await said(evidence(slot=slot)) == []


# ---- O0: the plan did what it says
async def test_o0_finds_a_rule_that_never_met_its_request():
    assert await said(evidence(unmet=[1])) == ["O0 rule 1 never met its request"]


# ---- O1: as before
@pytest.mark.parametrize(
    ("slot", "finding"),
    [
        (left(path="/spec/replicas", value=2), "differs in spec: /spec/replicas: 1 -> 2"),
        (left(FAULTED), "differs in spec: /spec/template/spec/containers: "),
        (left(path="/metadata/labels", value={"left": "over"}), "differs in metadata: /metadata/labels: None -> "),
        (left(path="/metadata/managedFields", value=[{"manager": "kubectl"}]), "differs in owners: /owners: [] -> "),
        (StillSlot({}), "is gone"),
    ],
)
async def test_o1_finds_a_target_that_is_not_what_it_was(slot: StillSlot, finding: str):
    (one,) = await said(evidence(slot=slot))

    assert one.startswith(f"O1 Deployment/web {finding}")


async def test_o1_finds_that_more_than_somebodys_edit_is_left():
    held = left("96Mi", path="/spec/minReadySeconds", value=330)

    (one,) = await said(evidence(plan=a_plan(expect=Expect(value="96Mi")), slot=held))

    assert one == "O1 Deployment/web differs beside what somebody set: /minReadySeconds: None -> 330"


async def test_o1_lets_a_target_be_gone_where_the_story_is_about_that():
    assert await said(evidence(plan=a_plan(story="target-gone"), slot=StillSlot({}))) == []


# ---- O2: once
async def test_o2_finds_a_second_injection():
    twice = a_course().limit(FAULTED).limit(shapes.GOOD)

    assert await said(evidence(twice)) == ["O2 Deployment/web was injected 2 times"]


async def test_o2_finds_a_message_that_was_told_twice():
    twice = a_course().told("(1/2) we wait", event="LISTED").told("(1/2) we").told("(1/2) we").told("(2/2) wait")
    heard = a_status(milestones=[{"name": "Injected"}, {"name": "ClientComplained"}])

    found = await said(evidence(twice, a_plan(expect=Expect(told=2)), status=heard))

    assert found == ["O2 the players were told 3 times, not 2"]


async def test_o7_finds_that_a_message_was_told_and_is_not_known_to_have_been():
    found = await said(evidence(a_course().told("we wait"), a_plan(expect=Expect(told=1))))

    assert found == ["O7 the players were told, and the milestone is missing"]


async def test_o2_counts_each_object_of_a_name_for_itself():
    again = a_course().limit(shapes.GOOD, uid="another").limit(FAULTED, uid="another").limit(shapes.GOOD, uid="another")

    assert await said(evidence(again)) == []


async def test_o2_finds_an_injection_where_none_was_to_be():
    refused = a_plan(expect=Expect(injections=0))

    assert await said(evidence(plan=refused)) == ["O2 Deployment/web was injected 1 times"]


# ---- O4: in time
async def test_o4_finds_what_a_story_waited_for_in_vain():
    assert await said(evidence(late="not within 60 s: over")) == ["O4 not within 60 s: over"]


async def test_o4_finds_that_it_came_back_late():
    late = evidence(ended_at=1.0, plan=a_plan(expect=Expect(restored_within=4)))

    assert await said(late) == ["O4 back after 5.0 s, bound 4 s"]


async def test_o4_counts_from_the_last_healing():
    assert await said(evidence(ended_at=1.0, healed_at=3.0, plan=a_plan(expect=Expect(restored_within=4)))) == []


# ---- O5: before or after
async def test_o5_finds_a_value_that_nobody_set():
    strange = Course().limit(shapes.GOOD).record("Intended").limit("48Mi").limit(FAULTED).limit(shapes.GOOD)

    assert await said(evidence(strange)) == ["O5 a limit was 48Mi"]


async def test_o5_knows_what_the_plans_people_set():
    edited = Course().limit(shapes.GOOD).record("Intended").limit("48Mi").limit(FAULTED).limit(shapes.GOOD)

    assert await said(evidence(edited, a_plan(Rule("record", ("edit 48Mi",))))) == []


async def test_o5_and_o9_leave_an_earlier_plans_workload_alone():
    assert await said(evidence(a_course().limit("1Gi", name="api").limit(FAULTED, name="api"))) == []


# ---- O6: other people's edits
@pytest.mark.parametrize(
    ("expect", "finding"),
    [
        ({"value": "96Mi"}, "Deployment/web has 64Mi, and somebody set 96Mi"),
        ({"value": shapes.GOOD, "other_field": True}, "Deployment/web has lost somebody's change of another field"),
        ({"ends": ("Superseded",)}, "the fields ended Restored, not Superseded"),
    ],
)
async def test_o6_finds_that_somebodys_edit_was_lost(expect: dict[str, Any], finding: str):
    assert await said(evidence(plan=a_plan(expect=Expect(**expect)))) == [f"O6 {finding}"]


async def test_o6_is_content_where_it_was_kept():
    kept = left("96Mi", path="/spec/revisionHistoryLimit", value=7)
    expect = Expect(value="96Mi", other_field=True, ends=("Superseded",))
    status = a_status(restore={"complete": True, "fields": [ended("Superseded")]})

    assert await said(evidence(edited(), plan=a_plan(expect=expect), slot=kept, status=status)) == []


def edited() -> Course:
    """Somebody gives the touched field a value of their own in play."""
    course = Course().limit(shapes.GOOD).record("Intended", event="ADDED").limit(FAULTED).record("Injected")
    course = course.limit("96Mi", by="kubectl-set").record("Reverting").record("Reverted")
    return course.record("Reverted", event="DELETED")


# ---- O7: the verdict and what was seen
@pytest.mark.parametrize(
    ("status", "finding"),
    [
        (a_status(verdict="Passed"), "the verdict is Passed, not Stopped"),
        (a_status(restore={"complete": False}), "it was touched, and the status does not say that it is restored"),
        (a_status(restore={}), "it was touched, and the status does not say that it is restored"),
        (a_status(milestones=[]), "it was injected, and the milestone is missing"),
    ],
)
async def test_o7_finds_that_the_status_does_not_agree_with_what_was_seen(status: dict[str, Any], finding: str):
    (one,) = await said(evidence(status=status))

    assert one.startswith(f"O7 {finding}")


async def test_o7_asks_for_no_restore_where_nothing_was_touched():
    untouched = Course().limit(shapes.GOOD)

    assert await said(evidence(untouched, status={"verdict": "Stopped"})) == []


async def test_o7_asks_for_no_milestone_where_nothing_of_the_injection_was_left_to_see():
    untold = a_plan(expect=Expect(untold=True))

    assert await said(evidence(plan=untold, status=a_status(milestones=[]))) == []


async def test_o7_finds_that_stalled_was_never_said():
    silent = a_plan(expect=Expect(reported_stuck=True))

    assert await said(evidence(plan=silent)) == [
        "O7 it could not be restored for a while, and Stalled never said so",
    ]
    assert await said(evidence(plan=silent, stuck_seen=True)) == []


# ---- O8: processes
def logged(folder: Path, text: str) -> list[Path]:
    """The log of an operator."""
    log = folder / "operator.log"
    log.write_text(text, encoding="utf-8")
    return [log]


TRACEBACK = "Traceback (most recent call last):\n  File \"x.py\", line 1\nKeyError: 'spec'\nand on it goes\n"


async def test_o8_finds_a_traceback_and_tells_what_was_raised(tmp_path: Path):
    found = await said(evidence(logs=logged(tmp_path, f"started\n{TRACEBACK}")))

    assert found == ["O8 a traceback in operator.log: KeyError: 'spec'"]


async def test_o8_reads_no_traceback_where_the_operator_may_end_by_itself(tmp_path: Path):
    ends = a_plan(expect=Expect(exits=1))

    assert await said(evidence(plan=ends, logs=logged(tmp_path, TRACEBACK), exits=["operator 1"])) == []


async def test_o8_finds_a_failed_turn_even_where_the_operator_may_end_by_itself(tmp_path: Path):
    failed = "2026-03-01 12:00:00,000 ERROR kubedrill.controller.worker: drill storm: it failed; trying again"
    told = f"{failed}\n{TRACEBACK}"

    found = await said(evidence(plan=a_plan(expect=Expect(exits=1)), logs=logged(tmp_path, TRACEBACK + told)))

    assert found == ["O8 a traceback in operator.log: KeyError: 'spec'"]


async def test_o8_finds_a_crash_loop():
    loop = evidence(plan=a_plan(expect=Expect(exits=1)), exits=["operator 1", "operator 1"])

    assert await said(loop) == ["O8 ended by itself 2 times: operator 1, operator 1"]


async def test_o8_finds_a_request_that_made_no_sense():
    assert await said(evidence(refused=["event with 422: bad name"])) == [
        "O8 the API server refused event with 422: bad name",
    ]


# ---- O9: the law
async def test_o9_finds_that_it_was_touched_before_its_undo_was_stored():
    early = Course().limit(shapes.GOOD).limit(FAULTED).record("Intended").limit(shapes.GOOD)

    assert await said(evidence(early)) == ["O9 web was touched before its undo was stored"]


async def test_o9_finds_that_its_undo_was_never_stored():
    never = Course().limit(shapes.GOOD).record("Intended", target="api").limit(FAULTED).limit(shapes.GOOD)

    assert await said(evidence(never)) == ["O9 web was touched before its undo was stored"]

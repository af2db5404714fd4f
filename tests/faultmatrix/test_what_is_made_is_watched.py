"""What is wrong with an object that a fault makes, or with pods that it removes, is found in what was seen."""

from __future__ import annotations

from typing import Any

import pytest
from tests.faultmatrix import shapes
from tests.faultmatrix.builders import Course, StillSlot, a_plan, evidence, said
from tests.faultmatrix.evidence import Evidence
from tests.faultmatrix.plan import Expect, Rule


class Story(Course):
    """Versions of a quota, of its record and of pods."""

    def quota(self, event: str, uid: str = "q1", by: str = "manager-1") -> Story:
        thing = {"metadata": {"name": shapes.QUOTA, "uid": uid, "managedFields": [{"manager": by}]}}
        return self._seen("made", event, thing)

    def pod(self, uid: str) -> Story:
        return self._seen("pod", "DELETED", {"metadata": {"name": uid, "uid": uid, "labels": {"app": "web"}}})


def seen(course: Course, fault: str = "resource-quota", **plan: Any) -> Evidence:
    status: dict[str, Any] = {"phase": "Stopped", "verdict": "Stopped", "milestones": [{"name": "Injected"}]}
    status["restore"] = {"complete": True, "fields": []}
    return evidence(course, a_plan(fault=fault, **plan), slot=StillSlot({}), before={}, status=status)


def stored(state: str = "Intended", event: str = "ADDED", target: str = shapes.QUOTA) -> Story:
    story = Story()
    story.record(state, target, event)
    return story


def closed(story: Story) -> Story:
    story.record("Reverted", shapes.QUOTA, "DELETED")
    return story


async def test_as_it_should_be():
    assert await said(seen(closed(stored().quota("ADDED").quota("DELETED")))) == []


@pytest.mark.parametrize(
    ("course", "finding"),
    [
        (Story().quota("ADDED").quota("DELETED"), "O9 the quota was made before its undo was stored"),
        (stored().quota("ADDED"), "O3 the quota is still there"),
        (
            closed(stored().quota("ADDED")).quota("DELETED"),
            "O9 the record of the quota was removed while that was there",
        ),
        (
            stored().quota("ADDED").quota("DELETED").quota("ADDED", "q2").quota("DELETED", "q2"),
            "O2 a quota was made 2 times",
        ),
        (
            stored().quota("ADDED").quota("DELETED").quota("ADDED", "q2", "kubectl").quota("DELETED", "q2", "kubectl"),
            "O6 a quota that somebody else had made was removed",
        ),
        (
            stored().quota("ADDED").phase("Recovering", restored="Restored").quota("DELETED"),
            "O7 storm was said to be restored while the quota was there",
        ),
    ],
    ids=["before its record", "left", "its record first", "twice", "somebody else's", "said too early"],
)
async def test_it_finds_what_is_wrong_with_what_was_made(course: Course, finding: str):
    assert finding in await said(seen(course))


async def test_what_people_do_under_that_name_is_theirs():
    course = stored().quota("ADDED").quota("DELETED").quota("ADDED", "q2", "kubectl")
    plan: dict[str, Any] = {"rules": (Rule("record", ("take-quota",)),), "expect": Expect()}
    assert await said(seen(closed(course), **plan)) == []


@pytest.mark.parametrize(
    ("course", "finding"),
    [
        (stored(target="web").pod("p1").pod("p2"), "O2 2 pods were removed"),
        (Story().pod("p1"), "O9 a pod was removed before the record stood"),
    ],
    ids=["one too many", "before its record"],
)
async def test_it_finds_what_is_wrong_with_what_was_removed(course: Course, finding: str):
    assert finding in await said(seen(course, "pod-kill"))

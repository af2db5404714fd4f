"""Unknown is not gone: what was not seen while some evidence can't be read is neither missed nor denied."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.machine.world import world_in

from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.reducer import Decision, reduce
from kubedrill.core.machine.state import Observation
from kubedrill.core.machine.status import project
from kubedrill.core.measure.results import Verdict

UNREAD = "1 of 2 facts in evidence segment storm-d1-facts-0 can't be read: a later kind"


def over(**changes: Any) -> tuple[Decision, Observation]:
    """A drill whose time is long up, without any alert."""
    world = world_in(Phase.IN_PLAY)
    world.now += timedelta(days=2)
    world.run(**changes)
    seen = world.look(**changes)
    return reduce(world.stored, seen), seen


def status_of(**changes: Any) -> dict[str, Any]:
    return project(*over(**changes), {})


def test_an_alert_that_was_not_seen_is_missed_only_when_all_evidence_was_read():
    assert {o["verdict"] for o in status_of()["objectives"]} >= {"Missed"}

    told = status_of(unread=(UNREAD,))["objectives"]
    assert {o["verdict"] for o in told} == {"Indeterminate"}
    assert all("evidence can't be read" in o["reason"] for o in told)


def test_such_a_drill_is_inconclusive():
    assert status_of()["verdict"] == Verdict.FAILED
    assert status_of(unread=(UNREAD,))["verdict"] == Verdict.INCONCLUSIVE


def test_the_condition_of_a_milestone_that_was_not_seen_is_unknown():
    fired = {c["type"]: c for c in status_of(unread=(UNREAD,))["conditions"]}["AlertFired"]
    assert (fired["status"], fired["reason"]) == ("Unknown", "EvidenceUnread")


def test_the_message_says_once_what_can_not_be_read():
    assert status_of(unread=(UNREAD,))["message"].count(UNREAD) == 1
    assert status_of(unread=(UNREAD, "the facts in another"))["message"].endswith(f"{UNREAD} (and 1 more segment)")
    assert UNREAD not in status_of()["message"]


def test_while_it_is_in_play_it_is_said_too():
    world = world_in(Phase.IN_PLAY)
    seen = world.look(unread=(UNREAD,))
    assert UNREAD in project(reduce(world.stored, seen), seen, {})["message"]

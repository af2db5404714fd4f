"""Two drills want one target: the second never takes the first one's fault for the original."""

from __future__ import annotations

from typing import Any

from tests.e2e.catalogue.stage import (
    WITHIN,
    Enactment,
    from_now_on,
    in_play,
    known_failure,
    over_and_deleted,
)
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.plan import Rule
from tests.faultmatrix.run import Run
from tests.faultmatrix.shapes import GOOD, LIMIT
from tests.faultmatrix.stories import two_drills


async def a_second_one_in_play(run: Run) -> dict[str, Any]:
    """The first is in play when the second comes. Gives the second's status."""
    second = f"{run.name}-b"
    run.drills = (run.name, second)
    await in_play(run)
    await run.apply(second)
    await run.until(lambda: run.ended(second), WITHIN, "the second is over")
    told = await run.slot.drill(second)
    await run.stop()
    await over_and_deleted(run)
    return (told or {})["status"]


@known_failure("chaos-mesh#5085", story=a_second_one_in_play)
async def test_overlap_second_drill_never_saves_first_fault_as_original(enacted: Enactment):
    """Chaos Mesh PR 5085: of two pod failures that overlapped, the second saved the first one's pause image as the
    original; both said recovered, and the pods kept the pause image. Here the second is refused, and every undo record
    that ever stood holds the good value.
    """
    accepted = next(c for c in enacted.saw["conditions"] if c["type"] == "Accepted")
    assert (accepted["status"], accepted["reason"]) == ("False", "TargetBusy")
    assert {s.value["before"][LIMIT] for s in enacted.records()} == {GOOD}
    assert {s.value["drill"] for s in enacted.records()} == {enacted.run.name}
    assert enacted.values() == [GOOD, FAULTED, GOOD]


@known_failure("chaos-mesh#1446", story=two_drills)
async def test_overlap_of_two_drills_that_come_in_the_same_moment_is_decided_for_one(enacted: Enactment):
    """Chaos Mesh 1446: what a second experiment does to pods that another one has was left open. Here one of two that
    come at once is let in and the other refused: one injection, and no record with the fault in it as the original.
    """
    assert {s.value["before"][LIMIT] for s in enacted.records()} == {GOOD}
    assert enacted.values() == [GOOD, FAULTED, GOOD]


async def a_stuck_first(run: Run) -> dict[str, Any]:
    """The first one's fault can't get in; the second is let in once the first has given up."""
    second = f"{run.name}-b"
    run.drills = (run.name, second)
    stuck = from_now_on(run, Rule("target", ("reply 503",), times=0))
    await run.apply(armWithin="4s")
    await run.until(run.ended, WITHIN, "the first gives up")
    first = await run.slot.drill(run.name)
    stuck.done = True
    run.name = second
    await in_play(run)
    await run.stop()
    await over_and_deleted(run)
    return (first or {})["status"]


@known_failure("chaos-mesh#5045", story=a_stuck_first)
async def test_overlap_a_drill_that_cannot_inject_gives_up_and_is_in_nobodys_way(enacted: Enactment):
    """Chaos Mesh 5045: a second experiment on the same pods stayed in Injecting for ever. Here a fault that can't get
    in ends its drill in time, leaves no record, and the next drill on the target runs.
    """
    assert enacted.saw["verdict"] == "Error"
    assert "could not be injected" in enacted.saw["message"]
    assert enacted.status["verdict"] == "Stopped"
    assert enacted.values() == [GOOD, FAULTED, GOOD]

"""A Drill that is deleted goes, however it came to be deleted and whatever is missing; and nothing stays behind it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.e2e.catalogue.stage import (
    NOBODY,
    WITHIN,
    Enactment,
    gone,
    in_play,
    known_failure,
    over_and_deleted,
)
from tests.faultmatrix.deaths import gone_and_deleted
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.plan import REPLIED, Rule
from tests.faultmatrix.run import Run
from tests.faultmatrix.shapes import GOOD
from tests.faultmatrix.stories import forced

DEAD_ONCE_INJECTED = Rule("record", ("kill",), nth=2, when=REPLIED)


async def deleted_on_the_way(run: Run) -> None:
    """Deleted by the plan's rule."""
    await run.apply()
    await gone(run)


@known_failure("chaos-mesh#2449", story=deleted_on_the_way, rules=(Rule("finalizer", ("delete-drill",)),))
async def test_finalizer_a_drill_deleted_before_it_has_one_never_touches_its_target(enacted: Enactment):
    """Chaos Mesh 2449: an experiment that was deleted before its finalizer was set left its fault behind, with nobody
    to undo it. Here nothing is touched, and no record is stored, before the finalizer stands.
    """
    assert enacted.values() == [GOOD]
    assert not enacted.records()


async def target_gone_then_deleted(run: Run) -> None:
    """The target goes in play, then the Drill is deleted."""
    await in_play(run)
    await run.do("delete-target")
    await run.delete()
    await gone(run)


@known_failure("chaos-mesh#4530", "chaos-mesh#4311", story=target_gone_then_deleted, ends="target-gone")
async def test_finalizer_goes_when_the_target_has_vanished(enacted: Enactment):
    """Chaos Mesh 4530 and 4311: an experiment whose target had vanished hung in Terminating, until people stripped its
    finalizer. Here a target that is gone is put back, and the Drill goes by itself.
    """
    assert enacted.run.witness.of("target", "web")[-1].event == "DELETED"
    assert enacted.records(state="Reverted")


async def ended_and_deleted(run: Run) -> None:
    """It ends by itself, and is deleted."""
    await run.apply()
    await over_and_deleted(run)


@known_failure(
    "chaos-mesh#2521",
    "chaos-mesh#3924",
    story=ended_and_deleted,
    drill={"scenario": NOBODY},
    expect={"verdict": ("Error",)},
)
async def test_finalizer_goes_when_the_spec_names_what_is_not_there(enacted: Enactment):
    """Chaos Mesh 2521 and 3924: an experiment whose spec made no sense could not be deleted. Here it says what is
    wrong, touches nothing, and can be deleted.
    """
    assert "there is no Deployment/nobody" in enacted.status["message"]
    assert enacted.values() == [GOOD]


@known_failure(
    "chaos-mesh#1465",
    "chaos-mesh#1519",
    story=gone_and_deleted,
    watchdog=True,
    down=None,
    rules=(DEAD_ONCE_INJECTED,),
    expect={"restored_within": 30},
)
async def test_finalizer_goes_when_nobody_is_left_who_set_it(enacted: Enactment):
    """Chaos Mesh 1465 and 1519: without the daemon that should have recovered it, an experiment hung in Terminating for
    ever. Here the watchdog puts back and lets the Drill go; the operator never comes back.
    """
    assert enacted.run.programs["operator"].started == 1
    assert enacted.reverted_by() == {"Watchdog"}
    assert enacted.run.phase() == "Gone"


async def with_break_glass(run: Run) -> list[str]:
    """Nobody is left; somebody of the break-glass group puts back, strips the finalizer, and closes the record."""
    await run.apply()
    await run.until(lambda: run.dead, WITHIN, "the operator is killed")
    run.ended_at = time.monotonic()
    first = await restored_by_hand(run)
    await run.until(run.restored, WITHIN, "put back")
    await run.do("strip-finalizer")
    second = await restored_by_hand(run)
    await gone(run)
    return [first, second]


async def restored_by_hand(run: Run) -> str:
    """`kubectl drill restore --all`, and what it said."""
    command = [
        str(Path(sys.executable).with_name("kubedrill")),
        "restore",
        "--all",
        "-n",
        run.slot.control,
        "--as",
        "alice@example.com",
        "--as-group",
        "kubedrill:break-glass",
    ]
    done = await asyncio.to_thread(
        subprocess.run, command, env=dict(os.environ), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@known_failure("chaos-mesh#1506", story=with_break_glass, down=None, rules=(DEAD_ONCE_INJECTED,))
async def test_finalizer_is_stripped_by_the_way_that_is_documented_and_the_target_is_put_back_first(enacted: Enactment):
    """Chaos Mesh 1506: the way to clean up by force did not work when it was needed. Here, with neither operator nor
    watchdog, one command of the break-glass group puts back from the record alone, and after one patch nothing is left.
    """
    first, second = enacted.saw
    assert "Deployment/web is restored" in first
    assert "stays until the operator has taken its outcome over" in first
    assert "Deployment/web is restored" in second
    assert enacted.reverted_by() == {"alice@example.com"}
    assert enacted.values() == [GOOD, FAULTED, GOOD]


@known_failure("chaos-mesh#3578", story=forced)
async def test_finalizer_stripped_by_force_does_not_strip_the_undo(enacted: Enactment):
    """Chaos Mesh 3578: an experiment whose finalizer was cleaned by force went, and its fault stayed. Here the record
    outlives its Drill: the operator finds nobody that it belongs to, and puts back all the same.
    """
    drill_gone = enacted.run.witness.of("drill", enacted.run.name)[-1]
    assert drill_gone.event == "DELETED"
    back = enacted.run.witness.of("target", "web")[-1]
    assert back.value == GOOD
    assert back.version > drill_gone.version
    assert enacted.reverted_by() == {"Operator"}

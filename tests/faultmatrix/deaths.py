"""Stories in which the operator dies for good, or stands still: the watchdog does what it should have done."""

from __future__ import annotations

import time

from tests.faultmatrix.run import Run
from tests.faultmatrix.waiting import ARMING, ENDING, GOING, over_and_deleted


async def gone_and_stopped(run: Run) -> None:
    """The operator dies for good; the drill is stopped; the watchdog puts back; a new operator closes the books."""
    await _dead(run)
    await run.stop()
    await run.until(run.restored, run.plan.expect.restored_within, "put back by the watchdog")
    await _taken_over(run)


async def gone_and_deleted(run: Run) -> None:
    """The operator dies for good; the drill is deleted; the watchdog puts back and lets the Drill go."""
    await _dead(run)
    await run.delete()
    await run.until(run.restored, run.plan.expect.restored_within, "put back by the watchdog")
    await run.until(lambda: run.phase() == "Gone" and run.closed(), GOING, "gone without an operator")


async def gone_at_deadline(run: Run) -> None:
    """The operator dies for good and nobody does anything: the deadline passes."""
    await _dead(run)
    run.ended_at = run.deadline_at()
    await run.until(run.restored, 150, "put back by the watchdog")
    await _taken_over(run)


async def silent(run: Run) -> None:
    """The operator dies for good, nobody stops the drill, its deadline is far: two minutes of silence are enough."""
    await _dead(run)
    run.ended_at = time.monotonic()
    await run.until(run.restored, 150, "put back by the watchdog")
    run.programs["operator"].start()
    await run.until(run.in_play, ARMING, "the operator goes on")
    await run.stop()
    await over_and_deleted(run)


async def frozen(run: Run) -> None:
    """The operator stands still somewhere; the drill is stopped; the watchdog puts back; the operator goes on."""
    await run.apply()
    await run.until(lambda: run.in_play() or run.since_met() > 0, ARMING, "in play, or frozen on the way")
    await run.stop()
    await over_and_deleted(run)


async def _dead(run: Run) -> None:
    """The operator is killed on the way in; or it is in play, and killed on the way out."""
    await run.apply()
    await run.until(lambda: run.dead or run.in_play(), ARMING, "the operator is killed, or in play")


async def _taken_over(run: Run) -> None:
    """A new operator comes where the old one is dead, and closes the books."""
    ending = max(ENDING, run.plan.expect.restored_within)
    await run.until(lambda: run.dead or run.ended(), ending, "over, or the operator dead by then")
    if run.dead:
        run.programs["operator"].start()
    await over_and_deleted(run)

"""Stories in which an undo record is damaged, removed or forged: nothing is taken for restored that is not."""

from __future__ import annotations

import time
from typing import Final

from tests.faultmatrix.run import Run
from tests.faultmatrix.waiting import AFTERWARDS, ARMING, ENDING, over_and_deleted

LASTING: Final = 3.5
"""Seconds in which a drill that waits has three turns: whatever it makes of a record by then, it stays with it."""


async def record_damaged(run: Run) -> None:
    """A record can't be read (by a rule, anywhere on the way): Stalled, until it is put right; then all is put back."""
    await _told(run)
    await run.do("repair-record")
    run.healed_at = time.monotonic()
    await over_and_deleted(run)


async def record_removed(run: Run) -> None:
    """A record is removed (by a rule, anywhere on the way): Stalled if the fault is in, till it is put back by hand."""
    await _told(run)
    if not run.ended():
        await run.do("restore-by-hand")
    run.healed_at = time.monotonic()
    await over_and_deleted(run)


async def forged_lock(run: Run) -> None:
    """Somebody's Secret stands where the lock would be: the drill ends in plain words, and nothing was touched."""
    await run.apply(desired="Hold")
    await run.until(lambda: run.phase() == "Held", ARMING, "held")
    await run.do("forge-lock")
    await run.do("start-drill")
    await run.until(run.ended, ARMING, "over")
    await run.do("remove-forged-lock")
    await over_and_deleted(run)


async def _told(run: Run) -> None:
    """In play, or kept from it; stopped; then either Stalled is said, or it has ended all the same."""
    run.spawn(run.watch_for_stalled())
    await run.apply()
    await run.until(lambda: run.in_play() or run.since_met() > AFTERWARDS, ARMING, "in play, or kept from it")
    if not run.ended():
        await run.stop()
    await run.until(lambda: run.stuck or run.ended(), ENDING, "Stalled is said, or it is over")
    told = time.monotonic()
    await run.until(lambda: run.ended() or time.monotonic() - told > LASTING, ENDING, "it stays so for some turns")

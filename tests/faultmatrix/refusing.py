"""Stories in which somebody refuses what must be written, or has taken the rights away."""

from __future__ import annotations

import asyncio
import time

from tests.faultmatrix.run import Run
from tests.faultmatrix.waiting import AFTERWARDS, ARMING, over_and_deleted


async def rights_back(run: Run) -> None:
    """The rights are gone; the drill is stopped and can't put back; it says so; the rights come back."""
    run.spawn(run.watch_for_stalled())
    await run.apply()
    await run.until(lambda: run.in_play() or run.since_met() > AFTERWARDS, ARMING, "in play")
    await run.stop()
    await run.until(lambda: run.stuck, 60, "Stalled is said")
    await run.do("opt-in")
    run.healed_at = time.monotonic()
    await over_and_deleted(run)


async def refused(run: Run) -> None:
    """Nothing can be stored, so nothing is touched; the drill ends by itself."""
    await run.apply()
    await over_and_deleted(run)


async def stuck_is_said(run: Run) -> None:
    """It can't be put back for longer than a minute: Stalled is said within 60 s, and it is kept trying."""
    run.spawn(run.watch_for_stalled())
    await run.apply()
    await run.until(run.in_play, ARMING, "in play")
    await run.stop()
    await run.until(lambda: run.stuck, 60, "Stalled is said")
    await run.until(run.ended, 120, "over")
    await over_and_deleted(run)


async def refused_until_said(run: Run) -> None:
    """It is refused for as long as nobody says so; then whoever refused it gives in."""
    run.spawn(run.watch_for_stalled())
    await run.apply()
    await run.until(
        lambda: run.in_play() or run.ended_at > 0 or run.since_met() > AFTERWARDS, ARMING, "in play, or kept from it"
    )
    await run.stop()
    await run.until(lambda: run.stuck, 60, "Stalled is said")
    run.heal()
    await over_and_deleted(run)


async def refused_until_restored(run: Run) -> None:
    """What is refused is no part of putting back: the target is back all the same, and then it heals."""
    await run.apply()
    await run.until(
        lambda: run.in_play() or run.ended_at > 0 or run.since_met() > AFTERWARDS, ARMING, "in play, or kept from it"
    )
    await run.stop()
    run.spawn(_healed_once_restored(run))
    await over_and_deleted(run)


async def _healed_once_restored(run: Run) -> None:
    while not (run.since_met() > AFTERWARDS and run.restored()):
        await asyncio.sleep(0.1)
    run.heal()

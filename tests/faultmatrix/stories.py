"""How a plan's drill is led to its end. A story waits for what it sees, never for a time."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final

from tests.faultmatrix import deaths, refusing
from tests.faultmatrix.doubts import forged_lock, record_damaged, record_removed
from tests.faultmatrix.run import Run
from tests.faultmatrix.waiting import AFTERWARDS, ARMING, ENDING, GOING, over_and_deleted

DRIFTING: Final = 7.0
"""Longer than two rounds of a GitOps controller that looks every three seconds."""


async def stop(run: Run) -> None:
    """In play, stopped, put back, deleted."""
    await run.apply()
    await run.until(run.in_play, ARMING, "in play")
    if not run.ended():
        await run.stop()
    await over_and_deleted(run)


async def repaired(run: Run) -> None:
    """In play, somebody puts the old value back, and their rollout is let go; a little later it is stopped."""
    await run.apply()
    await run.until(run.in_play, ARMING, "in play")
    await run.do("put-back")
    await run.until(run.released, ENDING, "the rollout is let go")
    if not run.ended():
        await run.stop()
    await over_and_deleted(run)


async def repaired_and_stopped(run: Run) -> None:
    """The same, but something happens on the way: a stop, or somebody takes the repair back; then it is stopped."""
    await run.apply()
    await run.until(run.in_play, ARMING, "in play")
    await run.do("put-back")
    await run.until(lambda: run.ended() or run.since_met() > AFTERWARDS, ENDING, "it has happened")
    if not run.ended():
        await run.stop()
    await over_and_deleted(run)


async def told(run: Run) -> None:
    """In play, the players are told what the client says, and that they were is known; then it is stopped."""
    await run.apply()
    await run.until(run.in_play, ARMING, "in play")
    await run.until(lambda: run.ended() or run.reached("ClientComplained"), ENDING, "the players are told")
    if not run.ended():
        await run.stop()
    await over_and_deleted(run)


async def stop_at_once(run: Run) -> None:
    """Stopped by a rule somewhere on the way (or refused): no play is waited for."""
    await run.apply()
    await over_and_deleted(run)


async def stop_at_once_or_in_play(run: Run) -> None:
    """Stopped by a rule somewhere on the way, else in play."""
    await run.apply()
    await run.until(lambda: run.in_play() or run.ended_at > 0, ARMING, "in play, or stopped on the way")
    await run.stop()
    await over_and_deleted(run)


async def stop_once_met(run: Run) -> None:
    """Stopped in play; or, where what happened keeps the fault from biting, a little after it has happened."""
    await run.apply()
    await run.until(lambda: run.in_play() or run.since_met() > AFTERWARDS, ARMING, "in play, or kept from it")
    if not run.ended():
        await run.stop()
    await over_and_deleted(run)


async def stop_after_drift(run: Run) -> None:
    """Somebody else has taken the fault back, again and again for some seconds; then it is stopped."""
    await run.apply()
    await run.until(lambda: run.since_undone() > DRIFTING, ARMING, "undone from outside for a while")
    await run.stop()
    await over_and_deleted(run)


async def delete(run: Run) -> None:
    """Deleted in play, or by a rule before."""
    await run.apply()
    await run.until(lambda: run.in_play() or run.ended_at > 0, ARMING, "in play")
    await run.remember()
    run.status = {}
    await run.delete()
    await run.until(lambda: run.phase() == "Gone" and run.closed(), ENDING, "gone")


async def deadline(run: Run) -> None:
    """Nobody stops it: its time is up."""
    await run.apply()
    await run.until(run.in_play, ARMING, "in play")
    await run.until(run.ended, 120, "its time is up")
    await over_and_deleted(run)


async def late_record(run: Run) -> None:
    """A record that was closed turns up again when the drill has ended: a late packet made it. It does not stay."""
    await run.apply()
    await run.until(run.in_play, ARMING, "in play")
    await run.stop()
    await run.until(lambda: run.ended() and run.closed(), ENDING, "over")
    await run.until(lambda: not run.closed(), ENDING, "the record turns up again")
    await run.until(run.closed, ENDING, "it is closed again")
    await over_and_deleted(run)


async def forced(run: Run) -> None:
    """The Drill vanishes under the operator: finalizer stripped, deleted by force."""
    await run.apply()
    await run.until(run.in_play, ARMING, "in play")
    run.ended_at = time.monotonic()
    await run.do("strip-finalizer")
    await run.until(lambda: run.restored() and run.closed(), ENDING, "put back without its Drill")


async def forced_by_rule(run: Run) -> None:
    """The Drill vanishes at some point of the protocol."""
    await run.apply()
    await run.until(lambda: run.in_play() or run.ended_at > 0, ARMING, "in play, or forced on the way")
    if not run.ended_at:
        await run.stop()
    await run.until(lambda: run.ended() and run.restored() and run.closed(), ENDING, "put back without its Drill")
    await run.do("strip-finalizer")
    await run.until(lambda: run.phase() == "Gone", GOING, "gone")


async def namespace_gone(run: Run) -> None:
    """The target namespace goes in play: nothing is left to put back, and the Drill ends."""
    await run.apply()
    await run.until(run.in_play, ARMING, "in play")
    await run.do("delete-namespace")
    await run.until(run.namespace_is_gone, 60, "the namespace is gone")
    await run.stop()
    await run.until(run.ended, ENDING, "over")
    await run.remember()
    await run.delete()
    await run.until(lambda: run.phase() == "Gone" and run.closed(), GOING, "gone")
    await run.slot.next_target()


async def stop_during_outage(run: Run) -> None:
    """Something is away for long; stopped in the middle of that."""
    await run.apply()
    await run.until(lambda: run.in_play() or run.since_met() > AFTERWARDS, ARMING, "in play, or the outage is there")
    await run.stop()
    await run.until(run.ended, 150, "over")
    await over_and_deleted(run)


async def two_drills(run: Run) -> None:
    """Two drills on one target in the same moment: one runs, one is refused."""
    other = f"{run.name}-b"
    run.drills = (run.name, other)
    await run.apply()
    await run.apply(other)
    await run.until(
        lambda: (
            (run.in_play() and run.ended(other))
            or (run.ended() and run.phase(other) == "InPlay")
            or (run.ended() and run.ended(other))
        ),
        ARMING,
        "one in play, one refused",
    )
    if run.ended() and not run.ended(other):
        run.name, other = other, run.name
    await run.stop()
    await run.until(run.ended, ENDING, "over")
    await run.remember()
    for name in run.drills:
        run.name = name
        await run.delete()
    await run.until(lambda: all(run.phase(n) == "Gone" for n in run.drills) and run.closed(), ENDING, "gone")


async def target_gone(run: Run) -> None:
    """The target goes in the middle (by a rule): gone is put back, and the Drill ends."""
    await stop_once_met(run)


STORIES: Final[dict[str, Callable[[Run], Awaitable[None]]]] = {
    story.__name__.replace("_", "-"): story
    for story in (
        repaired,
        repaired_and_stopped,
        stop,
        told,
        stop_at_once,
        stop_at_once_or_in_play,
        stop_once_met,
        stop_after_drift,
        stop_during_outage,
        delete,
        deadline,
        forced,
        forced_by_rule,
        namespace_gone,
        target_gone,
        late_record,
        two_drills,
        refusing.refused,
        refusing.refused_until_said,
        refusing.refused_until_restored,
        refusing.rights_back,
        refusing.stuck_is_said,
        deaths.silent,
        deaths.frozen,
        deaths.gone_and_stopped,
        deaths.gone_and_deleted,
        deaths.gone_at_deadline,
        record_damaged,
        record_removed,
        forged_lock,
    )
}
"""By the names that the plans have for them."""

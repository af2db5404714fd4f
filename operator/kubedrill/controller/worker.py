"""The task of one Drill: runs turns, one at a time, when it is woken and when the last turn said so.

Turns that fail are counted here. What passes by itself (no answer, no rights, a policy) is tried again for as long
as it takes, and meanwhile what must be put back is put back without a turn. What never passes (a turn that can't be
computed, a status or evidence that can never be stored) is tried a few times; then the drill is given up.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import zlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from kubedrill.controller.gathering import FactInbox
from kubedrill.controller.metrics import DrillCollector
from kubedrill.controller.settings import OperatorSettings
from kubedrill.controller.status_writer import StatusRefused
from kubedrill.controller.turn import Turns
from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import Fact
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.informers import Informers
from kubedrill.protocol.objects import Inconclusive
from kubedrill.store.drill_parts import EvidenceRefused
from kubedrill.store.reports import ReportRefused
from kubedrill.store.undo_records import RecordError

LOG = logging.getLogger(__name__)
RESCUED_AFTER = 3
"""So many turns have failed in a row when it is put back without one."""
GIVEN_UP_AFTER = 5
"""So many turns have failed in a way that never passes, without one that succeeded, when the drill is given up …"""
GIVEN_UP_FOR = timedelta(seconds=5)
"""… and for so long at the least."""
OVERDUE = 15.0
"""A turn that has not ended after so many seconds holds up nothing that must be put back."""
DEBOUNCE = timedelta(milliseconds=100)
"""What is seen within so long after a turn began makes one turn more, not one each."""
AT_ONCE = timedelta(seconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LEISURE = timedelta(seconds=20)
"""Who is to look again only after so long looks at a moment of its own: a hundred at once would hold up a start."""
BACK_OFF = (timedelta(seconds=0.2), timedelta(seconds=1), timedelta(seconds=2), timedelta(seconds=5))


class DrillWorker:
    """One Drill's own clock and lock: its turns never overlap."""

    def __init__(
        self,
        kube: Kube,
        clock: ServerClock,
        settings: OperatorSettings,
        drill: dict[str, Any],
        collector: DrillCollector,
        informers: Informers,
    ) -> None:
        meta = drill["metadata"]
        self.uid: str = meta["uid"]
        self.name: str = meta["name"]
        self.target_namespace: str = (drill.get("spec") or {}).get("targetNamespace", "")
        self.inbox = FactInbox()
        self.failures = 0
        self._hopeless: list[datetime] = []
        self._clock, self._collector = clock, collector
        self._woken = asyncio.Event()
        self._due: datetime | None = None
        self._began = clock.now() - DEBOUNCE
        self._turns = Turns(kube, clock, settings, meta["name"], self.uid, self.inbox, self.heard, informers)
        self._task: asyncio.Task[None] | None = None

    def start(self, ended: Callable[[str], None]) -> None:
        """Begin; `ended` is called with the UID when the drill needs no more turns."""
        self._task = asyncio.create_task(self._run(ended), name=f"drill {self.name}")

    def stuck(self) -> Mapping[str, str]:
        """The undo records of this drill that can't be put back now, and why."""
        return self._turns.stuck()

    @property
    def about(self) -> About | None:
        """Which alerts are about its target namespace; None before it has a plan."""
        return self._turns.about

    def wake(self) -> None:
        """Run a turn at once: somebody wants something of the drill."""
        self._wanted_at(self._clock.now())

    async def known(self) -> None:
        """Waits until it is known how the drill stands: until its first turn."""
        await self._turns.received.known()

    async def receive(self, facts: Iterable[Fact]) -> None:
        """Stores what was brought from outside, if the drill keeps it, and wakes it.

        Raises:
            NotStored: there is no room for it any more.
            EvidenceRefused: it is not stored.
            Unreachable: likewise, perhaps.
        """
        if await self._turns.received.store(facts):
            self.wake()

    def heard(self) -> None:
        """Something was seen: run a turn at once, or `DEBOUNCE` after the last one began."""
        self._wanted_at(self._began + DEBOUNCE)

    def _wanted_at(self, at: datetime) -> None:
        self._due = at if self._due is None else min(self._due, at)
        self._woken.set()

    async def stop(self) -> None:
        """End without a last turn: all that matters is stored."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._turns.close()

    async def _run(self, ended: Callable[[str], None]) -> None:
        while True:
            self._due, self._began = None, self._clock.now()
            wake_at = await self._turn()
            if not self._turns.over:
                await self._sleep_until(wake_at)
                continue
            await self._turns.close()
            if self._due is None:  # something may have come while the watches were ended
                break
        ended(self.uid)

    async def _turn(self) -> datetime | None:
        """One turn; when it fails, when to try again."""
        began = self._clock.now()
        for_good = False
        try:
            wake_at = await self._watched_over()
        except (EvidenceRefused, StatusRefused, ReportRefused) as error:
            LOG.warning("drill %s: %s; trying again", self.name, error)
            because, for_good = str(error), error.for_good
        except (Unreachable, RecordError, Inconclusive, TimeoutError) as error:
            LOG.warning("drill %s: %s; trying again", self.name, error)
            because = str(error)
        except Exception as error:
            # A poison object must not take the operator with it, nor hold up another drill.
            LOG.exception("drill %s: the turn failed; trying again", self.name)
            because, for_good = repr(error), True
        else:
            self.failures = 0
            self._hopeless.clear()
            now = self._clock.now()
            self._collector.turned((now - began).total_seconds(), failed=False)
            return wake_at and own_moment(wake_at, began, self.uid)
        now = self._clock.now()
        self._collector.turned((now - began).total_seconds(), failed=True)
        self.failures += 1
        self._hopeless += [now] * for_good
        if len(self._hopeless) >= GIVEN_UP_AFTER and now - self._hopeless[0] >= GIVEN_UP_FOR:
            self._hopeless.clear()
            await self._give_up(because)
        if self.failures >= RESCUED_AFTER:
            await self._rescue(because)
        return self._clock.now() + BACK_OFF[min(self.failures, len(BACK_OFF)) - 1]

    async def _watched_over(self) -> datetime | None:
        """One turn. While it does not end, what must not wait for it is done beside it."""
        turn = asyncio.create_task(self._turns.once(), name=f"turn of drill {self.name}")
        waited = 0.0
        try:
            while not turn.done():
                await asyncio.wait({turn}, timeout=OVERDUE)
                if not turn.done():
                    waited += OVERDUE
                    await self._rescue(f"a turn has not ended for {waited:g} s")
            return turn.result()
        finally:
            turn.cancel()
            await asyncio.gather(turn, return_exceptions=True)

    async def _give_up(self, because: str) -> None:
        try:
            await self._turns.give_up(because)
        except Exception:
            LOG.exception("drill %s: not all that watches it could be ended", self.name)

    async def _rescue(self, because: str) -> None:
        """What must happen although no turn succeeds."""
        try:
            await self._turns.put_back_anyway(because)
        except (Unreachable, RecordError) as error:
            LOG.warning("drill %s: it could not be restored without a turn: %s; trying again", self.name, error)
        except Exception:
            LOG.exception("drill %s: it could not be restored without a turn either; trying again", self.name)

    async def _sleep_until(self, wake_at: datetime | None) -> None:
        """Until `wake_at`, or until a turn is wanted before."""
        while True:
            self._woken.clear()
            at = min((t for t in (wake_at, self._due) if t is not None), default=None)
            left = None if at is None else (at - self._clock.now()).total_seconds()
            if left is not None and left <= 0:
                return
            with contextlib.suppress(TimeoutError):
                # Not wait_for: before Python 3.12 it may swallow the cancellation that `stop` waits for.
                async with asyncio.timeout(left):
                    await self._woken.wait()


def own_moment(wake_at: datetime, began: datetime, uid: str) -> datetime:
    """When a drill that need not hurry looks again: at its own moment of the time that it may wait, never later.

    `began` is when the turn began that said so.
    """
    period = timedelta(seconds=round((wake_at - began).total_seconds()))
    if period < LEISURE:
        return wake_at
    own = period * (zlib.crc32(uid.encode()) / 2**32)
    left = period - (began - EPOCH - own) % period
    return min(wake_at, began + left) if left > AT_ONCE else wake_at  # woken a little early, it has looked already

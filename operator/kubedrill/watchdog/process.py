"""The watchdog's process: looks again and again, and ends by a signal only."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.clock import ServerClock
from kubedrill.store.undo_records import RecordError
from kubedrill.watchdog.http import make_app, serving
from kubedrill.watchdog.metrics import Tally
from kubedrill.watchdog.settings import WatchdogSettings
from kubedrill.watchdog.watchdog import Watchdog

LOG = logging.getLogger("kubedrill.watchdog")
LONGEST_LOOK: Final = timedelta(seconds=20)
STALE: Final = timedelta(seconds=30)


class Rounds:
    """Look after look. One that fails is said, and the next one follows as if nothing had been."""

    def __init__(self, watchdog: Watchdog, every: timedelta, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._watchdog, self._every, self._monotonic = watchdog, every, monotonic
        self._looked_at: float | None = None

    async def run(self) -> None:
        """Looks until it is cancelled."""
        while True:
            await self.once()
            await asyncio.sleep(self._every.total_seconds())

    async def once(self) -> None:
        """One look, whatever comes of it."""
        try:
            async with asyncio.timeout(LONGEST_LOOK.total_seconds()):
                await self._watchdog.look()
        except (Unreachable, RecordError, TimeoutError) as error:
            LOG.warning("the look failed: %r; looking again", error)
        except Exception:
            LOG.exception("the look failed; looking again")
        self._looked_at = self._monotonic()

    def trouble(self) -> str:
        """Why the watchdog is not healthy: it has not looked yet, or not for too long. Empty when it is.

        A look that fails is a look: starting the process anew would not bring the API server back, and what it
        has counted so far would be lost.
        """
        if self._looked_at is None:
            return "there was no look yet"
        age = timedelta(seconds=self._monotonic() - self._looked_at)
        return f"the last look was {age.total_seconds():.0f} s ago" if age >= STALE else ""


async def run(settings: WatchdogSettings, stop: asyncio.Event) -> None:
    """Runs until `stop` is set."""
    kube = await Kube.connect()
    clock = ServerClock(settings.clock_error)
    tally = Tally()
    watchdog = Watchdog(kube, clock, settings.namespace, tally)
    rounds = Rounds(watchdog, settings.every)
    try:
        async with serving(make_app(tally, rounds.trouble), settings.port):
            looking = asyncio.create_task(_look_on(kube, clock, rounds))
            await stop.wait()
            looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await looking
            await watchdog.stop()
    finally:
        await kube.close()


async def _look_on(kube: Kube, clock: ServerClock, rounds: Rounds) -> None:
    await clock.measure(kube)
    await rounds.run()


async def _until_told() -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for told in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(told, stop.set)
    await run(WatchdogSettings.from_environment(os.environ), stop)


def main() -> None:
    """The console entry: settings from the environment, logs as lines on standard error."""
    logging.basicConfig(
        level=os.environ.get("KUBEDRILL_LOG", "INFO"), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    asyncio.run(_until_told())

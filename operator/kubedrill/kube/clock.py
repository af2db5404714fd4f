"""The one reference clock: the API server's, as this process knows it.

The API server says only whole seconds (`Date` header). Each answer bounds its clock: it was in that second at
some instant between sending and receiving. The bounds of all answers, intersected, leave a few milliseconds to
a tenth of a second of doubt; that is the error stated with every time that we take ourselves.

Between answers this process counts by its monotonic clock, so that a machine whose clock is wrong, or is set
while a drill is on, changes nothing. The bounds widen with their age, because no two clocks run at one rate. When an
answer can't be true beside the earlier ones, a clock was set, or the rates are far apart (a machine that was asleep, a
virtual one that is starved): until more answers have told which, the worst rate that they leave open is reckoned with.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.paths import SERVER_VERSION

ASKED: Final = 12
SPREAD: Final = timedelta(milliseconds=90)
DRIFT: Final = 200e-6
"""Seconds that two clocks may move apart in a second: ordinary quartz stays within half of it."""
WILDEST: Final = 1.0
"""The same at the worst: a clock that runs at half the rate of the other."""
TAME: Final = 0.02
"""When answers leave no faster rate open than this, what contradicted the earlier ones was a clock that was set."""
NARROW: Final = 0.3
"""Seconds between the bounds up to which they tell the machine's clock from a wrong one; one answer leaves 1 s."""

Seconds = Callable[[], float]


def local_now() -> datetime:
    """This machine's own clock."""
    return datetime.now(UTC)  # noqa: TID251  the only place


class ServerClock:
    """Now, by the API server's clock, known to within `error` either way.

    `stated` is the least error that is ever stated. Without an answer it is the machine's clock of the start.
    """

    def __init__(
        self, stated: timedelta, *, wall: Callable[[], datetime] = local_now, monotonic: Seconds = time.monotonic
    ) -> None:
        self._stated, self._wall, self._monotonic = stated, wall, monotonic
        self._bounds: tuple[float, float] | None = None  # of the server's clock minus our monotonic one
        self._bound_at = monotonic()
        self._contradicted: tuple[tuple[float, float], float] | None = None  # the first answer after it, and when
        self._drift = DRIFT
        self._offset = self._wall_offset()
        self._fits = True

    def now(self) -> datetime:
        """The instant, by the reference clock."""
        return datetime.fromtimestamp(self._monotonic() + self._offset, UTC)

    @property
    def error(self) -> timedelta:
        """How far `now` may be off either way.

        Bounds that are narrow and fit the machine's clock prove that it is kept in step, and then the stated
        error holds. In any other case it is what the bounds leave open.
        """
        if self._bounds is None:
            return self._stated
        low, high = self._aged(self._bounds)
        if self._fits and high - low <= NARROW:
            return self._stated
        return max(self._stated, timedelta(seconds=max(self._offset - low, high - self._offset)))

    async def measure(self, kube: Kube) -> None:
        """Hears every answer of this connection from now on, and asks a few times at once, to be precise soon.

        No answer is no harm: what comes later is heard as well.
        """
        kube.on_answer = self.heard
        for _ in range(ASKED):
            try:
                await kube.get(SERVER_VERSION)
            except Unreachable:
                return
            await asyncio.sleep(SPREAD.total_seconds())

    def heard(self, date: str, sent: float, received: float) -> None:
        """An answer's `Date`, and between which monotonic seconds it was made. An unreadable one tells nothing."""
        try:
            second = parsedate_to_datetime(date).timestamp()
        except (ValueError, OverflowError):
            return
        said = (second - received, second + 1 - sent)
        low, high = self._aged(self._bounds) if self._bounds else said
        both = (max(low, said[0]), min(high, said[1]))
        # Nothing in common: a clock was set, or one of them runs wild. Only the newest answer counts then.
        agrees = both[0] <= both[1]
        self._bounds = both if agrees else said
        self._bound_at = self._monotonic()
        self._judge_rate(said, agrees=agrees)
        self._settle(*self._bounds)

    def _judge_rate(self, said: tuple[float, float], *, agrees: bool) -> None:
        """The fastest that the clocks may move apart, by the answers since one contradicted those before it."""
        if self._contradicted is None:
            if agrees:
                return
            self._contradicted = (said, self._bound_at)
        (low, high), since = self._contradicted
        apart, passed = max(abs(said[0] - high), abs(said[1] - low)), self._bound_at - since
        self._drift = min(WILDEST, apart / passed) if passed > 0 else WILDEST
        if self._drift < TAME:
            self._contradicted, self._drift = None, DRIFT

    def _settle(self, low: float, high: float) -> None:
        """An offset that the machine's clock fits is taken to be that clock's: it is finer than whole seconds."""
        wall = self._wall_offset()
        self._fits = low <= wall <= high
        self._offset = wall if self._fits else (low + high) / 2

    def _aged(self, bounds: tuple[float, float]) -> tuple[float, float]:
        """Bounds as they hold now."""
        moved = self._drift * (self._monotonic() - self._bound_at)
        return bounds[0] - moved, bounds[1] + moved

    def _wall_offset(self) -> float:
        """The machine's clock minus the monotonic one."""
        before = self._monotonic()
        return self._wall().timestamp() - (before + self._monotonic()) / 2

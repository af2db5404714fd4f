"""The one reference clock: the API server's, as this process knows it.

The API server says only whole seconds (`Date` header). Each answer bounds its clock: it was in that second at
some instant between sending and receiving. Some answers spread over a second, intersected, leave a few
milliseconds to a tenth of a second of doubt; that is the error stated with every time that we take ourselves.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from kubedrill.kube.client import Kube

ASKED = 12
SPREAD = timedelta(milliseconds=90)


def local_now() -> datetime:
    """This process' own clock."""
    return datetime.now(UTC)  # noqa: TID251  the only place


class ServerClock:
    """Now, by the API server's clock: local time plus `offset`, known to within `error` either way."""

    def __init__(self, error: timedelta, offset: timedelta = timedelta(0)) -> None:
        self.offset = offset
        self.error = error

    def now(self) -> datetime:
        """The instant, by the reference clock."""
        return local_now() + self.offset

    async def measure(self, kube: Kube) -> None:
        """Bounds the offset by the server's own `Date`. An offset that zero fits is taken as zero."""
        least, most = timedelta.min, timedelta.max
        for _ in range(ASKED):
            sent = local_now()
            answer = await kube.get("/version")
            received = local_now()
            if answer.date:
                second = parsedate_to_datetime(answer.date)
                least = max(least, second - received)
                most = min(most, second + timedelta(seconds=1) - sent)
            await asyncio.sleep(SPREAD.total_seconds())
        if least == timedelta.min or least > most or least <= timedelta(0) <= most:
            return
        self.offset = least + (most - least) / 2
        self.error = max(self.error, (most - least) / 2)

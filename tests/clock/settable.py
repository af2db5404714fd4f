"""A clock for tests of what time does."""

from __future__ import annotations

from datetime import datetime, timedelta

from kubedrill.kube.clock import ServerClock


class Settable(ServerClock):
    """A clock that stands until a test moves it on."""

    def __init__(self, at: datetime) -> None:
        super().__init__(timedelta(0))
        self.at = at

    def now(self) -> datetime:
        return self.at

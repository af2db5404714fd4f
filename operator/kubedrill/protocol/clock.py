"""What the protocol needs of a clock: the API server's time, and how well it is known."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The reference clock: `now` is right to within `error` either way."""

    @property
    def error(self) -> timedelta:
        """How well it is known."""

    def now(self) -> datetime:
        """The instant, aware."""

"""The clock of the machine on which the command runs. Times that count are the API server's, not these."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Final

LOOK_EVERY: Final = 0.5
"""Seconds between two looks at what is waited for."""
LOOK_OFTEN: Final = 0.2
"""The same where somebody waits for an answer, or the moment counts."""


def now() -> datetime:
    """The time here, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251  the command line's own clock


async def until_the_next_look(*, often: bool = False) -> None:
    """Sit out the pause between two looks at what is waited for."""
    await asyncio.sleep(LOOK_OFTEN if often else LOOK_EVERY)

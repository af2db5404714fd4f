"""Named points at which a test may kill the operator: there it waits for ever. In production, no point is named."""

from __future__ import annotations

import asyncio
import logging

from kubedrill.protocol.outcomes import At

LOG = logging.getLogger(__name__)
STARTED_WRITTEN = "started-written"


def pause_at(named: str) -> At:
    """A hook that stops at the named point of the protocol and passes all others."""

    async def at(point: str) -> None:
        if named and point == named:
            LOG.warning("paused at %s", point)
            await asyncio.Event().wait()

    return at

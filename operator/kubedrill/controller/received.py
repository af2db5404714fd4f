"""What others bring to a drill (a webhook): stored before they are answered, so that an answer is never a lost page.

Only a drill that has started and not ended keeps it. Before its start a page is not about it, and what fires by then is
asked of the monitoring itself; after its end its report is written, and evidence is imported by its own command.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from kubedrill.core.evidence.facts import Fact
from kubedrill.core.machine.phases import TERMINAL
from kubedrill.core.machine.state import State
from kubedrill.store.evidence_log import Evidence


class NotStored(Exception):
    """What was brought is not stored: whoever brought it is to bring it again, unless it never will be."""

    def __init__(self, why: str, *, for_good: bool = False) -> None:
        super().__init__(why)
        self.for_good = for_good


class ReceivedFacts:
    """The facts that one drill was brought. How the drill stands is known from its first turn on."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._known = asyncio.Event()
        self._wanted = False

    def belong_to(self, state: State | None) -> None:
        """How the drill stands now, what it is judged by being known; None when it keeps nothing any more."""
        self._wanted = state is not None and is_kept_by(state)
        self._known.set()

    async def known(self) -> None:
        """Waits until it is known how the drill stands."""
        await self._known.wait()

    async def store(self, facts: Iterable[Fact]) -> bool:
        """Stores them; false when the drill keeps none. It waits for the first turn, and for a write under way.

        Raises:
            NotStored: there is no room for them any more.
            EvidenceRefused: they are not stored.
            Unreachable: likewise, perhaps.
        """
        await self.known()
        if self._wanted and await self._evidence.store(facts):
            raise NotStored("there is no room for more evidence", for_good=True)
        return self._wanted


def is_kept_by(state: State) -> bool:
    """Whether a drill that stands so keeps what it is brought: it has started and not ended."""
    return state.start_ex is not None and state.phase not in TERMINAL

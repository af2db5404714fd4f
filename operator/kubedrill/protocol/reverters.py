"""What undoes the operations that are not fields of a Kubernetes object: one small interface.

A reverter knows one kind of operation (Redis, Alertmanager). The record is stored before `inject` is called,
and every call may come twice, from two processes at once, or after a crash: each method makes it so, whatever
was done before. All that it needs is in the group's operation and the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from kubedrill.core.operations import Announce, Enqueue, Refusal
from kubedrill.core.undo_record import OutsideGroup, Progress, UndoRecord


class Reverter(Protocol):
    """Injects and reverts one kind of operation. Raises nothing for an outage: it answers Again."""

    async def prepare(self, operation: Any) -> Refusal | None:
        """Whether it can be done at all (reachable, allowed). Touches nothing."""

    async def inject(self, record: UndoRecord, group: OutsideGroup) -> Progress:
        """Brings it to where it should be by now: pushes what is due, refreshes what would end.

        Done when nothing more is to be done while the fault lasts, else Again with the time of the next call.
        Again with the reason UNREACHABLE means that nothing was done, or nobody knows.
        """

    async def count(self, group: OutsideGroup) -> int | None:
        """How much of it is in by now, by its own count; None when that is not known, or nothing is counted."""

    async def revert(self, record: UndoRecord, group: OutsideGroup) -> Progress:
        """Undoes it. Done only when it was seen to be undone."""


Reverters = Mapping[type[Enqueue] | type[Announce], Reverter]

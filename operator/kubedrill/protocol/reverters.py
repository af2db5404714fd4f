"""What undoes the operations that are not fields of a Kubernetes object: one small interface.

A reverter knows one kind of operation (Redis, Alertmanager). The record is stored before `inject` is called,
and every call may come twice, from two processes at once, or after a crash: each method makes it so, whatever
was done before. All that it needs is in the group's operation and the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from kubedrill.core.undo.operations import Announce, Enqueue, Refusal
from kubedrill.core.undo.record import OutsideGroup, Progress, UndoRecord


class Reverter(Protocol):
    """Injects and reverts one kind of operation. Raises nothing for an outage: it answers Again."""

    async def prepare(self, operation: Any) -> Refusal | None:
        """Whether it can be done *and* undone: all that both will need is tried. Touches nothing of the app."""

    async def inject(self, record: UndoRecord, group: OutsideGroup) -> Progress:
        """Brings it to where it should be by now: pushes what is due, refreshes what would end.

        Done when nothing more is to be done while the fault lasts, else Again with the time of the next call.
        Again with the reason UNREACHABLE or REFUSED means that nothing was done, or nobody knows. Nothing begins
        later than BEGINS_WITHIN after the record was claimed.
        """

    async def count(self, group: OutsideGroup) -> int | None:
        """How much of it is in by now, by its own count; None when that is not known, or nothing is counted."""

    async def revert(self, record: UndoRecord, group: OutsideGroup) -> Progress:
        """Undoes it, without what its operation `uses_up`.

        Done only when it was seen to be undone, or (`untouched`) was never in and can't begin any more. Again with
        the reason REFUSED when what answers won't have it.
        """


Reverters = Mapping[type[Enqueue] | type[Announce], Reverter]

"""The contract of an operation: all that the protocol and the people's commands must know of one.

An operation is data (`core.undo.operations`), and one file here that says how it is carried out, undone and described.
The record is stored before `inject` is called, and every call may come twice, from two processes at once, or after a
crash: each method makes it so, whatever was done before. All that it needs is in the group's operation and the record.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from kubedrill.core.evidence.facts import Interval
from kubedrill.core.undo.operations import BesidesFields, Operation, Refusal, Target
from kubedrill.core.undo.record import OutsideGroup, Progress, UndoRecord
from kubedrill.kube.client import Kube

O = TypeVar("O", bound=Operation)  # noqa: E741  the operation's own class


@dataclass(frozen=True, slots=True)
class SeenIn:
    """An operation that is seen to be in: since when, and the UID of what it has made."""

    since: Interval
    made: str = ""


class Reverter(Protocol):
    """Injects and reverts one kind of operation. Raises nothing for an outage: it answers Again."""

    async def prepare(self, operation: Any) -> Refusal | BesidesFields | None:
        """Whether it can be done *and* undone: all that both will need is tried. Touches nothing of the app.

        The operation as it is to be stored, where something of it is settled only now; None: as it stands.
        """

    async def inject(self, record: UndoRecord, group: OutsideGroup) -> Progress | Refusal:
        """Brings it to where it should be by now: pushes what is due, refreshes what would end.

        Done when nothing more is to be done while the fault lasts, else Again with the time of the next call.
        Again with the reason UNREACHABLE or REFUSED means that nothing was done, or nobody knows. A Refusal: it is not
        done, and trying again won't help. Nothing begins later than BEGINS_WITHIN after the record was claimed.
        """

    async def count(self, group: OutsideGroup) -> int | None:
        """How much of it is in by now, by its own count; None when that is not known, or nothing is counted."""

    async def seen_in(self, record: UndoRecord, group: OutsideGroup) -> SeenIn | None:
        """Whether it is in already, and something of it will be taken away; None: it is not, or that can't be told.

        It is asked before it is done by somebody else than who stored the record, so that it is not done again, and
        before the undo, and noted: whoever comes after a crash then knows by whose doing it is gone.
        """

    async def revert(self, record: UndoRecord, group: OutsideGroup) -> Progress:
        """Undoes it, without what its operation `uses_up`.

        Done only when it was seen to be undone, or (`untouched`) was never in and can't begin any more. Again with
        the reason REFUSED when what answers won't have it.
        """


Reverters = Mapping[type[BesidesFields], Reverter]


@dataclass(frozen=True, slots=True)
class Need:
    """What an operation needs to be allowed in the target namespace, `to` do it or to undo it, on one resource."""

    group: str
    resource: str
    inject: tuple[str, ...]
    revert: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OperationKind(Generic[O]):
    """One kind of operation.

    - `operation`: its data.
    - `planned(operation, objects)`: what it would do and how that is undone, in lines for `kubectl drill plan`.
    - `recorded(operation)`: what a record of it will undo, in a line for whoever restores by hand.
    - `reverter(kube, clock)`: who carries it out and undoes it; None: the protocol itself (fields), or people.
    - `needs(operation)`: rights at the API server in the target namespace.
    - `is_inside`: what it is done to answers only inside the cluster.
    - `remarks(reverter, operation)`: what whoever plans it should know though it can be done. Touches nothing.
    """

    operation: type[O]
    planned: Callable[[O, Mapping[Target, Any]], Iterable[str]]
    recorded: Callable[[O], str]
    reverter: Callable[[Kube, Callable[[], datetime]], Reverter] | None = None
    needs: Callable[[O], tuple[Need, ...]] = lambda _: ()
    is_inside: bool = False
    remarks: Callable[[Any, O], Awaitable[tuple[str, ...]]] | None = None

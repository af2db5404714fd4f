"""What injecting and reverting come to, as the turn reads it, and the named points between the writes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from kubedrill.core.evidence.facts import Interval
from kubedrill.core.measure.results import FieldOutcome
from kubedrill.core.undo.record import FieldUndo
from kubedrill.store.undo_records import RecordRef, StoredRecord

RECORD_WRITTEN = "record-written"
FAULT_PATCHED = "fault-patched"
INJECTED_WRITTEN = "injected-written"
REVERT_PATCHED = "revert-patched"
REVERTED_WRITTEN = "reverted-written"

At = Callable[[str], Awaitable[None]]
Wanted = Callable[[], Awaitable[bool]]


async def nothing(_point: str) -> None:
    """The hook of production: no pause at any named point."""


async def always() -> bool:
    """Whoever has no better answer: the injection is wanted."""
    return True


class Injection(StrEnum):
    """How an injection stands.

    Injected: it is in, and the record says so. Refused: nothing was touched, and trying again won't help.
    Undone: somebody changed the target while nobody was looking, so it is not injected (again); revert it.
    Ended: its record is being reverted or is reverted already. Pending: not yet; call again after a while.
    """

    INJECTED = "Injected"
    REFUSED = "Refused"
    UNDONE = "Undone"
    ENDED = "Ended"
    PENDING = "Pending"


@dataclass(frozen=True, slots=True)
class TargetInjection:
    """One target's injection: all the drill's faults on it. `at` is when it was written, once it is in."""

    subject: str
    faults: tuple[str, ...]
    state: Injection
    reason: str = ""
    message: str = ""
    at: Interval | None = None
    record: RecordRef | None = None
    fields: tuple[FieldUndo, ...] = ()


@dataclass(frozen=True, slots=True)
class InjectionOutcome:
    """All targets of a call to inject."""

    targets: tuple[TargetInjection, ...]

    @property
    def state(self) -> Injection:
        """The worst of all; Injected only if every target is."""
        order = (Injection.REFUSED, Injection.UNDONE, Injection.ENDED, Injection.PENDING)
        states = {target.state for target in self.targets}
        return next((state for state in order if state in states), Injection.INJECTED)

    @property
    def why(self) -> TargetInjection | None:
        """The target that decides the state, unless all are injected."""
        return next((t for t in self.targets if t.state is self.state is not Injection.INJECTED), None)


class Reversal(StrEnum):
    """How a revert stands. Reverted: seen to be so, and stored. Retry: soon. Stalled: it is refused."""

    REVERTED = "Reverted"
    RETRY = "Retry"
    STALLED = "Stalled"


@dataclass(frozen=True, slots=True)
class RevertOutcome:
    """One record's revert. `after` is the least time to wait; the caller lengthens it, within bounds.

    `restored` tells that the declared fields are back although something is still being cleared away.
    """

    state: Reversal
    reason: str = ""
    message: str = ""
    after: timedelta = timedelta(0)
    stored: StoredRecord | None = None
    fields: tuple[FieldOutcome, ...] = ()
    restored: bool = False

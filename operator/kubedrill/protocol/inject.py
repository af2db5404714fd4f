"""Injecting a drill's faults: all undo records first, then each target in turn.

Before the first target, the list of records tells whether another drill is on the namespace (`exclusion`).
Each write has a precondition, and every write to a target is preceded by a write of its record by the same
process. So two operators, a restart and a late packet come to one injection at the most; a player who puts
the old value back while the operator is away is not hit twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar

from kubedrill.core.undo.operations import Operation
from kubedrill.core.undo.record import UNREACHABLE, DrillIdentity, RecordState
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.refusals import is_refusal, reason_of
from kubedrill.plugins.operations.base import Reverters
from kubedrill.protocol.clock import Clock
from kubedrill.protocol.exclusion import NamespaceConflict, in_the_way
from kubedrill.protocol.injector import Injector
from kubedrill.protocol.intents import Intent, by_subject
from kubedrill.protocol.objects import Inconclusive
from kubedrill.protocol.outcomes import (
    At,
    Injection,
    InjectionOutcome,
    TargetInjection,
    Wanted,
    always,
    nothing,
)
from kubedrill.protocol.plan import InjectionEnds
from kubedrill.protocol.sustain import sustain
from kubedrill.store.undo_records import NotGenuine, RecordError, StoredRecord, list_records

__all__ = ["inject", "rehearse", "sustain"]
REHEARSED_FOR: Final = timedelta(hours=1)
"""How long the drill of a rehearsal lasts; no time is too short for a dry run."""
T = TypeVar("T")


async def inject(
    kube: Kube,
    drill: DrillIdentity,
    fault_ops: Mapping[str, Sequence[Operation]],
    deadline: datetime,
    clock: Clock,
    *,
    reverters: Reverters | None = None,
    on: At = nothing,
    wanted: Wanted = always,
) -> InjectionOutcome:
    """Inject a drill's faults, once, however often it is called and by how many at the same time.

    All undo records are stored before the first target is touched; if one can't be, none is touched by this
    call. Records that are stored by then stay: whoever sees a record that should not be reverts it.

    Args:
        kube: the API server.
        drill: whose faults they are.
        fault_ops: for each fault by name, what it does.
        deadline: when the drill is over at the latest; refused when less than MARGIN is left.
        clock: the API server's time.
        reverters: for operations that are not changes of fields.
        on: called at the named points between the writes.
        wanted: asked once more when all records are stored: an operator that slept through the drill's end
            must not inject when it wakes.

    Returns:
        One result a target; its `state` is Injected only if every target is.
    """
    injector = Injector(kube, drill, deadline, clock, reverters or {}, on)
    intents = by_subject(drill, fault_ops)
    stored = [(intent, await _ended(intent, injector.store(intent))) for intent in intents]
    ready = [(intent, *found) for intent, found in stored if not isinstance(found, TargetInjection)]
    if len(ready) < len(stored):
        return InjectionOutcome(
            tuple(
                found
                if isinstance(found, TargetInjection)
                else _result(intent, found[0], Injection.PENDING, "Waiting", "another target is not ready")
                for intent, found in stored
            )
        )
    try:
        # Both are asked when all records are stored, and answer the same whichever comes first.
        still_wanted, other = await asyncio.gather(wanted(), _other_drill(kube, drill, [r for _, r, _ in ready]))
    except (Unreachable, RecordError) as trouble:
        return InjectionOutcome(tuple(_troubled(intent, trouble) for intent, _, _ in ready))
    if not still_wanted:
        return InjectionOutcome(
            tuple(
                _result(intent, record, Injection.ENDED, "NoLongerWanted", "the drill has moved on")
                for intent, record, _ in ready
            )
        )
    if other is not None:
        return InjectionOutcome(
            tuple(_result(intent, record, other.state, "TargetBusy", other.message) for intent, record, _ in ready)
        )
    done = [(intent, await _ended(intent, injector.carry_out(found, seen))) for intent, found, seen in ready]
    return InjectionOutcome(
        tuple(
            found if isinstance(found, TargetInjection) else _result(intent, found, Injection.INJECTED)
            for intent, found in done
        )
    )


async def rehearse(
    kube: Kube,
    drill: DrillIdentity,
    fault_ops: Mapping[str, Sequence[Operation]],
    clock: Clock,
    *,
    reverters: Reverters,
) -> tuple[TargetInjection, ...]:
    """The targets that could not be injected now, and why: each is planned, and tried with a dry run."""
    injector = Injector(kube, drill, clock.now() + REHEARSED_FOR, clock, reverters, nothing)
    intents = by_subject(drill, fault_ops)
    ended = await asyncio.gather(*(_ended(intent, injector.rehearse(intent)) for intent in intents))
    return tuple(one for one in ended if one is not None)


async def _ended(intent: Intent, step: Awaitable[T]) -> T | TargetInjection:
    """A step's result, or the target's result if the injection ends there."""
    try:
        return await step
    except InjectionEnds as ends:
        return TargetInjection(intent.subject, intent.faults, ends.state, ends.reason, ends.message)
    except NotGenuine as found:
        return TargetInjection(intent.subject, intent.faults, Injection.REFUSED, found.reason, str(found)[:500])
    except (Unreachable, Inconclusive, RecordError) as trouble:
        return _troubled(intent, trouble)


async def _other_drill(kube: Kube, drill: DrillIdentity, mine: Sequence[StoredRecord]) -> NamespaceConflict | None:
    """Another drill on the target namespace. One whose fault is in already has been let in and need not ask."""
    if any(stored.record.state is not RecordState.INTENDED for stored in mine):
        return None
    listing = await list_records(kube, drill.namespace)
    return in_the_way(drill, [stored.record for stored in listing.readable], listing.unreadable)


def _troubled(intent: Intent, trouble: Unreachable | Inconclusive | RecordError) -> TargetInjection:
    if not isinstance(trouble, Unreachable) and is_refusal(trouble.answer):
        state, reason = Injection.REFUSED, reason_of(trouble.answer)
    else:
        state, reason = Injection.PENDING, UNREACHABLE
    return TargetInjection(intent.subject, intent.faults, state, reason, str(trouble)[:500])


def _result(
    intent: Intent, stored: StoredRecord, state: Injection, reason: str = "", message: str = ""
) -> TargetInjection:
    record = stored.record
    return TargetInjection(
        intent.subject, intent.faults, state, reason, message, record.injected, stored.ref, record.fields
    )

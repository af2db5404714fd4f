"""Putting back what is no change of fields: gone, never in, undone by its reverter, or by somebody's hands."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from kubedrill.core.measure.results import FieldOutcome
from kubedrill.core.undo.operations import Ask
from kubedrill.core.undo.patches import FieldEnd
from kubedrill.core.undo.record import DRAINING, REFUSED, Again, OutsideGroup, UndoRecord
from kubedrill.kube.client import Kube
from kubedrill.plugins.operations.base import Reverters, SeenIn
from kubedrill.protocol.objects import Inconclusive, namespace_uid_of
from kubedrill.protocol.outcomes import Reversal, RevertOutcome

AWAITING_CONFIRMATION = "AwaitingConfirmation"
_LATER = timedelta(seconds=2)


async def undo_outside(
    kube: Kube, record: UndoRecord, reverters: Reverters, confirmed_asks: frozenset[str], now: datetime
) -> tuple[FieldOutcome, ...] | RevertOutcome:
    """One try: how each operation ended, or why the record does not end now.

    Raises:
        Unreachable: the API server does not say whether the namespace is there.
    """
    groups = tuple(group for group in record.groups if isinstance(group, OutsideGroup))
    if await _is_gone(kube, record):
        return _gone(record, groups, now)
    ends = await asyncio.gather(*(_undone(record, group, reverters, confirmed_asks) for group in groups))
    not_yet = [end for end in ends if isinstance(end, RevertOutcome)]
    # one that is refused is told before one that is only under way
    not_yet.sort(key=lambda end: end.state is Reversal.RETRY)
    return not_yet[0] if not_yet else tuple(end for end in ends if isinstance(end, FieldOutcome))


async def seen_in(record: UndoRecord, reverters: Reverters) -> dict[str, SeenIn]:
    """The operations that are seen to be in, by fault; of what can't be told nothing is said."""
    found: dict[str, SeenIn] = {}
    for group in record.groups:
        if isinstance(group, OutsideGroup) and not isinstance(group.operation, Ask):
            seen = await reverters[type(group.operation)].seen_in(record, group)
            found |= {group.fault: seen} if seen is not None else {}
    return found


async def _is_gone(kube: Kube, record: UndoRecord) -> bool:
    """Whether the namespace is gone that the subject lived in, by a live 404 or another UID under its name.

    That a Service is missing, or does not answer, says nothing: what is behind it may live on. Nor does a namespace
    that can't be read: then the reverter is asked.
    """
    if not record.subject_namespace:
        return False
    try:
        uid = await namespace_uid_of(kube, record.subject_namespace)
    except Inconclusive:
        return False
    return not uid or bool(record.namespace_uid and uid != record.namespace_uid)


def _gone(
    record: UndoRecord, groups: tuple[OutsideGroup, ...], now: datetime
) -> tuple[FieldOutcome, ...] | RevertOutcome:
    left = record.may_begin_until - now
    if record.injected is None and left > timedelta(0):
        # its first packet may be under way, to whatever has the name by now
        said = f"namespace {record.subject_namespace} is gone; that nothing begins is certain in"
        return RevertOutcome(Reversal.RETRY, DRAINING, f"{said} {left.total_seconds():.0f} s", min(left, _LATER))
    said = f"namespace {record.subject_namespace} is gone"
    return tuple(FieldOutcome(record.subject, group.fault, "", "", said, str(FieldEnd.GONE)) for group in groups)


async def _undone(
    record: UndoRecord, group: OutsideGroup, reverters: Reverters, confirmed_asks: frozenset[str]
) -> FieldOutcome | RevertOutcome:
    operation = group.operation
    if isinstance(operation, Ask):
        if record.injected is None:
            return _by_hand(record, operation, FieldEnd.UNTOUCHED)
        if group.fault not in confirmed_asks:
            said = f"the facilitator must undo {group.fault} and confirm it: {operation.undo}"
            return RevertOutcome(Reversal.RETRY, AWAITING_CONFIRMATION, said, _LATER)
        return _by_hand(record, operation, FieldEnd.RESTORED)
    progress = await reverters[type(operation)].revert(record, group)
    if isinstance(progress, Again):
        state = Reversal.STALLED if progress.reason == REFUSED else Reversal.RETRY
        return RevertOutcome(state, progress.reason, progress.message, progress.after, restored=progress.restored)
    end = FieldEnd.UNTOUCHED if progress.untouched else FieldEnd.RESTORED
    end = FieldEnd.SUPERSEDED if progress.superseded else end
    return FieldOutcome(record.subject, group.fault, "", "", progress.note, str(end))


def _by_hand(record: UndoRecord, operation: Ask, end: FieldEnd) -> FieldOutcome:
    return FieldOutcome(record.subject, "by hand", "", operation.do, operation.undo, str(end))

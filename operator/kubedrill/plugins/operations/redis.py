"""Fake jobs in a Redis queue: pushed at a rate, never twice; removed again, wherever the app keeps them, and no others.

The operator's clock plays no part but for the record's deadline and for how long a push may begin: rate, order and
quiet time are Redis' own, so two operators at once, a crash in the middle or a reply that got lost change nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

from kubedrill.core.undo.operations import Enqueue, Refusal
from kubedrill.core.undo.record import (
    BEGINS_WITHIN,
    DRAINING,
    REFUSED,
    UNREACHABLE,
    Again,
    Done,
    OutsideGroup,
    Progress,
    RecordState,
    UndoRecord,
)
from kubedrill.plugins.operations import redis_scripts as scripts
from kubedrill.plugins.operations.connections import RedisConnections, Resolve
from kubedrill.plugins.operations.redis_probe import refusal_of, refused
from kubedrill.plugins.operations.redis_remarks import remarks_on
from kubedrill.plugins.operations.redis_sweep import sweep
from kubedrill.plugins.operations.resp import RedisRefuses, RedisSilent, Reply, Wire
from kubedrill.plugins.operations.writing import run

PUSH_EVERY: Final = timedelta(milliseconds=500)
SWEEP_EVERY: Final = timedelta(seconds=1)
AFTER_OUTAGE: Final = timedelta(seconds=2)
KEEP_MARK: Final = timedelta(days=1)
"""How long a mark outlives the end of pushing when nobody undoes anything."""
PATIENCE: Final = 20.0
"""Seconds for all that one call asks: a sweep through some millions of keys."""


class RedisJobs:
    """The reverter of `Enqueue`. `clock` is the reference clock; `resolve` says where a Service is reached."""

    def __init__(self, clock: Callable[[], datetime], resolve: Resolve = lambda host, port: (host, port)) -> None:
        self._clock = clock
        self._connections = RedisConnections(resolve)

    async def prepare(self, operation: Enqueue) -> Refusal | None:
        """Whether jobs can be pushed and taken out again: all that it needs is tried, and no job is touched."""
        try:
            async with self._asked(operation) as redis:
                return await refusal_of(redis, operation, _mark(operation), self._clock())
        except RedisRefuses as refusal:
            return refused(operation, refusal)
        except RedisSilent as error:
            return Refusal("QueueUnreachable", f"{_unreachable(operation, error).message}")
        finally:
            self._connections.done(operation)

    async def remarks(self, operation: Enqueue) -> tuple[str, ...]:
        """What is odd about the queue; nothing where that can't be told."""
        try:
            async with self._asked(operation) as redis:
                return await remarks_on(redis, operation)
        except (RedisRefuses, RedisSilent):
            return ()
        finally:
            self._connections.done(operation)

    async def inject(self, record: UndoRecord, group: OutsideGroup) -> Progress:
        """Push what is due by now; Done when all were pushed, or when pushing is over (closed, too late)."""
        operation = _operation(group)
        try:
            async with self._asked(operation) as redis:
                state, pushed = await _push(redis, operation, record)
        except (RedisRefuses, RedisSilent) as error:
            return _again(operation, error)
        said = f"{pushed} of {operation.count} fake jobs pushed"
        if state == "lost":
            return Done("the queue lost its data, so no more is pushed")
        if state == "stale":
            return Again(AFTER_OUTAGE, UNREACHABLE, "it took too long to begin: nothing is pushed; it is tried anew")
        if state in ("closed", "late") or pushed >= operation.count:
            return Done(said)
        return Again(PUSH_EVERY, "Pushing", said)

    async def count(self, group: OutsideGroup) -> int | None:
        """How many jobs were pushed so far; None when it is not known now."""
        operation = _operation(group)
        try:
            async with self._asked(operation) as redis:
                return await _pushed(redis, operation) or 0
        except (RedisRefuses, RedisSilent):
            return None

    async def seen_in(self, record: UndoRecord, group: OutsideGroup) -> None:
        """None: what was pushed, the mark in Redis tells."""

    async def revert(self, record: UndoRecord, group: OutsideGroup) -> Progress:
        """Stop all pushing, remove the fake jobs; Done when none was seen for longer than redelivery."""
        operation = _operation(group)
        try:
            async with self._asked(operation) as redis:
                try:
                    progress = await _undone(redis, operation, record)
                except RedisRefuses as refusal:
                    if record.injected is not None or not await _was_never_begun(redis, operation):
                        raise
                    progress = self._never_in(record, refusal)
        except (RedisRefuses, RedisSilent) as error:
            return _again(operation, error)
        if isinstance(progress, Done):
            self._connections.done(operation)
        return progress

    def _never_in(self, record: UndoRecord, refusal: RedisRefuses) -> Progress:
        """Nothing is in, and Redis takes no word that would hold off a push that is under way (a frozen operator's).

        Redis may take writes again at any time (a replica is promoted). But by then that push is too old to begin:
        its script says so by Redis' own clock, which `prepare` has compared. The record is claimed anew for each try
        to begin, and nobody can claim it once it is Reverting. So it is certain when that time is over.
        """
        left = record.may_begin_until - self._clock()
        if left > timedelta(0):
            said = f"nothing was pushed; that none comes is certain in {left.total_seconds():.0f} s ({refusal})"
            return Again(min(left, AFTER_OUTAGE), DRAINING, said[:300])
        return Done("nothing was pushed", untouched=True)

    @asynccontextmanager
    async def _asked(self, operation: Enqueue) -> AsyncIterator[Wire]:
        try:
            async with asyncio.timeout(PATIENCE), self._connections.to(operation) as redis:
                yield redis
        except TimeoutError:
            raise RedisSilent(f"not done within {PATIENCE:g} s") from None


async def _push(redis: Wire, operation: Enqueue, record: UndoRecord) -> tuple[str, int]:
    # A mark that is missing later was lost with the jobs: beginning anew would push the same ids again.
    begins = record.claimed + BEGINS_WITHIN if record.state is RecordState.INTENDED else None
    further = [text for pair in operation.job.items() for text in pair]
    body = json.dumps(dict(operation.job), separators=(",", ":"))[1:-1]
    answer = await redis.call(
        "EVAL", scripts.PUSH, 2, _mark(operation), operation.key,
        operation.kind, operation.prefix, f",{body}" if body else "", operation.count, operation.rate,
        _milliseconds(record.deadline), _length(KEEP_MARK), _milliseconds(begins) if begins else 0, *further,
    )  # fmt: skip
    match answer:
        case [str(state), int(pushed)]:
            return state, pushed
    raise _nonsense(answer)


async def _undone(redis: Wire, operation: Enqueue, record: UndoRecord) -> Progress:
    mark, deadline = _mark(operation), _milliseconds(record.deadline)
    await run(redis, scripts.CLOSE, [mark], deadline, _length(KEEP_MARK))
    await sweep(redis, operation, mark, deadline, _length(KEEP_MARK))
    answer = await run(redis, scripts.SETTLE, [mark], deadline, _length(operation.redelivery))
    match answer:
        case [int(quiet), int(removed), int(pushed)]:
            pass
        case _:
            raise _nonsense(answer)
    if record.injected is None and pushed < 0 and not removed:
        # Closed by now: whoever is late finds it so, and the mark goes as after any other undo.
        await run(redis, scripts.SETTLE, [mark], deadline, -1)
        return Done("nothing was pushed", untouched=True)
    if quiet > _length(operation.redelivery):
        return Done(accounted(pushed, removed))
    left = operation.redelivery - timedelta(milliseconds=quiet)
    return Again(
        min(SWEEP_EVERY, left + timedelta(milliseconds=1)),
        DRAINING,
        f"{removed} fake jobs removed; done when none comes back for {left.total_seconds():.0f} s more",
    )


def accounted(pushed: int, removed: int) -> str:
    """What became of the fake jobs, in words; -1 pushed: that is not known any more."""
    if pushed < 0:
        return f"{removed} fake jobs removed; how many were pushed is not known, as Redis has lost the count"
    if removed >= pushed:
        return f"{removed} fake jobs removed, none left"
    return (f"{pushed} fake jobs pushed, {removed} removed; {pushed - removed} were taken by workers or are where"
            " neither queue nor inFlight looks")  # fmt: skip


async def _was_never_begun(redis: Wire, operation: Enqueue) -> bool:
    """Whether no push of this fault has ever come about in this Redis.

    Raises:
        RedisRefuses, Unanswered: that can't be read.
    """
    try:
        return await _pushed(redis, operation) is None
    except RedisRefuses as refusal:
        if refusal.code != "MOVED":
            raise
    try:
        # The mark is in another part of a cluster. Where the queue is in a third, no script can ever touch both.
        await redis.call("EVAL", "return 1", 2, _mark(operation), operation.key)
    except RedisRefuses as refusal:
        if refusal.code != "CROSSSLOT":
            raise
        return True
    return False


async def _pushed(redis: Wire, operation: Enqueue) -> int | None:
    """How many were pushed; None where it was never begun."""
    match answer := await redis.call("HMGET", _mark(operation), "pushed"):
        case [None]:
            return None
        case [str(pushed)] if pushed.isdecimal() and len(pushed) <= len(str(operation.count)):
            return int(pushed)
    raise _nonsense(answer)


def _operation(group: OutsideGroup) -> Enqueue:
    if not isinstance(group.operation, Enqueue):
        raise TypeError(f"fault {group.fault}: {type(group.operation).__name__} is not for Redis")
    return group.operation


def _mark(operation: Enqueue) -> str:
    return f"kubedrill:mark:{operation.prefix}"


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _length(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)


def _nonsense(answer: Reply) -> RedisSilent:
    return RedisSilent(f"{answer!r:.80} is not an answer to what was asked")


def _again(operation: Enqueue, error: RedisRefuses | RedisSilent) -> Again:
    if isinstance(error, RedisSilent) or error.passing:
        return _unreachable(operation, error)
    return Again(AFTER_OUTAGE, REFUSED, f"Redis at {operation.host}:{operation.port} refuses it: {error}"[:300])


def _unreachable(operation: Enqueue, error: Exception) -> Again:
    said = f"Redis at {operation.host}:{operation.port} does not answer: {error}"
    return Again(AFTER_OUTAGE, UNREACHABLE, said[:300])

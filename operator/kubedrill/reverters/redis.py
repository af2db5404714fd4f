"""Fake jobs in a Redis queue: pushed at a rate, never twice; removed again, in flight too, and no others.

The operator's clock plays no part but for the record's deadline: rate, order and quiet time are Redis' own,
so two operators at once, a crash in the middle or a reply that got lost change nothing.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from kubedrill.core.operations import Enqueue, Refusal
from kubedrill.core.undo_record import (
    DRAINING,
    UNREACHABLE,
    Again,
    Done,
    OutsideGroup,
    Progress,
    RecordState,
    UndoRecord,
)
from kubedrill.reverters import redis_scripts as scripts

Resolve = Callable[[str, int], tuple[str, int]]
"""Where a Service is reached from here, by host and port."""

PUSH_EVERY: Final = timedelta(milliseconds=500)
SWEEP_EVERY: Final = timedelta(seconds=1)
AFTER_OUTAGE: Final = timedelta(seconds=2)
STRETCH: Final = 1000
"""Jobs that one atomic step looks at: a few milliseconds of Redis' time."""
KEEP_MARK: Final = timedelta(days=1)
"""How long a mark outlives the end of pushing when nobody undoes anything."""

_TYPES: Final = {"List": "list", "Stream": "stream"}


class RedisJobs:
    """The reverter of `Enqueue`."""

    def __init__(self, resolve: Resolve = lambda host, port: (host, port)) -> None:
        self._resolve = resolve

    async def prepare(self, operation: Enqueue) -> Refusal | None:
        """Whether the queue answers and its key is of the right type. Touches nothing."""
        try:
            async with self._connection(operation) as client:
                found = str(await client.type(operation.key))
        except (RedisError, OSError) as error:
            return Refusal("QueueUnreachable", f"Redis at {operation.host}:{operation.port} does not answer: {error}")
        if found not in ("none", _TYPES[operation.kind]):
            return Refusal(
                "QueueIsOfAnotherKind",
                f"{operation.key} is a {found} in Redis, not a {_TYPES[operation.kind]}: correct kind or key",
            )
        return None

    async def inject(self, record: UndoRecord, group: OutsideGroup) -> Progress:
        """Push what is due by now; Done when all were pushed, or when pushing is over (closed, too late)."""
        operation = _operation(group)
        try:
            async with self._connection(operation) as client:
                state, pushed = await _push(client, operation, record)
        except (RedisError, OSError) as error:
            return _unreachable(operation, error)
        said = f"{pushed} of {operation.count} fake jobs pushed"
        if state == "lost":
            return Done("the queue lost its data, so no more is pushed")
        if state in ("closed", "late") or pushed >= operation.count:
            return Done(said)
        return Again(PUSH_EVERY, "Pushing", said)

    async def count(self, group: OutsideGroup) -> int | None:
        """How many jobs were pushed so far; None when it is not known now."""
        operation = _operation(group)
        try:
            async with self._connection(operation) as client:
                return int(await _read(client.hget(_mark(operation), "pushed")) or 0)
        except (RedisError, OSError):
            return None

    async def revert(self, record: UndoRecord, group: OutsideGroup) -> Progress:
        """Stop all pushing, remove the fake jobs; Done when none was seen for longer than redelivery."""
        operation = _operation(group)
        try:
            async with self._connection(operation) as client:
                await _run(client, scripts.CLOSE, [_mark(operation)], _milliseconds(record), _length(KEEP_MARK))
                await _sweep(client, operation)
                quiet, removed = await _run(
                    client,
                    scripts.SETTLE,
                    [_mark(operation)],
                    _milliseconds(record),
                    _length(operation.redelivery),
                )
        except (RedisError, OSError) as error:
            return _unreachable(operation, error)
        if quiet > _length(operation.redelivery):
            return Done(f"{removed} fake jobs removed, none left")
        left = operation.redelivery - timedelta(milliseconds=quiet)
        return Again(
            min(SWEEP_EVERY, left + timedelta(milliseconds=1)),
            DRAINING,
            f"{removed} fake jobs removed; done when none comes back for {left.total_seconds():.0f} s more",
        )

    @asynccontextmanager
    async def _connection(self, operation: Enqueue) -> AsyncIterator[Redis]:
        host, port = self._resolve(operation.host, operation.port)
        client = Redis(
            host=host,
            port=port,
            decode_responses=True,
            encoding_errors="surrogateescape",
            socket_timeout=5,
            socket_connect_timeout=2,
            retry=Retry(NoBackoff(), 0),
        )
        try:
            yield client
        finally:
            await client.aclose()


async def _push(client: Redis, operation: Enqueue, record: UndoRecord) -> tuple[str, int]:
    # A mark that is missing later was lost with the jobs: beginning anew would push the same ids again.
    opening = "open" if record.state is RecordState.INTENDED else ""
    further = [text for pair in operation.job.items() for text in pair]
    body = json.dumps(dict(operation.job), separators=(",", ":"))[1:-1]
    state, pushed = await _run(
        client,
        scripts.PUSH,
        [_mark(operation), operation.key],
        operation.kind,
        operation.prefix,
        f",{body}" if body else "",
        operation.count,
        operation.rate,
        _milliseconds(record),
        _length(KEEP_MARK),
        opening,
        *further,
    )
    return str(state), int(pushed)


async def _sweep(client: Redis, operation: Enqueue) -> None:
    if operation.kind == "Stream":
        await _sweep_stream(client, operation)
    else:
        await _sweep_list(client, operation, operation.key)
    for pattern in operation.in_flight:
        async for key in client.scan_iter(match=pattern, count=STRETCH, _type="list"):
            await _sweep_list(client, operation, key)


async def _sweep_list(client: Redis, operation: Enqueue, key: str) -> None:
    start = 0
    while True:
        looked_at, found = await _run(
            client, scripts.SWEEP_LIST, [_mark(operation), key], operation.prefix, start, STRETCH
        )
        if looked_at < STRETCH:
            return
        start += looked_at - found


async def _sweep_stream(client: Redis, operation: Enqueue) -> None:
    start = "-"
    while True:
        looked_at, _, last = await _run(
            client, scripts.SWEEP_STREAM, [_mark(operation), operation.key], operation.prefix, start, STRETCH
        )
        if looked_at < STRETCH:
            return
        start = f"({last}"


async def _run(client: Redis, script: str, keys: list[str], *arguments: str | int) -> Any:
    return await _read(client.eval(script, len(keys), *keys, *arguments))


async def _read(answer: Any) -> Any:
    # the client's methods are typed for its blocking twin, too
    return await cast("Any", answer)


def _operation(group: OutsideGroup) -> Enqueue:
    if not isinstance(group.operation, Enqueue):
        raise TypeError(f"fault {group.fault}: {type(group.operation).__name__} is not for Redis")
    return group.operation


def _mark(operation: Enqueue) -> str:
    return f"kubedrill:mark:{operation.prefix}"


def _milliseconds(record: UndoRecord) -> int:
    return int(record.deadline.timestamp() * 1000)


def _length(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)


def _unreachable(operation: Enqueue, error: Exception) -> Again:
    return Again(AFTER_OUTAGE, UNREACHABLE, f"Redis at {operation.host}:{operation.port}: {error}"[:300])

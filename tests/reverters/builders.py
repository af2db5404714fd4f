"""Operations outside the API server and their undo records, and the steps of a turn that come to their end."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from kubedrill.core.evidence.facts import Interval
from kubedrill.core.undo.operations import Announce, Enqueue
from kubedrill.core.undo.record import Again, DrillIdentity, OutsideGroup, Progress, RecordState, UndoRecord

UID = "11111111-2222-3333-4444-555555555555"
PREFIX = f"drill-{UID}-flood-"


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  the real clock, as the services have it


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def come_to_its_end(step: Callable[[], Awaitable[Progress]], within: float = 20) -> Progress:
    """A step again and again, as the turn takes it; its last answer, Done unless there is none in time."""
    deadline = time.monotonic() + within
    while isinstance(progress := await step(), Again):
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(min(progress.after.total_seconds(), 0.02))
    return progress


def jobs(port: int, **said: Any) -> Enqueue:
    """Fake jobs: very many a second, so that tests need not wait."""
    usual: Mapping[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "kind": "List",
        "key": "jobs",
        "in_flight": ("inflight:*",),
        "prefix": PREFIX,
        "count": 100,
        "rate": 1000,
        "job": {"ticket": "INC-1"},
        "redelivery": timedelta(milliseconds=150),
    }
    return Enqueue(**{**usual, **said})


def record(
    operation: Enqueue | Announce,
    *,
    state: RecordState = RecordState.INTENDED,
    ends_in: float = 60,
    age: float = 0,
    in_it: bool = False,
) -> tuple[UndoRecord, OutsideGroup]:
    """The undo record of one operation, `age` seconds old, and the operation's group in it. `in_it`: it was seen in."""
    group = OutsideGroup("flood", operation)
    intended = now() - timedelta(seconds=age)
    return UndoRecord(
        drill=DrillIdentity(UID, "night", "drills"),
        name="undo-1",
        subject="Service/redis",
        groups=(group,),
        manager="manager-1",
        deadline=now() + timedelta(seconds=ends_in),
        intended_at=intended,
        state=state,
        injected=Interval.at(intended, timedelta(seconds=1)) if in_it else None,
    ), group

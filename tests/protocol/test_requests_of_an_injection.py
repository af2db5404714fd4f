"""What an injection asks of the API server, and in how many steps; that fewer reads weaken no precondition."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from tests.protocol.small_server import DRILL, Noon, Server, injected
from tests.undo.builders import LIMIT, NOON, deployment, squeeze

from kubedrill.core.undo.pointers import put, read
from kubedrill.protocol.inject import inject
from kubedrill.protocol.outcomes import RECORD_WRITTEN, Injection


def changed_when_the_record_stands(server: Server, **fields: Any) -> Any:
    """A hook at which somebody else writes the target."""

    async def on(point: str) -> None:
        if point == RECORD_WRITTEN:
            metadata = server.target["metadata"]
            metadata["resourceVersion"] = str(int(metadata["resourceVersion"]) + 1)
            for path, value in fields.items():
                put(server.target, path, value)
                metadata["generation"] += 1

    return on


async def test_nothing_is_asked_one_after_the_other_that_can_be_asked_at_once():
    server = Server()
    assert (await injected(server)).state is Injection.INJECTED
    assert server.steps == [
        {"GET target", "GET namespace"},
        {"GET record"},
        {"PATCH target, dry run"},  # proves the read from before there was no record: no fault is taken for a value
        {"POST records"},
        {"GET drill", "GET records"},
        {"PATCH target"},
        {"PATCH record"},
    ]


async def test_a_target_that_was_written_since_it_was_planned_is_read_again_and_hit_once():
    server = Server()
    outcome = await injected(server, changed_when_the_record_stands(server))
    assert outcome.state is Injection.INJECTED
    assert server.steps[5:] == [
        {"PATCH target"},
        {"GET target"},
        {"PATCH record"},
        {"PATCH target"},
        {"PATCH record"},
    ]
    assert server.target["metadata"]["generation"] == 2
    assert read(server.target, LIMIT) == "32Mi"


async def test_a_field_that_somebody_changed_since_it_was_planned_is_left_alone():
    server = Server()
    outcome = await injected(server, changed_when_the_record_stands(server, **{LIMIT: "256Mi"}))
    assert outcome.state is Injection.UNDONE
    assert read(server.target, LIMIT) == "256Mi"


async def test_a_record_that_is_there_wins_over_what_a_new_plan_comes_to():
    server = Server()
    assert (await injected(server)).state is Injection.INJECTED
    again = await injected(server)
    assert again.state is Injection.INJECTED, "a second plan finds nothing to change; the record tells that it is in"
    assert server.target["metadata"]["generation"] == 2


async def test_the_dry_run_touches_nothing():
    server = Server()

    async def dies(point: str) -> None:
        raise ConnectionAbortedError(point)

    process = asyncio.ensure_future(
        inject(server, DRILL, {"squeeze": (squeeze(),)}, NOON + timedelta(hours=1), Noon(), on=dies)
    )
    while not process.done():
        try:
            await server.serving(process)
        except ConnectionAbortedError:
            break
    assert server.target == deployment()

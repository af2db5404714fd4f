"""What is asked at once ends at once: a look that has failed reads nothing on beside the next one.

What it reads last, by then old, would be taken for the newest; and in a test its connections are left to the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.gather.builders import a_drill, seen_of
from tests.gather.server import Server

from kubedrill.controller import before_start
from kubedrill.controller.drill_sources import DrillSources
from kubedrill.controller.gathering.own_records import OwnRecords
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.state import State
from kubedrill.kube.client import Unreachable
from kubedrill.kube.together import together
from kubedrill.store.evidence_log import Evidence

ENVIRONMENTS = "/apis/kubedrill.dev/v1alpha1/namespaces/drills/drillenvironments"


class Hanging:
    """Questions that nobody answers: how many were begun, and how many of them have ended."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []

    def of(self, name: str) -> Callable[..., Any]:
        async def asked(*_: Any, **__: Any) -> None:
            self.begun.append(name)
            try:
                await asyncio.Event().wait()
            finally:
                self.ended.append(name)

        return asked


async def test_of_several_questions_none_is_left_when_one_fails():
    hanging = Hanging()

    async def fails() -> None:
        raise Unreachable("no")

    with pytest.raises(Unreachable, match="no"):
        await together(hanging.of("one")(), fails(), hanging.of("other")())
    assert hanging.ended == hanging.begun == ["one", "other"]


async def test_whoever_ends_the_look_ends_all_that_it_asks():
    hanging = Hanging()
    looking = asyncio.create_task(together(hanging.of("one")(), hanging.of("other")()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
    assert hanging.ended == hanging.begun == ["one", "other"]


async def test_their_answers_come_in_their_order():
    async def answers(what: int, after: int) -> int:
        for _ in range(after):
            await asyncio.sleep(0)
        return what

    assert await together(answers(1, 5), answers(2, 0)) == (1, 2)


async def test_a_turn_that_can_not_read_its_environment_lists_no_records_any_more(
    server: Server, sources: DrillSources, monkeypatch: pytest.MonkeyPatch
):
    hanging = Hanging()
    monkeypatch.setattr(OwnRecords, "list_for", hanging.of("records"))
    monkeypatch.setattr(Evidence, "load", hanging.of("evidence"))
    server.refused[ENVIRONMENTS] = (403, {"message": "later"})
    with pytest.raises(Unreachable):
        await seen_of(sources, a_drill(), State())
    assert set(hanging.begun) == {"records", "evidence"}
    assert hanging.ended == hanging.begun


async def test_a_look_around_the_target_that_failed_waits_for_no_watch_any_more(
    sources: DrillSources, monkeypatch: pytest.MonkeyPatch
):
    hanging = Hanging()

    async def unreadable(*_: Any) -> None:
        raise Unreachable("a target can't be read")

    monkeypatch.setattr(before_start, "look_around", unreadable)
    monkeypatch.setattr(before_start, "_watch_or_not", hanging.of("watches"))
    with pytest.raises(Unreachable, match="a target can't be read"):
        await seen_of(sources, a_drill(), State(phase=Phase.PENDING))
    assert hanging.ended == hanging.begun

"""Whoever makes an object or removes pods dies, is killed with a write done, or stands still with it under way.

At each of its requests, with whoever comes then, and with the late request at each moment of the undo: everything ends
as it was.
The big check of the model is about fields, in which no time passes. Here it does: an undo waits for what may come late.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.examples import share_of
from tests.protocol.objects_server import KILL, MAKE, QUOTAS, Cut, Play

from kubedrill.core.undo.operations import Operation
from kubedrill.core.undo.record import RecordState
from kubedrill.kube.client import Answer
from kubedrill.protocol.outcomes import Reversal

KILLED, COMMITTED, FROZEN = "killed before it", "killed after it", "frozen with it under way"
MOMENTS = share_of(5, least=2)
"""In how many of the undo's first tries, two seconds apart, a late request may arrive."""


@dataclass(frozen=True)
class Death:
    """What happens to the first operator, at which of its requests; who comes then; when its late request arrives."""

    request: int
    how: str
    successor: bool
    removed: bool
    arrives: int = -1

    def __str__(self) -> str:
        then = "an operator" if self.successor else "the watchdog"
        late = f", which arrives at try {self.arrives}" if self.how == FROZEN else ""
        removed = ", a player removes it" if self.removed else ""
        return f"request {self.request}: {self.how}{late}{removed}, then {then}"


class Scene:
    """A play in which the first operator meets its end."""

    def __init__(self, operation: Operation, death: Death | None) -> None:
        self.play = Play(operation)
        if operation is not MAKE:
            self.play.with_pods("web-a", "web-b")
        self.death, self.asked = death, 0
        self.held: tuple[str, str, Any, dict[str, Any]] | None = None
        self.made = 0
        self.whole = self.play.server.call
        self.play.server.call = self._call  # type: ignore[method-assign]

    async def _call(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        number, self.asked = self.asked, self.asked + 1
        if self.death is None or number != self.death.request:
            return await self._done(method, path, body, **more)
        if self.death.how == COMMITTED:
            await self._done(method, path, body, **more)
        if self.death.how == FROZEN:
            self.held = (method, path, body, more)
        raise Cut

    async def _done(self, method: str, path: str, body: Any, **more: Any) -> Answer:
        answer = await self.whole(method, path, body, **more)
        if (
            answer.ok
            and method == "POST"
            and path == QUOTAS.of("shop")
            and ("dryRun", "All") not in more.get("query", ())
        ):
            self.made += 1
            open_records = [one for one in await self.play.records() if one.record.state is not RecordState.REVERTED]
            assert open_records, "the quota is made, and no undo of it is stored"
        return answer

    async def late(self) -> None:
        """The request that was under way arrives."""
        if self.held is not None:
            (method, path, body, more), self.held = self.held, None
            await self._done(method, path, body, **more)

    async def goes(self) -> None:
        """The first operator, whoever comes after it, and the undo to its end."""
        try:
            await self.play.inject()
        except Cut:
            self.death, death = None, self.death
        else:
            death = self.death
        assert death is not None
        if death.removed and self.play.quota is not None:
            self.play.server.drop(f"{QUOTAS.of('shop')}/limits")
        if death.successor:
            await self.play.inject()
        for number in range(90):
            if number == death.arrives:
                await self.late()
            still_open = [one for one in await self.play.records() if one.record.state is not RecordState.REVERTED]
            if not still_open and self.held is None:
                break  # nobody has anything left to do, and nothing is under way
            for _ in still_open:
                outcome = await self.play.revert("Watchdog")
                assert outcome.state in (Reversal.REVERTED, Reversal.RETRY), outcome
            self.play.clock.goes_on(2)
        await self.late()


def deaths(requests: int) -> Iterator[Death]:
    for request, successor, removed in itertools.product(range(requests), (True, False), (True, False)):
        yield Death(request, KILLED, successor, removed)
        yield Death(request, COMMITTED, successor, removed)
        yield from (Death(request, FROZEN, successor, removed, at) for at in range(MOMENTS))


def requests_of(operation: Operation) -> int:
    """How many requests an injection has in which nobody dies."""
    scene = Scene(operation, None)
    asyncio.run(scene.play.inject())
    return scene.asked


async def ended(operation: Operation, death: Death) -> Scene:
    scene = Scene(operation, death)
    await scene.goes()
    still_open = [
        one.record.state for one in await scene.play.records() if one.record.state is not RecordState.REVERTED
    ]
    assert still_open == [], death
    return scene


async def test_an_object_is_made_once_and_gone_at_the_end():
    number = 0
    for death in deaths(await asyncio.to_thread(requests_of, MAKE)):
        number += 1
        scene = await ended(MAKE, death)
        assert scene.play.quota is None, death
        assert scene.made <= (2 if death.how == FROZEN else 1), death
    assert number >= 6 * 4 * (2 + MOMENTS)  # requests, who comes then and who else is there, ways to die


async def test_only_the_pods_that_were_recorded_go_and_each_once():
    for death in deaths(await asyncio.to_thread(requests_of, KILL)):
        scene = await ended(KILL, death)
        removed = [p for _, kind, p, _ in scene.play.server.history if kind == "DELETED" and "/pods/" in p]
        assert len(removed) <= 1, death
        assert "/pods/web-b" not in str(removed), death


@pytest.mark.parametrize("operation", [MAKE, KILL], ids=["made", "removed"])
async def test_where_nobody_dies_the_undo_ends_within_seconds(operation: Operation):
    scene = Scene(operation, None)
    await scene.play.inject()
    scene.play.clock.goes_on(6)
    assert (await scene.play.revert()).state is Reversal.REVERTED

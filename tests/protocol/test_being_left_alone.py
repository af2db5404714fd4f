"""An API server that asks to be left alone (429 with Retry-After) is obeyed, within bounds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from tests.undo.builders import UNDO
from tests.wire import connected_to

from kubedrill.kube.client import Kube
from kubedrill.protocol.outcomes import Reversal, RevertOutcome
from kubedrill.protocol.revert import LATER, LONGEST_RETRY_AFTER, revert
from kubedrill.store.undo_records import RecordRef


class Noon:
    """A clock that stands."""

    error = timedelta(0)

    def now(self) -> datetime:
        return datetime(2026, 3, 1, 12, tzinfo=UTC)


@asynccontextmanager
async def answering(handler: Callable[[], web.Response]) -> AsyncIterator[Kube]:
    """An API server that answers the same to everything."""

    async def answer(_request: web.Request) -> web.Response:
        return handler()

    async with connected_to(answer) as kube:
        yield kube


async def reverted_at(headers: dict[str, str], status: int = 429) -> RevertOutcome:
    body = {"kind": "Status", "reason": "TooManyRequests", "message": "too many"}
    async with answering(lambda: web.json_response(body, status=status, headers=headers)) as kube:
        return await revert(kube, RecordRef("drills", UNDO), "Operator", Noon())


async def test_it_says_for_how_long():
    outcome = await reverted_at({"Retry-After": "17"})
    assert (outcome.state, outcome.reason, outcome.after) == (Reversal.RETRY, "ServerBusy", timedelta(seconds=17))


async def test_it_can_not_hold_a_revert_up_for_ever():
    assert (await reverted_at({"Retry-After": "86400"})).after == LONGEST_RETRY_AFTER


@pytest.mark.parametrize("said", ["", "Wed, 21 Oct 2026 07:28:00 GMT", "-5", "1e3", "9" * 40])
async def test_what_is_no_number_of_seconds_says_nothing(said):
    assert (await reverted_at({"Retry-After": said} if said else {})).after == LATER


async def test_another_outage_may_ask_for_it_too():
    assert (await reverted_at({"Retry-After": "9"}, status=503)).after == timedelta(seconds=9)

"""A webhook that answers 409 or 404 to the status says no: the turn has failed, and what must be put back is.

It was taken for somebody else's change of the Drill: the turn never was, came again at once, and a stop went unheard
for as long as the webhook stood.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from tests.faultmatrix.refusals import Refused, refusal
from tests.giving_up.lab import Lab, standing

from kubedrill.controller.worker import RESCUED_AFTER

KINDS = ("webhook-404", "webhook-409", "webhook-422", "policy-422", "webhook-timeout")


@pytest.fixture
async def lab(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lab]:
    async with standing(monkeypatch) as lab:
        lab.in_play()
        yield lab


@pytest.mark.parametrize("kind", KINDS)
async def test_a_stop_puts_back_while_it_is_refused_and_ends_when_it_is_not(lab: Lab, kind: str):
    said = refusal(kind, Refused("drills", "storm", "kubedrill.dev"))
    lab.cluster.no_status = web.json_response(said, status=said["code"])
    lab.wanted("Stop")

    await lab.goes_on(60)

    assert lab.limit == "128Mi"
    assert lab.task.failures > RESCUED_AFTER
    lab.cluster.no_status = None
    await lab.goes_on(60)
    lab.assert_put_back_and_ended("Stopped", "Stopped")


async def test_another_writer_is_no_failure_and_nothing_is_acted_upon(lab: Lab):
    said = {"reason": "Conflict", "message": "the object has been modified; please apply your changes to the latest"}
    lab.cluster.no_status = web.json_response(said, status=409)
    lab.wanted("Stop")

    await lab.goes_on(5)

    assert (lab.limit, lab.task.failures) == ("32Mi", 0)

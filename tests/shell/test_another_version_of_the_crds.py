"""Operator and CRDs are upgraded one after the other, in any order, while a drill is on."""

from __future__ import annotations

import copy
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from aiohttp import web
from tests.wire import connected_to

from kubedrill.controller.status_writer import StatusRefused, StatusWriter
from kubedrill.kube.client import Kube


class Drills:
    """A Drill at an API server whose CRD knows only some fields of the status."""

    def __init__(self, known: set[str]) -> None:
        self.known, self.writes, self.version = known, 0, 7
        self.drill: dict[str, Any] = {"metadata": {"namespace": "drills", "name": "storm", "resourceVersion": "7"}}

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        unknown = set(body["status"]) - self.known
        if unknown and request.query["fieldValidation"] == "Strict":
            return web.json_response({"message": "strict decoding error: unknown field"}, status=400)
        if body["metadata"]["resourceVersion"] != str(self.version):
            return web.json_response({"reason": "Conflict"}, status=409)
        self.writes, self.version = self.writes + 1, self.version + 1
        self.drill["metadata"]["resourceVersion"] = str(self.version)
        self.drill["status"] = {k: pruned(v) for k, v in body["status"].items() if k in self.known}
        return web.json_response(self.drill)

    def read(self) -> dict[str, Any]:
        """What the next turn reads."""
        return copy.deepcopy(self.drill)


def pruned(value: Any) -> Any:
    """Without what this CRD does not know inside lists."""
    if isinstance(value, Mapping):
        return {k: pruned(v) for k, v in value.items() if k != "new"}
    return [pruned(one) for one in value] if isinstance(value, list) else value


@pytest.fixture
async def older() -> AsyncIterator[tuple[Drills, Kube]]:
    drills = Drills({"phase", "faults"})
    async with connected_to(drills.answer) as kube:
        yield drills, kube


STATUS: dict[str, Any] = {"phase": "Armed", "workloads": [{"ready": 1}], "faults": [{"name": "limit", "new": 1}]}


async def test_fields_that_an_older_crd_does_not_know_are_left_out_and_said_once(older, caplog):
    drills, kube = older
    writer = StatusWriter(kube)
    with caplog.at_level(logging.WARNING):
        assert await writer.write(drills.read(), dict(STATUS))
        assert await writer.write(drills.read(), STATUS | {"phase": "InPlay"})
    assert drills.drill["status"]["phase"] == "InPlay"
    assert [r.getMessage() for r in caplog.records] == [
        "drill storm: the installed CRD does not know status fields faults[].new, workloads: apply this version's"
    ]


async def test_what_is_left_out_is_not_written_again_at_every_turn(older):
    drills, kube = older
    writer = StatusWriter(kube)
    for _ in range(5):
        assert await writer.write(drills.read(), dict(STATUS))
    assert drills.writes == 1


async def test_what_somebody_else_took_out_of_the_status_is_written_again(older):
    drills, kube = older
    writer = StatusWriter(kube)
    await writer.write(drills.read(), dict(STATUS))
    del drills.drill["status"]["phase"]
    await writer.write(drills.read(), dict(STATUS))
    assert drills.drill["status"]["phase"] == "Armed"


async def test_once_the_crd_is_upgraded_the_fields_come_with_the_next_write(older):
    drills, kube = older
    writer = StatusWriter(kube)
    await writer.write(drills.read(), dict(STATUS))
    drills.known |= {"workloads"}
    await writer.write(drills.read(), STATUS | {"phase": "InPlay"})
    assert drills.drill["status"]["workloads"] == [{"ready": 1}]


async def test_a_drill_that_has_changed_since_it_was_read_is_not_written(older):
    drills, kube = older
    read = drills.read()
    drills.version += 1
    assert not await StatusWriter(kube).write(read, dict(STATUS))
    assert drills.writes == 0


async def test_a_status_that_is_refused_is_told_with_the_servers_words():
    async def refuse(_: web.Request) -> web.Response:
        return web.json_response({"message": "it is too long"}, status=413)

    async with connected_to(refuse) as kube:
        with pytest.raises(StatusRefused, match="it is too long") as refused:
            await StatusWriter(kube).write(Drills(set()).read(), dict(STATUS))
    assert refused.value.for_good

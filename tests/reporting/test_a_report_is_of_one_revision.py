"""Whoever reads a report reads parts of one revision, however many write it, and wherever one of them dies."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from tests.gather.server import Server, merge
from tests.wire import connected_to

from kubedrill.kube.client import Kube
from kubedrill.store import reports
from kubedrill.store.reports import store_report

MAPS = "/api/v1/namespaces/drills/configmaps"
REPORTS = "/apis/kubedrill.dev/v1alpha1/namespaces/drills/drillreports"
REPORT = f"{REPORTS}/storm-d1"
EARLIER = ("storm-d1-0", "storm-d1-1")
"""As they were named when a new revision was written over the last one's parts."""


class Watched(Server):
    """Is read by somebody after each write; `meanwhile` happens once, before the DrillReport comes to name parts."""

    def __init__(self) -> None:
        super().__init__()
        self.read: set[str] = set()
        self.meanwhile: Any = None

    async def answer(self, request: web.Request) -> web.Response:
        if request.method == "PATCH" and request.path == REPORT and self.meanwhile:
            then, self.meanwhile = self.meanwhile, None
            await then()
        answer = await super().answer(request)
        if self.names:
            self.read.add(self.record)
        return answer

    @property
    def names(self) -> list[str]:
        return list(self.objects.get(REPORT, {}).get("spec", {}).get("record", ()))

    @property
    def record(self) -> str:
        """What a reader puts together now; a part that is not there is an error."""
        return "".join(self.objects[f"{MAPS}/{name}"]["data"]["record"] for name in self.names)

    @property
    def parts(self) -> set[str]:
        return {path.rpartition("/")[2] for path in self.objects if path.startswith(MAPS)}


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "PART_CHARACTERS", 3)


@pytest.fixture
def server() -> Watched:
    return Watched()


@pytest.fixture
async def kube(server: Watched) -> AsyncIterator[Kube]:
    async with connected_to(server.answer) as connection:
        yield connection


async def stored(kube: Kube, text: str, revision: int = 1) -> bool:
    report = {"metadata": {"name": "storm-d1"}, "spec": {"drill": "storm", "headline": text}}
    return await store_report(kube, "drills", report, text, {"revision": str(revision)})


async def test_a_reader_sees_one_revision_or_the_other(server, kube):
    assert await stored(kube, "aaaaaaaa")
    assert await stored(kube, "bbbbb", 2)
    assert server.read == {"aaaaaaaa", "bbbbb"}


async def test_parts_that_were_replaced_are_removed(server, kube):
    await stored(kube, "aaaaaaaa")
    await stored(kube, "bbbbb", 2)
    assert server.parts == set(server.names)
    assert len(server.names) == 2


async def test_of_two_operators_the_one_that_was_overtaken_names_nothing_and_leaves_nothing(server, kube):
    await stored(kube, "aaaaaaaa")

    async def other() -> None:
        assert await stored(kube, "ccc", 2)

    server.meanwhile = other
    assert not await stored(kube, "bbbbb", 2)
    assert (server.record, server.objects[REPORT]["spec"]["headline"]) == ("ccc", "ccc")
    assert server.read == {"aaaaaaaa", "ccc"}
    assert server.parts == set(server.names)


async def test_two_that_write_the_very_same_leave_it_there(server, kube):
    await stored(kube, "aaaaaaaa")

    async def other() -> None:
        assert await stored(kube, "bbbbb", 2)

    server.meanwhile = other
    assert not await stored(kube, "bbbbb", 2)
    assert server.record == "bbbbb"


async def test_one_whose_last_write_was_refused_is_as_it_was_and_the_next_try_goes_on(server, kube):
    await stored(kube, "aaaaaaaa")

    async def refuse() -> None:
        server.refused[REPORT] = (403, {"message": "not now"})

    server.meanwhile = refuse
    assert not await stored(kube, "bbbbb", 2)
    assert server.record == "aaaaaaaa"
    server.refused.clear()
    assert await stored(kube, "bbbbb", 2)
    assert server.parts == set(server.names)


async def test_what_an_earlier_version_stored_is_replaced_and_removed(server, kube):
    await stored(kube, "ddddd")
    for new, old in zip(server.names, EARLIER, strict=True):
        server.objects[f"{MAPS}/{old}"] = server.objects.pop(f"{MAPS}/{new}")
        server.objects[f"{MAPS}/{old}"]["metadata"] |= {"name": old}
    server.objects[REPORT]["spec"]["record"] = list(EARLIER)
    assert await stored(kube, "bbbbb", 2)
    assert server.record == "bbbbb"
    assert server.parts == set(server.names)


@pytest.mark.parametrize("changed", [{"labels": {"kubedrill.dev/evidence": "facts"}}, {"ownerReferences": []}])
async def test_a_config_map_that_is_no_part_of_it_stays_whoever_named_it_there(server, kube, changed: dict[str, Any]):
    await stored(kube, "aaa")
    (name,) = server.names
    merge(server.objects[f"{MAPS}/{name}"]["metadata"], json.loads(json.dumps(changed)))
    await stored(kube, "bbb", 2)
    assert f"{MAPS}/{name}" in server.objects


async def test_parts_that_may_not_be_removed_hold_up_nothing(server, kube):
    await stored(kube, "aaa")
    (name,) = server.names

    async def refuse() -> None:
        server.refused[f"{MAPS}/{name}"] = (403, {"message": "no"})

    server.meanwhile = refuse
    assert await stored(kube, "bbb", 2)
    assert server.record == "bbb"

"""A plan is stored under a name that says what it is, never overwritten, and never taken for gone when it is not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from tests.measure.builders import drill_plan
from tests.plan.builders import largest
from tests.watchdog.wire import Cluster
from tests.wire import connected_to

from kubedrill.core.plan.codec import PLAN_BYTES, UnreadablePlan, plan_to_json
from kubedrill.core.undo.record import DrillIdentity
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.store.plans import PlanGone, PlanRefused, plan_name, read_plan, store_plan

DRILL = DrillIdentity("d1d1d1d1-0000", "storm", "drills")
CONFIG_MAPS = "/api/v1/namespaces/drills/configmaps"


class ConfigMaps(Cluster):
    """Refuses a second ConfigMap of one name, as the real one does; `answers` says what it answers instead."""

    def __init__(self) -> None:
        super().__init__()
        self.instead: dict[str, web.Response] = {}

    def _stored(self, method: str, path: str, body: object) -> web.Response:
        if method in self.instead:
            return self.instead[method]
        if method == "POST" and f"{path}/{body['metadata']['name']}" in self.objects:  # type: ignore[index]
            return web.json_response({"reason": "AlreadyExists", "message": "already exists"}, status=409)
        return super()._stored(method, path, body)

    def of(self, digest: str) -> str:
        return f"{CONFIG_MAPS}/{plan_name(DRILL, digest)}"


@pytest.fixture
def server() -> ConfigMaps:
    return ConfigMaps()


@pytest.fixture
async def kube(server: ConfigMaps) -> AsyncIterator[Kube]:
    async with connected_to(server.answer) as kube:
        yield kube


async def test_a_stored_plan_is_read_by_its_digest(kube: Kube):
    digest = await store_plan(kube, DRILL, drill_plan())
    assert await read_plan(kube, DRILL, digest) == drill_plan()


async def test_it_is_immutable_and_goes_with_its_drill(kube: Kube, server: ConfigMaps):
    digest = await store_plan(kube, DRILL, drill_plan())
    stored = server.objects[server.of(digest)]
    assert stored["immutable"] is True
    assert [owner["uid"] for owner in stored["metadata"]["ownerReferences"]] == [DRILL.uid]
    assert stored["metadata"]["name"] == f"storm-d1d1d1d1-plan-{digest[:12]}"


async def test_storing_it_again_changes_nothing(kube: Kube, server: ConfigMaps):
    first = await store_plan(kube, DRILL, drill_plan())
    before = server.objects[server.of(first)]["metadata"]["resourceVersion"]
    assert await store_plan(kube, DRILL, drill_plan()) == first
    assert server.objects[server.of(first)]["metadata"]["resourceVersion"] == before


async def test_another_plan_of_the_same_drill_takes_nothing_away(kube: Kube):
    first = await store_plan(kube, DRILL, drill_plan())
    second = await store_plan(kube, DRILL, drill_plan(pace=2))
    assert (await read_plan(kube, DRILL, first)).pace == 1
    assert (await read_plan(kube, DRILL, second)).pace == 2


async def test_what_somebody_has_put_under_its_name_is_neither_taken_for_it_nor_overwritten(
    kube: Kube, server: ConfigMaps
):
    digest = await store_plan(kube, DRILL, drill_plan())
    theirs = {"metadata": {"name": plan_name(DRILL, digest)}, "data": {"plan": plan_to_json(drill_plan(pace=60))}}
    server.put(server.of(digest), theirs)
    with pytest.raises(PlanRefused, match="something else is called storm-d1d1d1d1-plan-"):
        await store_plan(kube, DRILL, drill_plan())
    with pytest.raises(UnreadablePlan, match="is not what the drill has committed to"):
        await read_plan(kube, DRILL, digest)
    assert server.objects[server.of(digest)] == theirs


@pytest.mark.parametrize("data", [None, {}, {"plan": ""}, {"other": "x"}])
async def test_one_that_was_emptied_is_unreadable(kube: Kube, server: ConfigMaps, data: object):
    digest = await store_plan(kube, DRILL, drill_plan())
    server.put(server.of(digest), {"metadata": {"name": plan_name(DRILL, digest)}, "data": data})
    with pytest.raises(UnreadablePlan):
        await read_plan(kube, DRILL, digest)


async def test_gone_is_a_live_404_of_this_very_object(kube: Kube, server: ConfigMaps):
    digest = await store_plan(kube, DRILL, drill_plan())
    del server.objects[server.of(digest)]
    with pytest.raises(PlanGone):
        await read_plan(kube, DRILL, digest)


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
async def test_any_other_answer_tells_nothing(kube: Kube, server: ConfigMaps, status: int):
    digest = await store_plan(kube, DRILL, drill_plan())
    server.instead["GET"] = web.json_response({"message": "no"}, status=status)
    with pytest.raises(Unreachable):
        await read_plan(kube, DRILL, digest)


@pytest.mark.parametrize(("status", "for_good"), [(403, False), (500, False), (413, True)])
async def test_a_refusal_says_whether_it_is_for_good(kube: Kube, server: ConfigMaps, status: int, for_good: bool):
    server.instead["POST"] = web.json_response({"message": "no"}, status=status)
    with pytest.raises(PlanRefused) as refused:
        await store_plan(kube, DRILL, drill_plan())
    assert refused.value.for_good is for_good


async def test_the_largest_drill_of_plain_letters_is_stored(kube: Kube, server: ConfigMaps):
    digest = await store_plan(kube, DRILL, largest())
    assert len(server.objects[server.of(digest)]["data"]["plan"].encode()) < PLAN_BYTES


async def test_one_that_is_too_long_is_refused_for_good_before_it_is_sent(kube: Kube, server: ConfigMaps):
    with pytest.raises(PlanRefused, match="1000000 are stored at the most") as refused:
        await store_plan(kube, DRILL, largest("😀"))
    assert refused.value.for_good
    assert server.writes == []

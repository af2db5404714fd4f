"""Environments and rosters are read where the drill is; what could not be read is not missing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.environments.builders import NAMESPACE, drill_spec, environment, roster
from tests.gather.server import Server
from tests.wire import connected_to

from kubedrill.core.plan.setting import DrillSetting, alone
from kubedrill.core.undo.operations import Refusal
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.store.environments import setting_beside

GROUP = "/apis/kubedrill.dev/v1alpha1/namespaces/drills"
ENVIRONMENTS, ROSTERS = f"{GROUP}/drillenvironments", f"{GROUP}/drillrosters"


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def kube(server: Server) -> AsyncIterator[Kube]:
    async with connected_to(server.answer) as connection:
        yield connection


async def test_they_are_read_beside_the_drill(server, kube):
    server.objects[f"{ENVIRONMENTS}/shop"] = environment("shop").to_wire()
    server.objects[f"{ROSTERS}/people"] = roster("people", {"name": "alice", "role": "L1"}).to_wire()
    found = await setting_beside(kube, "drills", drill_spec({"name": "alice"}))

    assert isinstance(found, DrillSetting)
    assert (found.environment, found.roster) == ("shop", "people")
    assert sorted(server.asked) == [f"GET {ENVIRONMENTS}", f"GET {ROSTERS}"]


async def test_where_the_kinds_are_not_installed_yet_there_are_none(server, kube):
    server.refused |= {ENVIRONMENTS: (404, {}), ROSTERS: (404, {})}

    assert await setting_beside(kube, "drills", drill_spec()) == alone(drill_spec())


@pytest.mark.parametrize("path", [ENVIRONMENTS, ROSTERS])
@pytest.mark.parametrize("status", [403, 500])
async def test_what_could_not_be_read_is_not_missing(server, kube, path, status):
    server.refused[path] = (status, {"message": "later"})

    with pytest.raises(Unreachable, match=f"can't be read: {status} later"):
        await setting_beside(kube, "drills", drill_spec())


async def test_a_field_of_a_later_version_is_passed_over(server, kube):
    later = environment("shop").to_wire()
    later["spec"] |= {"quietHours": "08:00-18:00"}
    server.objects[f"{ENVIRONMENTS}/shop"] = later

    assert isinstance(await setting_beside(kube, "drills", drill_spec()), DrillSetting)


async def test_one_that_cannot_be_understood_is_refused_by_its_name_and_place(server, kube):
    server.objects[f"{ENVIRONMENTS}/shop"] = {"metadata": {"name": "shop"}, "spec": {"targetNamespaces": []}}
    found = await setting_beside(kube, "drills", drill_spec())

    assert isinstance(found, Refusal)
    assert found.reason == "EnvironmentInvalid"
    assert found.message.startswith("DrillEnvironment shop: spec.targetNamespaces: ")


async def test_one_that_is_given_stands_for_the_stored_one_of_its_name(server, kube):
    server.objects[f"{ENVIRONMENTS}/shop"] = environment("shop", "elsewhere").to_wire()
    found = await setting_beside(kube, "drills", drill_spec(), environment("shop", NAMESPACE))

    assert isinstance(found, DrillSetting)
    assert found.environment == "shop"

"""Two environments that list one namespace: a drill on it ends before anybody is asked, whoever wrote the second."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from tests.environments.builders import environment
from tests.giving_up.lab import Lab
from tests.shell.test_what_is_played_is_what_was_checked import lab, phase_of  # noqa: F401  a drill that could start

from kubedrill.core.machine.phases import Phase

ENVIRONMENTS = "/apis/kubedrill.dev/v1alpha1/namespaces/drills/drillenvironments"
TOLD = "several DrillEnvironments (billing, shop) list namespace shop: take it out of all but one"


class Stage:
    """The drill on namespace shop, beside its environment and another one."""

    def __init__(self, lab: Lab) -> None:  # noqa: F811
        self.lab, self.asked = lab, list[str]()
        self._others = lab.cluster.answering
        self._environments: list[dict[str, Any]] = []
        lab.cluster.answering = self._answering

    def _answering(self, request: web.Request) -> web.Response | None:
        self.asked.append(f"{request.method} {request.path}")
        if request.path == ENVIRONMENTS:
            return web.json_response({"items": self._environments})
        return self._others(request)

    def beside_one_for(self, *targets: str) -> None:
        self._environments = [environment("shop", "shop").to_wire(), environment("billing", *targets).to_wire()]

    async def turns(self, number: int) -> Phase:
        for _ in range(number):
            await self.lab.task._turn()
        return phase_of(self.lab)

    @property
    def stored_for_it(self) -> list[str]:
        """What was made in its control namespace."""
        return [one for one in self.asked if one.startswith("POST /api/v1/namespaces/drills/")]


@pytest.fixture
def stage(lab: Lab) -> Stage:  # noqa: F811
    return Stage(lab)


async def test_the_drill_ends_with_the_names_of_both_and_nothing_is_stored_for_it(stage: Stage):
    stage.beside_one_for("billing", "shop")
    assert await stage.turns(2) is Phase.ABORTED
    status = stage.lab.cluster.status
    (accepted,) = [c for c in status["conditions"] if c["type"] == "Accepted"]
    assert (accepted["status"], accepted["reason"], accepted["message"]) == ("False", "EnvironmentAmbiguous", TOLD)
    assert TOLD in status["message"]
    assert not stage.stored_for_it


async def test_one_for_other_namespaces_is_in_no_drills_way(stage: Stage):
    stage.beside_one_for("billing", "shop-qa")
    assert await stage.turns(2) is Phase.ARMED, stage.lab.cluster.status["message"]
    assert stage.stored_for_it


async def test_one_that_comes_once_the_drill_has_started_is_not_heard(stage: Stage):
    stage.beside_one_for("billing")
    assert await stage.turns(2) is Phase.ARMED, stage.lab.cluster.status["message"]
    stage.beside_one_for("shop")
    assert await stage.turns(1) is Phase.ARMED, stage.lab.cluster.status["message"]

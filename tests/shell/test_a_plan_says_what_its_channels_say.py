"""Of a drill that is only planned the operator looks at the channels to people: it has the way in to Alertmanager."""

from __future__ import annotations

from typing import Any

import pytest
from tests.access.builders import SECRETS, Door, basic, client_of, opened, secret
from tests.environments.builders import drill_spec, environment, settled
from tests.gather.server import Server
from tests.machine.world import World
from tests.wire import connected_to

from kubedrill.controller.rehearsal import looked_into
from kubedrill.core.machine.state import Observation
from kubedrill.core.plan.derive import derive
from kubedrill.plugins.faults.of_drill import profile

HOOK = "http://kubedrill.drills.svc:8080/alertmanager/shop-staging"
TOLD = {"config": {"original": f"receivers: [{{webhook_configs: [{{url: {HOOK}}}]}}]"}}
BEHIND = {"service": {"namespace": "monitoring", "name": "alertmanager", "port": 9093}, "credentials": "am"}
PASSWORD = "pl4nted"  # noqa: S105  what no status may hold
KEY = secret(host="alertmanager.monitoring.svc", username="drill", password=PASSWORD)


def planned() -> Observation:
    """What is seen of a drill whose Alertmanager is behind a password."""
    spec = drill_spec()
    assert spec.scenario is not None
    setting = settled(spec, environment(alertmanager=BEHIND))
    return World().look(drill_plan=derive(spec, spec.scenario, profile, setting=setting))


async def looked(door: Door, *keys: dict[str, Any]) -> Any:
    server = Server()
    server.objects |= {f"{SECRETS}/am": key for key in keys}
    async with opened(door), connected_to(server.answer) as kube, client_of(kube, door) as web:
        seen = await looked_into(planned(), web)
    (check,) = [one for one in seen.channels if one.name == "alertmanager"]
    assert seen.checks == planned().checks, "it keeps no drill from starting"
    assert PASSWORD not in repr(seen)
    return check


async def test_it_asks_with_the_credentials_that_the_environment_names():
    door = Door(lets_in=basic("drill", PASSWORD), answer=TOLD)
    check = await looked(door, KEY)
    assert check.ok is True
    assert [path for path, _ in door.asked] == ["/api/v2/status"]


async def test_where_it_is_not_let_in_it_is_not_known_whether_anybody_is_told():
    check = await looked(Door(lets_in="Bearer another", answer=TOLD), KEY)
    assert (check.ok, check.reason) == (None, "AlertmanagerUnreachable")
    assert (
        "alertmanager.monitoring:9093 answers 401: it does not take the credentials of Secret drills/am"
        in check.message
    )
    assert check.message.endswith("Where it answers is said in spec.alertmanager of DrillEnvironment shop")


async def test_without_the_secret_it_is_said_that_it_is_missing():
    check = await looked(Door(answer=TOLD))
    assert check.ok is None
    assert "is not asked: Secret drills/am is not there" in check.message


async def test_where_nobody_is_told_it_is_said_how_to_have_it():
    check = await looked(Door(answer={"config": {"original": "receivers: []"}}), KEY)
    assert (check.ok, check.reason) == (False, "NoRoute")
    assert "give Alertmanager a receiver with a webhook to the operator's Service" in check.message


@pytest.mark.parametrize("answer", [[], {"config": "x"}, None])
async def test_an_answer_that_makes_no_sense_is_said_to_be_none(answer):
    assert (await looked(Door(answer=answer), KEY)).ok is not True

"""Real servers behind each door: the operator asks, an alert is fired and resolved; without a key it says why not."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio
from tests.integration.access.doors import DOORS, HOSTS, PORTS, Operator, Site, behind
from tests.reverters.builders import come_to_its_end, now, record

from kubedrill.controller.http_client import Turn
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.core.undo.operations import Announce
from kubedrill.core.undo.record import Again, Done
from kubedrill.plugins.operations.alertmanager import AnnouncedAlerts
from kubedrill.plugins.ways_in import ways_in

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=DOORS)
async def site(request, tmp_path_factory):
    """The servers behind one door, once for all tests."""
    async with behind(DOORS[request.param], tmp_path_factory.mktemp("site")) as one:
        yield one


def watchdogs(site: Site) -> AnnouncedAlerts:
    """As operator and watchdog undo: it knows nothing but the record and the Secrets."""
    return AnnouncedAlerts(now, ways_in(site.kube), lambda *_: f"127.0.0.1:{site.ports['alertmanager']}")


async def listed(operator: Operator, plan: DrillPlan) -> list[dict[str, Any]]:
    answer = await operator.client.fetch(plan.alertmanager, "/api/v2/alerts", [], lambda said: said, Turn())
    return [alert["labels"] for alert in answer]


async def test_the_operator_asks_both(site):
    async with site.asking() as operator:
        probe = await operator.comes_in(site.plan())
    assert probe.reachable
    assert set(probe.rules) == {"High"}


async def test_an_alert_is_fired_and_whoever_has_the_record_resolves_it(site):
    plan, labels = site.plan(), {"alertname": "Down", "event": "e"}
    operation = Announce(
        HOSTS["alertmanager"], PORTS["alertmanager"], labels, {}, "monitoring", plan.alertmanager.access
    )
    async with site.asking() as operator:
        await operator.comes_in(plan)
        assert await watchdogs(site).prepare(operation) is None
        assert isinstance(await watchdogs(site).inject(*record(operation)), Again)
        assert await listed(operator, plan) == [labels]
        undone = await come_to_its_end(lambda: watchdogs(site).revert(*record(operation)))
        assert undone == Done("Down is resolved")
        assert await listed(operator, plan) == []


async def test_asked_plainly_it_says_what_is_missing(site):
    async with site.asking() as operator:
        await operator.comes_in(site.plan())
        probe = await operator.probe(site.plan(tenant={"name": "nobody"}))
    assert not probe.reachable
    assert probe.error.startswith(f"prometheus.monitoring:9090 {site.door.without}")
    assert probe.alertmanager_error.startswith(f"alertmanager.monitoring:9093 {site.door.without}")

"""Where a name leads is looked at before anything is sent: no stranger's Service makes the operator ask anybody."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from tests.access.builders import HOST, SECRETS, asked, endpoint, secret
from tests.environments.builders import drill_spec, environment, settled
from tests.reverters.builders import now, record

from kubedrill.controller.http_client import Room, WebClient
from kubedrill.core.plan.derive import derive
from kubedrill.core.plan.setting import out_of_reach
from kubedrill.core.undo.operations import Announce
from kubedrill.core.undo.record import UNREACHABLE, Again
from kubedrill.kube import addresses
from kubedrill.kube.addresses import WrongAddress, demand_addresses
from kubedrill.kube.client import Unreachable
from kubedrill.plugins.faults.of_drill import profile
from kubedrill.plugins.operations.alertmanager import AnnouncedAlerts
from kubedrill.plugins.ways_in import ways_in

ONE = "a-token"
FORBIDDEN = {
    "127.0.0.1": "loopback",
    "127.8.8.8": "loopback",
    "0.0.0.0": "loopback",  # noqa: S104  nobody listens
    "::1": "loopback",
    "::ffff:127.0.0.1": "loopback",
    "169.254.169.254": "link-local",
    "::ffff:169.254.169.254": "link-local",
    "fe80::1%eth0": "link-local",
    "224.0.0.1": "link-local",
    "fd00:ec2::254": "metadata",
    "100.100.100.200": "metadata",
    "168.63.129.16": "metadata",
}


@pytest.mark.parametrize("address", FORBIDDEN)
def test_no_monitoring_is_at_such_an_address(address):
    with pytest.raises(WrongAddress, match=f"has a {FORBIDDEN[address]} address"):
        demand_addresses(HOST, HOST, ["10.0.0.1", address])


@pytest.mark.parametrize("address", ["10.96.0.10", "192.168.1.4", "fd12:3456::1", "203.0.113.9"])
def test_any_other_address_may_be_monitorings(address):
    demand_addresses(HOST, f"{HOST}.cluster.local", [address])


@pytest.mark.parametrize("canonical", [HOST, f"{HOST}.cluster.local", f"{HOST}.cluster.local.", "", HOST.upper()])
def test_a_service_has_its_own_name(canonical):
    demand_addresses(HOST, canonical, ["10.0.0.1"])


@pytest.mark.parametrize(
    "canonical", ["evil.example.com", "prometheus.victim.svc.cluster.local", f"{HOST}x.example.com"]
)
def test_f21_a_service_whose_name_is_another_is_of_type_external_name(canonical):
    with pytest.raises(WrongAddress, match="ExternalName, which is not followed"):
        demand_addresses(HOST, canonical, ["10.0.0.1"])


def test_a_host_outside_may_have_aliases():
    demand_addresses("prometheus.example.com", "lb-7.example.net", ["203.0.113.9"])


@pytest.fixture
def leading_to(monkeypatch: pytest.MonkeyPatch) -> Any:
    def lead(canonical: str, address: str) -> None:
        async def found(*_: Any) -> Any:
            return canonical, [(socket.AF_INET, address)]

        monkeypatch.setattr(addresses, "looked_up", found)

    return lead


@pytest.mark.parametrize(
    ("canonical", "address", "why"),
    [
        (HOST, "127.0.0.1", "has a loopback address, where no monitoring is: it is not asked"),
        ("evil.example.com", "127.0.0.1", "leads out of its namespace: it is a Service of type ExternalName"),
    ],
)
async def test_nothing_is_sent_there(kube, door, server, leading_to, canonical, address, why):
    leading_to(canonical, address)
    server.objects[f"{SECRETS}/prometheus"] = secret(token=ONE)
    client = WebClient(lambda e: f"http://{e.host}:{door.port}", room=Room(), ways=ways_in(kube))
    with pytest.raises(Unreachable, match=f"^prometheus.monitoring:9090 {why}"):
        await asked(client, endpoint(credentials="prometheus"))
    await client.close()
    assert door.asked == []


async def test_no_alert_is_posted_there(door, leading_to):
    leading_to("evil.example.com", "127.0.0.1")
    undo, group = record(Announce("alertmanager.shop.svc", door.port, {"alertname": "X", "event": "e"}, {}))
    for progress in (await AnnouncedAlerts(now).inject(undo, group), await AnnouncedAlerts(now).revert(undo, group)):
        assert isinstance(progress, Again)
        assert progress.reason == UNREACHABLE
        assert "leads out of its namespace" in progress.message
    assert door.asked == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://169.254.169.254/latest", "http://0.0.0.0:1"])
def test_an_environment_that_names_such_an_address_is_refused_before_anybody_is_asked(url):
    spec = drill_spec()
    assert spec.scenario is not None
    setting = settled(spec, environment(prometheus={"url": url}))
    refusal = out_of_reach(derive(spec, spec.scenario, profile, setting=setting))
    assert refusal is not None
    assert refusal.reason == "AddressNotAllowed"

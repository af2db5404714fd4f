"""A server is asked as its environment says, and no other one is told what is for it."""

from __future__ import annotations

import pytest
from tests.access.builders import HOST, SECRETS, SERVICE, asked, basic, endpoint, secret
from tests.environments.builders import drill_spec, environment, settled

from kubedrill.controller.http_client import in_cluster
from kubedrill.core.access import OPEN
from kubedrill.core.plan.drill_plan import Endpoint

ONE = "a-token"


async def test_one_that_says_nothing_is_asked_plainly_and_no_secret_is_read(client, door, server):
    await asked(client, endpoint())
    ((path, headers),) = door.asked
    assert path == "/api/v1/query"
    assert "Authorization" not in headers
    assert server.asked == []


async def test_a_path_prefix_comes_before_the_apis_own(client, door):
    await asked(client, endpoint(pathPrefix="/prometheus/"))
    assert [path for path, _ in door.asked] == ["/prometheus/api/v1/query"]


async def test_the_tenant_is_named_in_the_header_that_the_server_reads(client, door):
    await asked(client, endpoint(tenant={"name": "team-a"}))
    await asked(client, endpoint(tenant={"name": "team-b", "header": "THANOS-TENANT"}))
    assert door.asked[0][1]["X-Scope-OrgID"] == "team-a"
    assert door.asked[1][1]["THANOS-TENANT"] == "team-b"


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ({"token": "t0ken"}, "Bearer t0ken"),
        ({"token": "t0ken\n"}, "Bearer t0ken"),
        ({"username": "drill", "password": "pass: word"}, basic("drill", "pass: word")),
    ],
    ids=["a token", "a token that was put in from a file", "user and password"],
)
async def test_who_asks_is_said_as_the_secret_has_it(client, door, server, said, sent):
    server.objects[f"{SECRETS}/prometheus"] = secret(**said)
    await asked(client, endpoint(credentials="prometheus"))
    assert [headers["Authorization"] for _, headers in door.asked] == [sent]


async def test_a_server_that_a_drill_names_itself_is_told_nothing_of_it(client, door, server):
    server.objects[f"{SECRETS}/prometheus"] = secret(token=ONE)
    shared = environment(
        prometheus={"service": SERVICE, "credentials": "prometheus", "tenant": {"name": "a"}, "pathPrefix": "/p"}
    )
    own = settled(drill_spec(monitoring={"prometheus": SERVICE}), shared).prometheus
    assert own.access == OPEN
    await asked(client, own)
    assert "Authorization" not in door.asked[0][1]


@pytest.mark.parametrize(
    ("url", "host", "port", "prefix", "address"),
    [
        (
            "https://mimir.example.com/prometheus",
            "mimir.example.com",
            443,
            "/prometheus",
            "https://mimir.example.com:443",
        ),
        ("http://10.1.2.3:9090", "10.1.2.3", 9090, "", "http://10.1.2.3:9090"),
        ("https://vm.example.com:8481/select/0:0/prometheus/", "vm.example.com", 8481, "/select/0:0/prometheus", None),
    ],
)
def test_a_url_says_host_port_path_and_tls(url, host, port, prefix, address):
    found = settled(drill_spec(), environment(prometheus={"url": url})).prometheus
    assert (found.host, found.port, found.access.prefix) == (host, port, prefix)
    assert found.access.tls is url.startswith("https:")
    assert str(found) == f"{host}:{port}"
    assert in_cluster(found) == (address or f"https://{host}:{port}")


def test_a_service_is_asked_over_tls_when_the_environment_says_so():
    assert in_cluster(endpoint(tls={})) == f"https://{HOST}:9090"
    assert in_cluster(endpoint()) == f"http://{HOST}:9090"
    assert endpoint(tls={"serverName": "monitoring.example.com"}).access.server_name == "monitoring.example.com"


def test_each_of_several_alertmanagers_has_its_own_way_in():
    others = [{"name": "am-1", "port": 9093, "credentials": "am-1", "tls": {}}, {"name": "am-2", "port": 9093}]
    served = {"service": {"name": "am-0", "port": 9093}, "credentials": "am-0", "others": others}
    found = settled(drill_spec(), environment(alertmanager=served))
    first, second = found.other_alertmanagers
    assert [one.access.secret for one in (found.alertmanager, first)] == ["drills/am-0", "drills/am-1"]
    assert first.access.tls
    assert second == Endpoint("shop-staging", "am-2", 9093)

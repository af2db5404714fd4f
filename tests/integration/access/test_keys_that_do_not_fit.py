"""What the operator says of real servers to which its key does not fit: what to look at, and no more."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.integration.access.certificates import Authority
from tests.integration.access.doors import DOORS, FIRST, HOSTS, SECOND, USER, Door, Site, behind, serving, trusted

NAMED = "Secret drills/prometheus"


async def told(site: Site) -> str:
    """What the drill says of Prometheus, once it answers at all."""
    async with site.asking() as operator:
        probe = await operator.probe(site.plan())
    assert not probe.reachable
    assert probe.error.startswith("prometheus.monitoring:9090 ")
    return probe.error


async def test_a_wrong_password(tmp_path):
    async with behind(DOORS["user and password"], tmp_path) as site:
        site.hand_over(username=USER, password=SECOND)
        said = await told(site)
    assert f"answers 401: it does not take the credentials of {NAMED}" in said
    assert SECOND not in said


async def test_a_certificate_of_another_authority(tmp_path):
    async with behind(DOORS["TLS by an authority of its own"], tmp_path) as site:
        site.hand_over(**trusted(Authority(tmp_path / "another")))
        said = await told(site)
    assert "has a certificate that is not trusted (" in said
    assert f"see ca.crt of {NAMED}, or tls.serverName" in said


async def test_a_certificate_for_another_host(tmp_path):
    door = Door(web=lambda ca: serving(ca, "elsewhere.example.com"), how={"tls": {}}, key=trusted)
    async with behind(door, tmp_path) as site:
        said = await told(site)
    assert f"not valid for '{HOSTS['prometheus']}'" in said


async def test_the_public_authorities_do_not_know_an_authority_of_ones_own(tmp_path):
    door = Door(web=lambda ca: serving(ca, *HOSTS.values()), how={"tls": {}})
    async with behind(door, tmp_path) as site:
        said = await told(site)
    assert "has a certificate that is not trusted (" in said
    assert "see ca.crt of a Secret in its credentials" in said


def no_certificate(authority: Authority) -> Mapping[str, str]:
    return trusted(authority)


def anothers_certificate(authority: Authority) -> Mapping[str, str]:
    made = Authority(authority.own.crt.parent / "another").certified("client")
    return {**trusted(authority), "tls_crt": made.crt.read_text(), "tls_key": made.key.read_text()}


@pytest.mark.parametrize("key", [no_certificate, anothers_certificate])
async def test_a_server_that_wants_another_certificate_of_us(tmp_path, key):
    door = DOORS["a client's certificate"]
    async with behind(Door(web=door.web, how=door.how, key=key), tmp_path) as site:
        said = await told(site)
    assert "asks for a client certificate (tls.crt and tls.key of its Secret), and gets none that it takes" in said


async def test_tls_where_none_is_spoken(tmp_path):
    async with behind(Door(how={"tls": {}}), tmp_path) as site:
        assert "speaks no TLS: leave tls out in its environment" in await told(site)


async def test_another_path(tmp_path):
    door = DOORS["a path prefix"]
    async with behind(Door(route_prefix=door.route_prefix, how={"pathPrefix": "/other"}), tmp_path) as site:
        assert "answers 404: its API is not below /other" in await told(site)


async def test_another_tenant(tmp_path):
    door = DOORS["a proxy that wants a token and a tenant"]
    how = {**door.how, "tenant": {"name": "team-b"}}
    async with behind(Door(demands=door.demands, how=how, key=door.key), tmp_path) as site:
        assert f"it does not take the credentials of {NAMED}" in await told(site)


async def test_a_key_for_another_host_is_not_even_tried(tmp_path):
    async with behind(DOORS["user and password"], tmp_path) as site:
        site.hand_over(host="elsewhere.example.com", username=USER, password=FIRST)
        assert f"is not asked: {NAMED} is for another host" in await told(site)

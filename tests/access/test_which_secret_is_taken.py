"""Only a Secret of monitoring's own type, for this host and in order, is ever sent; the refusal repeats nothing."""

from __future__ import annotations

import pytest
from tests.access.builders import HOST, SECRETS, asked, endpoint, secret
from tests.environments.builders import drill_spec, environment, settled

from kubedrill.kube.answers import NoAnswer
from kubedrill.kube.client import Unreachable
from kubedrill.store.access_secrets import MOST_BYTES

HIDDEN = "h1dden"
LOGIN = {"username": "drill", "password": HIDDEN}
ASKED = "prometheus.monitoring:9090 is not asked: Secret drills/prometheus"
REFUSED = {
    "of no type": (secret("Opaque", token=HIDDEN), "is of another type than kubedrill.dev/monitoring-access"),
    "an undo record": (secret("kubedrill.dev/undo"), "is of another type"),
    "a ServiceAccount's token": (secret("kubernetes.io/service-account-token", token=HIDDEN), "is of another type"),
    "for another host": (secret(host="evil.example.com", token=HIDDEN), f"is for another host than {HOST}:9090"),
    "for another port": (secret(host=f"{HOST}:9091", token=HIDDEN), f"is for another host than {HOST}:9090"),
    "for a host that this one begins": (secret(host=f"{HOST}.evil.example.com", token=HIDDEN), "is for another host"),
    "for no host": (secret(host="", token=HIDDEN), f"does not say in host which one it is for: {HOST}"),
    "for a host, and with nothing": (secret(), "holds nothing but host"),
    "with a typing error": (secret(pasword=HIDDEN, username="drill"), "has a field that is not known (pasword)"),
    "with two answers to who asks": (secret(token=HIDDEN, **LOGIN), "has token and username"),
    "a user without a password": (secret(username=HIDDEN), "has no password, which belongs to its username"),
    "a password without a user": (secret(password=HIDDEN), "has no username, which belongs to its password"),
    "a certificate where no TLS is spoken": (
        secret(ca_crt=HIDDEN),
        "has a certificate, and its environment says no tls",
    ),
    "a user that the header can't say": (secret(username="a:b", password=HIDDEN), "has a username with ':'"),
    "a token of two lines": (secret(token=f"{HIDDEN}\nHost: x"), "has a token that is not one line"),
    "too long": (secret(token=HIDDEN * MOST_BYTES), "is longer than 256 KiB"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_another_one_is_refused_and_nobody_is_asked(client, door, server, name):
    server.objects[f"{SECRETS}/prometheus"], why = REFUSED[name]
    with pytest.raises(NoAnswer) as refusal:
        await asked(client, endpoint(credentials="prometheus"))
    assert str(refusal.value).startswith(f"{ASKED} {why}")
    assert HIDDEN not in str(refusal.value)
    assert "evil" not in str(refusal.value)
    assert door.asked == []


async def test_one_that_holds_what_is_no_text_is_refused(client, door, server):
    server.objects[f"{SECRETS}/prometheus"] = secret() | {"data": {"host": "/w==", "token": "/w=="}}
    with pytest.raises(NoAnswer, match="has a field that is no text"):
        await asked(client, endpoint(credentials="prometheus"))
    assert door.asked == []


async def test_one_that_is_not_there_is_said_to_be_missing(client, door):
    with pytest.raises(NoAnswer, match="Secret drills/prometheus is not there"):
        await asked(client, endpoint(credentials="prometheus"))
    assert door.asked == []


async def test_one_that_may_not_be_read_is_unknown(client, door, server):
    server.refused[f"{SECRETS}/prometheus"] = (403, {"reason": "Forbidden", "message": HIDDEN})
    with pytest.raises(Unreachable, match="Secret drills/prometheus can't be read: 403 Forbidden"):
        await asked(client, endpoint(credentials="prometheus"))
    assert door.asked == []


@pytest.mark.parametrize("host", [HOST, f"{HOST}:9090", f" {HOST.upper()}\n"])
async def test_the_host_is_written_with_or_without_its_port(client, door, server, host):
    server.objects[f"{SECRETS}/prometheus"] = secret(host=host, token=HIDDEN)
    await asked(client, endpoint(credentials="prometheus"))
    assert len(door.asked) == 1


async def test_it_is_read_in_the_control_namespace_and_nowhere_else(client, server):
    server.objects[f"{SECRETS}/prometheus"] = secret(token=HIDDEN)
    await asked(client, endpoint(credentials="prometheus"))
    assert server.asked == [f"GET {SECRETS}/prometheus"]


async def test_to_a_host_outside_nothing_is_sent_without_tls(client, door, server):
    """The CRD refuses it; who has an older one, where rules of a field are not kept, is refused here."""
    server.objects[f"{SECRETS}/prometheus"] = secret(host="prometheus.example.com", token=HIDDEN)
    outside = {"url": "http://prometheus.example.com:9090", "credentials": "prometheus"}
    with pytest.raises(NoAnswer, match=r"is not sent to prometheus\.example\.com without TLS"):
        await asked(client, settled(drill_spec(), environment(prometheus=outside)).prometheus)
    assert door.asked == []


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"ca_crt": HIDDEN}, "has in ca.crt no certificate that can be read"),
        ({"tls_crt": HIDDEN, "tls_key": HIDDEN}, "has in tls.crt and tls.key no certificate with its key"),
        ({"tls_crt": HIDDEN}, "has no tls.key, which belongs to its tls.crt"),
    ],
)
async def test_a_certificate_that_is_none_is_refused(client, door, server, said, why):
    server.objects[f"{SECRETS}/prometheus"] = secret(**said)
    with pytest.raises(NoAnswer, match=f"{ASKED} {why}") as refusal:
        await asked(client, endpoint(credentials="prometheus", tls={}))
    assert HIDDEN not in str(refusal.value)
    assert door.asked == []

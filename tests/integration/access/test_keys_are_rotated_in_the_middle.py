"""Credentials and certificates that are exchanged while a drill is on: no probe goes without an answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.integration.access.certificates import Authority
from tests.integration.access.doors import DOORS, SECOND, USER, Site, behind, trusted, with_password
from tests.reverters.builders import come_to_its_end, now, record

from kubedrill.core.undo.operations import Announce
from kubedrill.core.undo.record import Again, Done
from kubedrill.plugins import ways_in as ways
from kubedrill.plugins.operations.alertmanager import AnnouncedAlerts
from kubedrill.plugins.ways_in import ways_in


@pytest.fixture(autouse=True)
def read_at_once(monkeypatch):
    """Credentials that are not taken are read anew at once: no test waits for a second to pass."""
    monkeypatch.setattr(ways, "READ_EVERY", 0.0)


def write(path: Path, text: str) -> None:
    """In one step, as a mounted Secret changes: a server reads the file whenever somebody asks it."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def asks_for(site: Site, password: str) -> None:
    for config in site.configs.values():
        write(config, json.dumps(with_password(password)))


async def test_a_new_password(tmp_path):
    async with behind(DOORS["user and password"], tmp_path) as site, site.asking() as operator:
        await operator.comes_in(site.plan())
        site.hand_over(username=USER, password=SECOND)
        asks_for(site, SECOND)
        probe = await operator.probe(site.plan())
        assert (probe.reachable, probe.error, probe.alertmanager_error) == (True, "", "")


async def test_a_new_password_that_the_secret_does_not_have_yet(tmp_path):
    async with behind(DOORS["user and password"], tmp_path) as site, site.asking() as operator:
        await operator.comes_in(site.plan())
        asks_for(site, SECOND)
        assert "does not take the credentials" in (await operator.probe(site.plan())).error
        site.hand_over(username=USER, password=SECOND)
        assert (await operator.probe(site.plan())).reachable


async def test_a_new_password_between_an_alert_and_its_end(tmp_path):
    async with behind(DOORS["user and password"], tmp_path) as site, site.asking() as operator:
        plan = site.plan()
        await operator.comes_in(plan)
        labels = {"alertname": "Down", "event": "e"}
        operation = Announce("alertmanager.monitoring.svc", 9093, labels, {}, "monitoring", plan.alertmanager.access)
        one = AnnouncedAlerts(now, ways_in(site.kube), lambda *_: f"127.0.0.1:{site.ports['alertmanager']}")
        assert isinstance(await one.inject(*record(operation)), Again)
        site.hand_over(username=USER, password=SECOND)
        asks_for(site, SECOND)
        assert await come_to_its_end(lambda: one.revert(*record(operation))) == Done("Down is resolved")


async def test_a_new_authority(tmp_path):
    async with behind(DOORS["TLS by an authority of its own"], tmp_path) as site, site.asking() as operator:
        await operator.comes_in(site.plan())
        other = Authority(tmp_path / "other")
        made = other.certified("server", "prometheus.monitoring.svc", "alertmanager.monitoring.svc")
        site.hand_over(**trusted(other))
        for config in site.configs.values():
            said = {"cert_file": str(made.crt), "key_file": str(made.key)}
            write(config, json.dumps({"tls_server_config": said}))
        await operator.client.close()  # connections that stand were verified when they were made
        probe = await operator.probe(site.plan())
        assert (probe.reachable, probe.error, probe.alertmanager_error) == (True, "", "")

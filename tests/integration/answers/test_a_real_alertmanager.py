"""What a real Alertmanager takes from anybody, and what it answers to what we ask it for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.request import Request, urlopen

import pytest
from tests.integration.services import alertmanager
from tests.observers.builders import drill_plan

from kubedrill.controller.gathering import MonitoringProbe
from kubedrill.controller.http_client import Room, WebClient
from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.plan.drill_plan import AlertWanted
from kubedrill.kube.clock import ServerClock

CLOCK = ServerClock(timedelta(milliseconds=100))
ABSURD = {"Y9999": ("9999-12-31T23:59:59.99Z", "9999-12-31T23:59:59.999Z"), "Y0001": ("0001-01-01T00:00:00.001Z", None)}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with alertmanager(tmp_path_factory.mktemp("alertmanager"), "http://127.0.0.1:9/") as found:
        yield found


def post(port: int, alerts: list[dict[str, object]]) -> int:
    body = json.dumps(alerts).encode()
    url = f"http://127.0.0.1:{port}/api/v2/alerts"
    with urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=5) as answer:
        return int(answer.status)


async def test_f16_alerts_of_the_years_9999_and_1_that_a_real_alertmanager_takes_hide_no_other(port):
    now = CLOCK.now()
    absurd: list[dict[str, object]] = [
        {"labels": {"alertname": name}, "startsAt": starts, **({"endsAt": ends} if ends else {})}
        for name, (starts, ends) in ABSURD.items()
    ]
    others: list[dict[str, object]] = [
        {"labels": {"alertname": "Ours", "namespace": "shop"}, "startsAt": now.isoformat()},
        {"labels": {"alertname": "Theirs", "namespace": "bank"}, "startsAt": now.isoformat()},
    ]
    assert post(port, absurd + others) == 200
    client = WebClient(lambda _: f"http://127.0.0.1:{port}", 3.0, Room())
    expected = tuple(AlertWanted(name, name == "Ours", timedelta(0)) for name in (*ABSURD, "Ours", "Theirs"))
    plan = replace(drill_plan(), alerts=expected)
    probe = await MonitoringProbe(client.fetch, CLOCK).probe(plan, now - timedelta(minutes=1))
    await client.close()
    assert probe.alertmanager_error == ""
    told = {f.detail["alert"]: f.at for f in probe.facts if f.kind is FactKind.ALERT_FIRING}
    assert set(told) >= {"Ours", "Y0001"}, "asked for by namespace: ours, and what is about none"
    assert "Theirs" not in told
    assert told["Ours"].contains(now)
    assert told["Y0001"].not_before == now - timedelta(minutes=1)

"""What a real Alertmanager's API and configuration say of alerts that it tells nobody of, or later."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.request import Request, urlopen

import pytest
from tests.integration.services import alertmanager
from tests.observers.builders import drill_plan

from kubedrill.controller.gathering import MonitoringProbe
from kubedrill.controller.http_client import Room, Turn, WebClient
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.core.plan.drill_plan import AlertWanted
from kubedrill.core.plan.trouble import AlertRule, Trouble
from kubedrill.kube.clock import ServerClock
from kubedrill.plugins.conversations import held
from kubedrill.plugins.sources.foreseen import ask_ahead
from kubedrill.plugins.sources.polled import PollScope, Question
from kubedrill.plugins.sources.prometheus import LoadedRule

CLOCK = ServerClock(timedelta(milliseconds=100))
SINK = "http://127.0.0.1:9/alertmanager/shop"
CONFIG: dict[str, Any] = {
    "route": {
        "receiver": "none",
        "group_wait": "1s",
        "routes": [
            {"matchers": ['severity="slowpage"'], "receiver": "op-b14", "group_wait": "90s", "group_interval": "5m"},
            {"matchers": ['mute="always"'], "receiver": "op-b13", "mute_time_intervals": ["always"]},
            {"matchers": ['mute="never"'], "receiver": "op-b13", "mute_time_intervals": ["never"]},
            {"match_re": {"severity": "page|warning|critical"}, "receiver": "op-b13"},
        ],
    },
    "time_intervals": [
        {
            "name": "always",
            "time_intervals": [
                {"times": [{"start_time": "00:00", "end_time": "24:00"}], "weekdays": ["sunday:saturday"]},
                {"months": ["january:december"], "days_of_month": ["-31:-1"], "location": "Europe/Berlin"},
            ],
        },
        {"name": "never", "time_intervals": [{"years": ["2001:2002"]}]},
    ],
    "inhibit_rules": [
        {
            "source_matchers": ['severity="critical"'],
            "target_matchers": ['severity="warning"'],
            "equal": ["namespace"],
        }
    ],
    "receivers": [
        {"name": "none"},
        {"name": "op-b13", "webhook_configs": [{"url": SINK}]},
        {"name": "op-b14", "webhook_configs": [{"url": SINK}]},
    ],
}
ALERTS = {
    "FcWarn": {"severity": "warning"},
    "NodeDown": {"severity": "critical"},
    "FcSilenced": {"severity": "page"},
    "FcMuted": {"mute": "always"},
    "FcSpoken": {"mute": "never"},
    "FcGroupWait": {"severity": "slowpage"},
    "FcNobody": {"severity": "none"},
}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with alertmanager(tmp_path_factory.mktemp("alertmanager"), SINK, **CONFIG) as found:
        yield found


def post(port: int, path: str, body: Any) -> None:
    url = f"http://127.0.0.1:{port}{path}"
    with urlopen(Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"}), timeout=5) as answer:
        assert answer.status == 200


def fires(port: int) -> None:
    """Every alert begins to fire, one of them silenced."""
    now = CLOCK.now()
    silence = {
        "matchers": [{"name": "alertname", "value": "FcSilenced", "isRegex": False}],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
        "createdBy": "bob",
        "comment": "maintenance of the disks",
    }
    post(port, "/api/v2/silences", silence)
    alerts = [
        {"labels": {"alertname": name, "namespace": "shop", **labels}, "startsAt": now.isoformat()}
        for name, labels in ALERTS.items()
    ]
    post(port, "/api/v2/alerts", alerts)


async def seen(port: int, kind: FactKind, most: int) -> dict[str, Fact]:
    """The facts of a kind by their alert, once there are so many."""
    client = WebClient(lambda _: f"http://127.0.0.1:{port}", 3.0, Room())
    expected = tuple(AlertWanted(name, name == "FcWarn", timedelta(0)) for name in ALERTS if name != "NodeDown")
    plan, monitoring = replace(drill_plan(), alerts=expected), MonitoringProbe(client.fetch, CLOCK)
    since = CLOCK.now() - timedelta(minutes=1)
    told: list[Fact] = []
    try:
        async with asyncio.timeout(20):
            while len(told) < most:
                probe = await monitoring.probe(plan, since)
                told = [fact for fact in probe.facts if fact.kind is kind]
    finally:
        await client.close()
    return {f.detail["alert"]: f for f in told}


async def test_b13_what_holds_an_alert_back_is_told_by_its_name(port):
    fires(port)
    told = await seen(port, FactKind.ALERT_SUPPRESSED, 4)

    assert {name: fact.detail["by"] for name, fact in told.items()} == {
        "FcWarn": "inhibition",
        "FcSilenced": "silence",
        "FcMuted": "mute time",
        "FcNobody": "route",
    }
    assert told["FcWarn"].evidence == "FcWarn is inhibited by NodeDown"
    assert told["FcSilenced"].evidence.endswith('(of bob, "maintenance of the disks")')
    assert told["FcMuted"].evidence == "FcMuted is muted by time interval always (op-b13)"


async def test_before_the_start_it_is_foreseen_without_the_alert(tmp_path):
    rule_labels = {"FcWarn": "warning", "FcSilenced": "page", "FcNobody": "none"}
    rules = {name: AlertRule(name, each=(Trouble(labels={"severity": s}),)) for name, s in rule_labels.items()}
    loaded = {name: LoadedRule(rule) for name, rule in rules.items()}
    expected = tuple(AlertWanted(name, name == "FcWarn", timedelta(0)) for name in rules)
    scope = PollScope(
        replace(drill_plan(), alerts=expected), *(CLOCK.now(),) * 3, timedelta(0), loaded, before_start=True
    )
    with alertmanager(tmp_path, SINK, **CONFIG) as port:
        client = WebClient(lambda _: f"http://127.0.0.1:{port}", 3.0, Room())
        fires(port)
        try:
            told = await held(ask_ahead(scope), partial(asked_of, client))
        finally:
            await client.close()

    inhibited, silenced, nobody = sorted(told.withheld, key=lambda said: list(rules).index(said.split()[0]))
    assert inhibited == "FcWarn would be inhibited by NodeDown, which fires"
    assert re.search(r'by silence \S+ \(of bob, "maintenance of the disks"\) until [-0-9]{10} \d\d:\d\dZ$', silenced)
    assert nobody == "FcNobody would reach nobody: its route ends at none, which has no address, if its mute is so"


async def asked_of(client: WebClient, question: Question) -> Any:
    endpoint = drill_plan().alertmanager
    return await client.fetch(
        endpoint, question.path, list(question.query), lambda a: question.read(a, CLOCK.now()), Turn()
    )


async def test_b14_the_routes_tell_for_how_long_one_waits(port):
    fires(port)
    told = await seen(port, FactKind.ALERT_ROUTED, 4)

    assert {name: fact.detail["waits"] for name, fact in told.items()} == {
        "FcMuted": 1,
        "FcSpoken": 1,
        "FcGroupWait": 90,
        "FcNobody": 1,
    }
    assert told["FcGroupWait"].detail["receivers"] == ["op-b14"]

"""The watchdog ends an alert at an Alertmanager that asks who asks, by the record and the Secret that it names."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from tests.access.builders import Door, basic, opened, secret
from tests.undo.builders import NOON
from tests.watchdog.conftest import Hall
from tests.watchdog.wire import SECRETS

from kubedrill.core.access import MonitoringAccess
from kubedrill.core.evidence.facts import Interval
from kubedrill.core.undo.operations import Announce
from kubedrill.core.undo.record import DrillIdentity, OutsideGroup, RecordState, UndoRecord, record_name
from kubedrill.kube import addresses

HOST = "alertmanager.shop.svc"
PLANTED = "pl4nted"
LABELS = {"alertname": "Down", "event": "d1-page"}


class Pager(Door):
    """An Alertmanager with one alert, until that is resolved."""

    async def answered(self, request: web.Request) -> web.Response:
        answer = await super().answered(request)
        if request.method == "POST" and answer.status == 200:
            self.answer = []
        return answer


@pytest.fixture
async def pager(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    """It is where DNS says, which here is this machine."""

    async def here(*_: Any) -> Any:
        return HOST, [(socket.AF_INET, "127.0.0.1")]

    monkeypatch.setattr(addresses, "looked_up", here)
    monkeypatch.setattr(addresses, "demand_addresses", lambda *_: None)
    async with opened(Pager(lets_in=basic("drill", PLANTED), answer=[{"labels": LABELS}])) as door:
        yield door


def fired(hall: Hall, port: int) -> None:
    """An alert that a drill has fired, which is to be stopped."""
    access = MonitoringAccess(credentials="alertmanager", kept_in="drills")
    subject = f"alert Down at {HOST}:{port}"
    hall.cluster.drill(desired="Stop")
    hall.cluster.record(
        UndoRecord(
            drill=DrillIdentity("d1", "storm", "drills", "shop"),
            name=record_name("", "Announce", "n1", subject),
            subject=subject,
            groups=(OutsideGroup("page", Announce(HOST, port, LABELS, {}, "shop", access)),),
            manager="manager-1",
            namespace_uid="n1",
            deadline=NOON + timedelta(hours=1),
            intended_at=NOON,
            state=RecordState.INJECTED,
            injected=Interval(NOON, NOON),
        )
    )


async def test_it_is_ended_with_the_credentials_that_the_record_names(hall: Hall, pager: Door):
    hall.cluster.put(f"{SECRETS}/alertmanager", secret(host=HOST, username="drill", password=PLANTED))
    fired(hall, pager.port)
    await hall.looks(seconds=60)
    assert pager.answer == []
    assert all(headers["Authorization"] == basic("drill", PLANTED) for _, headers in pager.asked)
    told = f"{hall.cluster.events}{hall.metrics()}{[o for p, o in hall.cluster.objects.items() if 'undo-' in p]}"
    assert PLANTED not in told


async def test_without_them_it_is_said_what_is_missing_and_done_once_they_are_there(hall: Hall, pager: Door):
    fired(hall, pager.port)
    await hall.looks(seconds=60)
    assert pager.asked == []
    (record,) = hall.cluster.records().values()
    assert record.state is not RecordState.REVERTED
    assert any("Secret drills/alertmanager is not there" in event["note"] for event in hall.cluster.events)
    hall.cluster.put(f"{SECRETS}/alertmanager", secret(host=HOST, username="drill", password=PLANTED))
    await hall.looks(seconds=60)
    assert pager.answer == []

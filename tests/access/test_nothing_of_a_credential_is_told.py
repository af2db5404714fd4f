"""Credentials that are planted are found in no message, repr, traceback or log, whatever goes wrong."""

from __future__ import annotations

import base64
import dataclasses
import logging
import traceback
from typing import Any

import pytest
from tests.access.builders import HOST, SECRETS, asked, basic, endpoint, secret
from tests.clock.settable import Settable
from tests.observers.builders import drill_plan
from tests.reverters.builders import now, record
from tests.undo.builders import NOON

from kubedrill.controller.gathering import MonitoringProbe
from kubedrill.controller.http_client import Room, Turn, WebClient
from kubedrill.core.access import MonitoringAccess
from kubedrill.core.plan.codec import plan_to_json
from kubedrill.core.undo.operations import Announce
from kubedrill.core.undo.record import to_json
from kubedrill.kube.answers import NoAnswer
from kubedrill.kube.client import Unreachable
from kubedrill.plugins.operations.alertmanager import AnnouncedAlerts
from kubedrill.plugins.ways_in import WayIn, ways_in
from kubedrill.store.access_secrets import read_credentials

PLANTED = "pl4nted-p4ssword"
ENCODED = base64.b64encode(f"drill:{PLANTED}".encode()).decode()
PATH = f"{SECRETS}/prometheus"
LOGIN = secret(username="drill", password=PLANTED)
ECHO = {"status": "error", "errorType": "bad_data", "error": f"no {PLANTED}, no Basic {ENCODED}"}
ANSWERS: dict[str, tuple[int, Any]] = {
    "an error that repeats what was sent": (400, ECHO),
    "the same with a good status": (200, ECHO),
    "a refusal that repeats it": (401, ECHO),
    "another that does": (403, ECHO),
    "an answer of a stranger": (502, {"token": PLANTED}),
    "one that is not what was asked for": (200, {"status": PLANTED, "data": PLANTED}),
}


def hidden(text: str) -> bool:
    return PLANTED not in text and ENCODED not in text


@pytest.mark.parametrize("name", ANSWERS)
async def test_whatever_a_server_says_the_drill_and_the_log_do_not_say_it(client, door, server, caplog, name):
    caplog.set_level(logging.DEBUG)
    server.objects[PATH] = LOGIN
    door.status, door.answer = ANSWERS[name]
    where = endpoint(credentials="prometheus")
    plan = dataclasses.replace(drill_plan(), prometheus=where, alertmanager=where)
    probe = await MonitoringProbe(client.fetch, Settable(NOON)).probe(plan, NOON)
    assert door.asked[0][1]["Authorization"] == basic("drill", PLANTED)
    assert not probe.reachable
    assert hidden(repr(probe))
    assert hidden(caplog.text)
    with pytest.raises(NoAnswer) as told:
        await client.fetch(where, "/api/v1/query", [], _failing, Turn())
    assert hidden("".join(traceback.format_exception(told.value)))


def _failing(answer: Any) -> Any:
    raise NoAnswer(f"it says {answer}")


async def test_what_is_known_of_a_prometheus_error_is_said_without_it(client, door, server):
    server.objects[PATH] = LOGIN
    door.answer = ECHO
    plan = dataclasses.replace(drill_plan(), prometheus=endpoint(credentials="prometheus"))
    probe = await MonitoringProbe(client.fetch, Settable(NOON)).probe(plan, NOON)
    assert 'it says "no …, no Basic …"' in probe.error


async def test_what_holds_them_shows_nothing_of_them(kube, server):
    server.objects[PATH] = LOGIN
    access = endpoint(credentials="prometheus").access
    held = await read_credentials(kube, access, HOST, 9090)
    way = WayIn(HOST, 9090, access, held)
    assert held.password == PLANTED
    assert hidden(f"{held!r} {held} {way!r} {way}")


async def test_plans_and_undo_records_name_the_secret_and_hold_nothing_of_it():
    where = endpoint(credentials="prometheus")
    plan = dataclasses.replace(drill_plan(), prometheus=where, alertmanager=where)
    undo, _ = record(Announce(where.host, where.port, {"alertname": "X"}, {}, where.namespace, where.access))
    for stored in (plan_to_json(plan), to_json(undo).decode()):
        assert '"credentials":"prometheus"' in stored
        assert hidden(stored)
    assert {f.name for f in dataclasses.fields(MonitoringAccess)} == {
        "tls", "prefix", "server_name", "credentials", "kept_in", "tenant_header", "tenant",
    }  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_undo_that_fails_does_not_say_it_either(kube, door, server, caplog, name):
    caplog.set_level(logging.DEBUG)
    server.objects[PATH] = LOGIN
    door.status, door.answer = ANSWERS[name]
    operation = Announce(
        HOST, 9090, {"alertname": "X", "event": "e"}, {}, "monitoring", endpoint(credentials="prometheus").access
    )
    reverter = AnnouncedAlerts(now, ways_in(kube), address_of=lambda *_: f"127.0.0.1:{door.port}")
    said = [await reverter.prepare(operation), await reverter.revert(*record(operation))]
    assert len(door.asked) >= 2
    assert hidden(repr(said))
    assert hidden(caplog.text)


async def test_a_question_that_is_cut_off_does_not_say_it(kube, door, server, caplog):
    caplog.set_level(logging.DEBUG)
    server.objects[PATH] = LOGIN
    client = WebClient(lambda _: f"https://127.0.0.1:{door.port}", room=Room(), ways=ways_in(kube))
    with pytest.raises(Unreachable, match=r"^prometheus\.monitoring:9090 speaks no TLS: leave tls out") as told:
        await asked(client, endpoint(credentials="prometheus", tls={}))
    await client.close()
    assert hidden("".join(traceback.format_exception(told.value)))
    assert hidden(caplog.text)

"""An inject is given over every channel that carries it; what came of it is a fact, once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.channels.wire import EventServer
from tests.undo.builders import NOON

from kubedrill.controller.deliveries import give
from kubedrill.core.evidence.facts import Fact, FactKind, Interval
from kubedrill.core.plan.drill_plan import InjectAt
from kubedrill.kube.client import Answer


def inject(channel: str = "Client") -> InjectAt:
    return InjectAt("complaint", timedelta(0), channel, "Dana", "our orders hang")


async def given(server: EventServer, channel: str = "Client") -> tuple[Fact, ...]:
    return await give(server, server.clock, "d1", "shop", inject(channel))


@pytest.fixture
def server() -> EventServer:
    return EventServer()


async def test_what_the_client_says_is_the_clients_complaint(server: EventServer):
    (fact,) = await given(server)
    assert (fact.kind, fact.id, fact.at) == (FactKind.CLIENT_COMPLAINED, "inject/complaint", Interval.at(NOON))
    assert fact.detail["inject"] == "complaint"
    assert "kubernetesEvents" in fact.evidence


async def test_what_the_facilitator_says_is_noted(server: EventServer):
    (fact,) = await given(server, "Note")
    assert fact.kind is FactKind.NOTED


async def test_an_operator_that_died_right_after_it_knows_when_the_client_was_heard(server: EventServer):
    await given(server)
    server.now += timedelta(minutes=3)
    (fact,) = await given(server)
    assert len(server.notes) == 1
    assert fact.at == Interval(NOON, NOON + timedelta(seconds=1))


async def test_nothing_is_known_while_nobody_was_told(server: EventServer):
    server.in_the_way = lambda _method, _path: Answer(503, {})
    assert await given(server) == ()


async def test_what_can_never_be_given_is_noted_with_the_reason_and_not_tried_again(server: EventServer):
    server.in_the_way = lambda _method, _path: Answer(413, {"message": "too large"})
    (fact,) = await given(server)
    assert (fact.kind, fact.detail["inject"]) == (FactKind.NOTED, "complaint")
    assert "could not be given: kubernetesEvents: 413 too large" in fact.evidence


async def test_what_no_channel_carries_is_noted(server: EventServer):
    (fact,) = await given(server, "Smoke")
    assert "no channel carries it" in fact.evidence

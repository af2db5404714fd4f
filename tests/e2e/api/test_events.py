"""What people are told, at a real API server: names are taken, twice is once, the time of the first is found."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from tests.e2e.api.conftest import kubectl

from kubedrill.kube.client import Kube
from kubedrill.kube.clock import ServerClock
from kubedrill.plugins.channels.base import Message
from kubedrill.plugins.channels.kubernetes_events import deliver
from kubedrill.protocol.drills import post_event

LONG = "遅" * 700


@pytest.fixture
async def kube() -> AsyncIterator[Kube]:
    kube = await Kube.connect()
    yield kube
    await kube.close()


@pytest.fixture
async def clock(kube: Kube) -> ServerClock:
    clock = ServerClock(timedelta(milliseconds=50))
    await clock.measure(kube)
    return clock


def events(namespace: str, reason: str) -> list[str]:
    """What the Events of a reason say, as `kubectl get events` shows them."""
    found = kubectl("-n", namespace, "get", "events", "-o", "json")
    assert found.returncode == 0, found.stderr
    return sorted(e["message"] for e in json.loads(found.stdout)["items"] if e["reason"] == reason)


async def test_a_message_that_is_delivered_twice_is_one_event_of_the_time_of_the_first(namespace, kube, clock):
    message = Message(namespace, "Note", "Dana", "our orders hang")
    first, again = [await deliver(kube, clock, message, "uid-1/once") for _ in range(2)]
    assert events(namespace, "Facilitator") == ["Dana: our orders hang"]
    assert first.at is not None
    assert again.at is not None
    assert again.at.intersection(first.at) is not None
    assert again.at.width <= timedelta(seconds=1.2)


async def test_a_message_of_seven_hundred_japanese_characters_is_told_whole(namespace, kube, clock):
    told = await deliver(kube, clock, Message(namespace, "Client", "", LONG), "uid-1/long")
    assert told.at is not None
    notes = events(namespace, "ClientMessage")
    assert [note[:6] for note in notes] == ["(1/3) ", "(2/3) ", "(3/3) "]
    assert "".join(note[6:] for note in notes) == LONG


async def test_what_is_said_of_a_drill_is_said_once(namespace, kube):
    drill = {"metadata": {"name": "a-drill.with-a-long-name-that-ends-here.-x", "namespace": namespace, "uid": "u"}}
    for _ in range(2):
        assert await post_event(kube, drill, "CannotPutBack", "it is stuck", datetime.now(UTC), warning=True)  # noqa: TID251  any time does
    assert events(namespace, "CannotPutBack") == ["it is stuck"]

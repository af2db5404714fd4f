"""What is said of a Drill is said once: a restart, and a second process that sees the same, meet the first Event."""

from __future__ import annotations

from typing import Any

import pytest
from tests.channels.wire import EventServer
from tests.undo.builders import NOON

from kubedrill.protocol.drills import post_event

DRILL = {"metadata": {"name": "storm", "namespace": "drills", "uid": "d1"}}


async def said(server: EventServer, note: str = "it is stuck", drill: dict[str, Any] = DRILL, **more: Any) -> bool:
    return await post_event(server, drill, "CannotPutBack", note, NOON, warning=True, **more)


@pytest.fixture
def server() -> EventServer:
    return EventServer()


async def test_the_same_words_are_told_once_and_count_as_told(server: EventServer):
    assert await said(server)
    assert await said(server)
    assert server.notes == ["it is stuck"]


async def test_other_words_another_drill_of_that_name_and_another_process_are_told(server: EventServer):
    await said(server)
    await said(server, "it is stuck otherwise")
    await said(server, drill={"metadata": DRILL["metadata"] | {"uid": "d2"}})
    await said(server, by="watchdog")
    assert len(server.notes) == 4


async def test_what_happens_again_at_another_time_is_told_again(server: EventServer):
    await said(server, once="12:00")
    await said(server, once="12:05")
    await said(server, once="12:05")
    assert len(server.notes) == 2


async def test_it_is_about_the_drill_in_its_own_namespace(server: EventServer):
    await said(server)
    ((path, event),) = server.posted.items()
    assert path.startswith("/apis/events.k8s.io/v1/namespaces/drills/events/storm-")
    assert event["regarding"] == {
        "apiVersion": "kubedrill.dev/v1alpha1",
        "kind": "Drill",
        "name": "storm",
        "namespace": "drills",
        "uid": "d1",
    }

"""A message to the players as Events: told once, whole, at a known time, and with no word of a drill."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from tests.channels.wire import EventServer
from tests.undo.builders import NOON

from kubedrill.core.evidence.facts import Interval
from kubedrill.kube.client import Answer
from kubedrill.plugins.channels.base import Message
from kubedrill.plugins.channels.kubernetes_events import deliver

KEY = "d1/complaint"
LATER = timedelta(seconds=7)


def message(body: str = "our orders hang", kind: str = "Client", sender: str = "Dana, Client Ltd") -> Message:
    return Message("shop", kind, sender, body)


@pytest.fixture
def server() -> EventServer:
    return EventServer()


async def test_it_is_an_event_about_the_namespace_in_the_words_of_whoever_says_it(server: EventServer):
    told = await deliver(server, server.clock, message(), KEY)
    ((path, event),) = server.posted.items()
    assert path.startswith("/apis/events.k8s.io/v1/namespaces/shop/events/shop-")
    assert (event["reason"], event["type"]) == ("ClientMessage", "Normal")
    assert event["note"] == "Dana, Client Ltd: our orders hang"
    assert (event["regarding"]["kind"], event["regarding"]["name"]) == ("Namespace", "shop")
    assert told.at == Interval.at(NOON)


async def test_what_the_facilitator_says_has_a_reason_of_its_own_and_nobody_before_it_where_nobody_is_named(server):
    await deliver(server, server.clock, message("look at the queue", "Note", sender=""), KEY)
    ((event),) = server.posted.values()
    assert (event["reason"], event["note"]) == ("Facilitator", "look at the queue")


async def test_nothing_in_it_tells_of_the_drill_or_of_its_key(server: EventServer):
    await deliver(server, server.clock, message(), "0b1c-uid/spoiler")
    ((path, event),) = server.posted.items()
    said = f"{path} {json.dumps(event, default=str)}"
    assert not [word for word in ("0b1c", "spoiler", "storm", '"Drill"') if word in said]


async def test_told_twice_under_one_key_is_told_once_at_the_time_of_the_first(server: EventServer):
    await deliver(server, server.clock, message(), KEY)
    server.now += LATER
    again = await deliver(server, server.clock, message(), KEY)
    assert server.notes == ["Dana, Client Ltd: our orders hang"]
    assert again.at == Interval(NOON, NOON + timedelta(seconds=1)), "the API server tells of it in whole seconds"


async def test_another_message_of_the_same_words_is_another_one(server: EventServer):
    await deliver(server, server.clock, message(), KEY)
    await deliver(server, server.clock, message(), "d1/second")
    assert len(server.notes) == 2


async def test_a_long_message_is_told_whole_in_numbered_parts(server: EventServer):
    await deliver(server, server.clock, message("遅" * 700, sender=""), KEY)
    assert [note[:6] for note in server.notes] == ["(1/3) ", "(2/3) ", "(3/3) "]
    assert "".join(note[6:] for note in server.notes) == "遅" * 700


async def test_after_a_crash_in_the_middle_only_the_missing_parts_are_told(server: EventServer):
    server.in_the_way = lambda method, _: Answer(503, {}) if method == "POST" and len(server.posted) == 2 else None
    assert (await deliver(server, server.clock, message("遅" * 700), KEY)).at is None
    assert len(server.notes) == 2
    server.in_the_way = lambda _method, _path: None
    server.now += LATER
    told = await deliver(server, server.clock, message("遅" * 700), KEY)
    assert [note[:6] for note in server.notes] == ["(1/3) ", "(2/3) ", "(3/3) "]
    assert told.at == Interval(NOON, NOON + LATER), "from the first part to the last"


@pytest.mark.parametrize("status", [429, 500, 503, 403])
async def test_one_that_is_not_taken_now_is_tried_again(server: EventServer, status: int):
    server.in_the_way = lambda _method, _path: Answer(status, {"message": "not now"})
    told = await deliver(server, server.clock, message(), KEY)
    assert (told.at, told.for_good, told.why) == (None, False, f"{status} not now")


async def test_one_that_can_never_be_stored_is_given_up(server: EventServer):
    server.in_the_way = lambda _method, _path: Answer(413, {"message": "too large"})
    assert (await deliver(server, server.clock, message(), KEY)).for_good


async def test_whether_it_was_told_is_unknown_while_it_can_not_be_read(server: EventServer):
    await deliver(server, server.clock, message(), KEY)
    server.in_the_way = lambda method, _: Answer(403, {"message": "no"}) if method == "GET" else None
    told = await deliver(server, server.clock, message(), KEY)
    assert (told.at, told.for_good) == (None, False)


async def test_an_event_of_that_name_with_other_words_is_not_ours(server: EventServer):
    await deliver(server, server.clock, message("our orders hang"), KEY)
    told = await deliver(server, server.clock, message("all is well"), KEY)
    assert (told.at, told.for_good) == (None, True)
    assert "something else" in told.why


async def test_an_event_of_a_time_that_is_still_to_come_was_told_by_now(server: EventServer):
    await deliver(server, server.clock, message(), KEY)
    for event in server.posted.values():
        event["eventTime"] = "9998-01-01T00:00:00.000000Z"
    told = await deliver(server, server.clock, message(), KEY)
    assert told.at == Interval.at(NOON)

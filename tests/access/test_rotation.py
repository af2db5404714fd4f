"""A Secret that changes is read again: at once when the server does not take it any more, else after a while."""

from __future__ import annotations

import asyncio

import pytest
from tests.access.builders import SECRETS, asked, endpoint, secret

from kubedrill.kube.answers import NoAnswer
from kubedrill.plugins import ways_in

ONE, TWO = "first", "second"
PATH = f"{SECRETS}/prometheus"
BEHIND = {"credentials": "prometheus"}


@pytest.fixture
def at_once(monkeypatch):
    """Credentials that were not taken are read anew at every question: no test waits."""
    monkeypatch.setattr(ways_in, "READ_EVERY", 0.0)


async def test_it_is_read_once_for_many_questions(client, server):
    server.objects[PATH] = secret(token=ONE)
    await asyncio.gather(*(asked(client, endpoint(**BEHIND)) for _ in range(20)))
    assert server.asked == [f"GET {PATH}"]


@pytest.mark.usefixtures("at_once")
async def test_one_that_is_rotated_in_the_middle_costs_no_answer(client, door, server):
    server.objects[PATH], door.lets_in = secret(token=ONE), f"Bearer {ONE}"
    await asked(client, endpoint(**BEHIND))
    server.objects[PATH], door.lets_in = secret(version="2", token=TWO), f"Bearer {TWO}"
    await asked(client, endpoint(**BEHIND))
    assert [headers["Authorization"] for _, headers in door.asked] == [
        f"Bearer {ONE}",
        f"Bearer {ONE}",
        f"Bearer {TWO}",
    ]


@pytest.mark.usefixtures("at_once")
async def test_one_that_is_refused_and_has_not_changed_is_not_tried_twice(client, door, server):
    server.objects[PATH], door.lets_in = secret(token=ONE), f"Bearer {TWO}"
    with pytest.raises(NoAnswer, match="answers 401: it does not take the credentials of Secret drills/prometheus"):
        await asked(client, endpoint(**BEHIND))
    assert len(door.asked) == 1


async def test_while_the_server_refuses_it_is_not_read_at_every_question(client, door, server):
    server.objects[PATH], door.lets_in = secret(token=ONE), f"Bearer {TWO}"
    for _ in range(10):
        with pytest.raises(NoAnswer):
            await asked(client, endpoint(**BEHIND))
    assert server.asked == [f"GET {PATH}"]


async def test_one_that_changes_while_the_old_one_is_still_taken_is_read_after_a_while(
    client, door, server, monkeypatch
):
    monkeypatch.setattr(ways_in, "KEPT_FOR", 0.0)
    server.objects[PATH] = secret(token=ONE)
    await asked(client, endpoint(**BEHIND))
    server.objects[PATH] = secret(version="2", token=TWO)
    await asked(client, endpoint(**BEHIND))
    assert door.asked[-1][1]["Authorization"] == f"Bearer {TWO}"


async def test_one_that_is_taken_away_is_not_used_any_more(client, door, server, monkeypatch):
    monkeypatch.setattr(ways_in, "KEPT_FOR", 0.0)
    server.objects[PATH] = secret(token=ONE)
    await asked(client, endpoint(**BEHIND))
    del server.objects[PATH]
    with pytest.raises(NoAnswer, match="is not there"):
        await asked(client, endpoint(**BEHIND))
    server.refused[PATH] = (500, {})
    with pytest.raises(Exception, match="can't be read: 500"):
        await asked(client, endpoint(**BEHIND))
    assert len(door.asked) == 1


async def test_while_the_api_server_is_silent_what_was_read_last_is_used(client, door, server, monkeypatch):
    monkeypatch.setattr(ways_in, "KEPT_FOR", 0.0)
    server.objects[PATH] = secret(token=ONE)
    await asked(client, endpoint(**BEHIND))
    server.refused[PATH] = (500, {"message": "later"})
    await asked(client, endpoint(**BEHIND))
    assert [headers["Authorization"] for _, headers in door.asked] == [f"Bearer {ONE}"] * 2

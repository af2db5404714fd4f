"""The token of the webhooks is in a Secret that the operator makes where none is, and never changes where one is."""

from __future__ import annotations

import base64
import logging
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from tests.watchdog.wire import CONTROL, SECRETS, Cluster, standing, status

from kubedrill.controller.webhook_token import webhook_token
from kubedrill.kube.client import Kube

NAME = "kubedrill-webhook"
PATH = f"{SECRETS}/{NAME}"
Standing = tuple[Cluster, Kube]


@pytest.fixture
async def there() -> AsyncIterator[Standing]:
    async with standing() as both:
        yield both


def held(token: str, key: str = "token") -> dict[str, object]:
    return {"metadata": {"name": NAME}, "data": {key: base64.b64encode(token.encode()).decode()}}


async def test_where_there_is_none_it_is_made_and_no_two_are_alike(there: Standing):
    cluster, kube = there
    first = await webhook_token(kube, CONTROL, NAME)
    assert len(first) >= 40
    assert await webhook_token(kube, CONTROL, NAME) == first
    assert cluster.writes == [("POST", SECRETS)]
    del cluster.objects[PATH]
    assert await webhook_token(kube, CONTROL, NAME) != first


async def test_one_that_is_there_is_taken_and_nothing_is_written(there: Standing):
    cluster, kube = there
    cluster.put(PATH, held("theirs\n"))
    assert await webhook_token(kube, CONTROL, NAME) == "theirs"
    assert not cluster.writes


async def test_of_two_that_make_it_at_once_both_have_the_first(there: Standing):
    cluster, kube = there

    def another_was_first(request: web.Request) -> web.Response | None:
        if request.method != "POST":
            return None
        cluster.put(PATH, held("theirs"))
        return status(409)

    cluster.answering = another_was_first
    assert await webhook_token(kube, CONTROL, NAME) == "theirs"


@pytest.mark.parametrize("code", [403, 500])
async def test_where_it_can_not_be_had_nobody_is_let_in_and_that_is_said(
    there: Standing, code: int, caplog: pytest.LogCaptureFixture
):
    cluster, kube = there
    cluster.answering = lambda _: status(code)
    with caplog.at_level(logging.WARNING):
        assert await webhook_token(kube, CONTROL, NAME) == ""
    assert "no webhook is let in" in caplog.text
    assert str(code) in caplog.text


@pytest.mark.parametrize("data", [{}, {"token": ""}, {"token": "no base64!"}, {"other": "eA=="}, {"token": 5}, None])
async def test_a_secret_that_holds_none_lets_nobody_in_and_is_left_as_it_is(
    there: Standing, data: object, caplog: pytest.LogCaptureFixture
):
    cluster, kube = there
    cluster.put(PATH, {"metadata": {"name": NAME}, "data": data})
    with caplog.at_level(logging.WARNING):
        assert await webhook_token(kube, CONTROL, NAME) == ""
    assert "has no token" in caplog.text
    assert not cluster.writes


async def test_no_log_holds_it(there: Standing, caplog: pytest.LogCaptureFixture):
    _, kube = there
    with caplog.at_level(logging.DEBUG):
        token = await webhook_token(kube, CONTROL, NAME)
    assert token not in caplog.text

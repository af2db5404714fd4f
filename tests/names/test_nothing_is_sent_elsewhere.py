"""The last line of defence: the connection itself sends no path that was not made of names, and no other than that."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiohttp import web
from tests.names.hostile import STRANGE, WAYS
from tests.wire import connected_to

from kubedrill.core.paths import BadName
from kubedrill.kube.client import Kube
from kubedrill.kube.paths import CONFIG_MAPS, DEPLOYMENTS, PODS

RAW: tuple[Any, ...] = (
    "/api/v1/namespaces/shop/pods/../../other/pods/web",
    "/api/v1/namespaces/../secrets",
    "/api/v1/./pods",
    "/api/v1/namespaces//pods",
    "/api/v1/pods/",
    "api/v1/pods",
    "",
    "/",
    "/api/v1/%2e%2e/secrets",
    "/api/v1/namespaces/shop%2F..%2Fother/pods",
    "/api/v1/pods?watch=true",
    "/api/v1/pods#top",
    "/api/v1/pods/a b",
    "/api/v1/pods/web\r\nHost: elsewhere",
    "/api/v1/pods/wеb",
    "/api/v1/pods/a\\..\\b",
    "//elsewhere/api/v1/pods",
    "https://elsewhere/api/v1/pods",
    "/api/v1/pods/%zz",
    "/api/v1/pods/%ff",
)
"""Paths that somebody might put together without `kube.paths`."""


# what each way to send needs beside a path
MORE: dict[str, dict[str, Any]] = {
    "call": {"method": "GET"},
    "watch": {"resource_version": "1"},
    "get_of_stranger": {"most": 1000},
}


class Server:
    """It writes down what came, as it came."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.rel_url.raw_path)
        return web.json_response({})


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def kube(server: Server) -> AsyncIterator[Kube]:
    async with connected_to(server.answer) as connection:
        yield connection


@contextmanager
def refused(given: str) -> Iterator[None]:
    """What is tried with it is refused; a failure names it."""
    try:
        yield
    except BadName:
        return
    pytest.fail(f"{given!a} is taken")


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_a_path_that_was_not_made_of_names_is_not_sent(server: Server, kube: Kube, method: str):
    for path in RAW:
        with refused(path):
            await kube.call(method, path)
    assert server.asked == []


async def test_nor_is_it_watched_and_it_is_no_broken_connection_that_would_be_tried_again(server: Server, kube: Kube):
    for path in RAW:
        with refused(path):
            await anext(kube.watch(path, "1"))
    assert server.asked == []


async def test_a_strange_name_arrives_as_it_was_meant(server: Server, kube: Kube):
    for name in STRANGE:
        server.asked.clear()
        await kube.get(PODS.one("shop", name))
        await kube.get(DEPLOYMENTS.one(name, "web"))
        assert server.asked == [PODS.one("shop", name), DEPLOYMENTS.one(name, "web")]
        assert [path.count("/") for path in server.asked] == [6, 7]


async def test_a_name_that_leads_elsewhere_is_not_sent_by_whoever_asks_for_an_object(server: Server, kube: Kube):
    for name in WAYS:
        with refused(name):
            await kube.get(CONFIG_MAPS.one("drills", name))
        with refused(name):
            await kube.call("DELETE", CONFIG_MAPS.of(name))
    assert server.asked == []


def ways_to_send() -> list[str]:
    """The methods of the connection that take a path."""
    return [n for n, way in vars(Kube).items() if callable(way) and "path" in inspect.signature(way).parameters]


@pytest.mark.parametrize("way", [n for n in ways_to_send() if not n.startswith("_")])
async def test_there_is_no_other_way_to_send_than_those_that_look_at_the_path(server: Server, kube: Kube, way: str):
    sent = getattr(kube, way)(path="/api/v1/namespaces/../secrets", **MORE.get(way, {}))
    with pytest.raises(BadName):
        await (anext(sent) if inspect.isasyncgen(sent) else sent)
    assert server.asked == []


def test_the_ways_to_send_are_found():
    assert {"call", "get", "watch"} <= set(ways_to_send())

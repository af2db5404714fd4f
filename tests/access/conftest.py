"""An API server at the wire, which keeps Secrets, and a door to monitoring."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.access.builders import Door, client_of, opened
from tests.gather.server import Server
from tests.wire import connected_to

from kubedrill.controller.http_client import WebClient
from kubedrill.kube.client import Kube


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def kube(server: Server) -> AsyncIterator[Kube]:
    async with connected_to(server.answer) as connection:
        yield connection


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with opened(Door()) as one:
        yield one


@pytest.fixture
async def client(kube: Kube, door: Door) -> AsyncIterator[WebClient]:
    async with client_of(kube, door) as one:
        yield one

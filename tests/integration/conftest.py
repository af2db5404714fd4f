"""A real Redis for the tests of a module, and for each of them an empty one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis
from tests.integration.services import redis_server


@pytest.fixture(scope="module")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with redis_server(tmp_path_factory.mktemp("redis"), "--repl-diskless-sync-delay", "0") as port:
        yield port


@pytest.fixture
def queue(redis_port: int) -> Iterator[Redis]:
    """An empty Redis, as the app sees it: bytes."""
    with Redis(port=redis_port) as client:
        client.flushall()
        yield client

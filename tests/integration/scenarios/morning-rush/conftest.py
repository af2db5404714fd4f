"""A real Redis of this test run's own."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator

import pytest
import redis
from staging.backlog import Backlog


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a Redis server that keeps nothing."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield answering(f"redis://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(10)


def answering(address: str) -> str:
    """The address, once a server answers there."""
    deadline = time.monotonic() + 10
    with redis.Redis.from_url(address) as client:
        while True:
            try:
                client.ping()
            except redis.ConnectionError:
                assert time.monotonic() < deadline, "redis-server does not answer; make setup-services installs it"
                time.sleep(0.02)
            else:
                return address


@pytest.fixture
def store(server: str) -> Iterator[redis.Redis]:
    """What is in Redis, empty at first."""
    with redis.Redis.from_url(server, decode_responses=True) as client:
        client.flushall()
        yield client


@pytest.fixture
def backlog(store: redis.Redis, server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backlog]:
    """The queue, empty at first."""
    assert store.dbsize() == 0
    monkeypatch.setenv("REDIS_URL", server)
    with Backlog() as queue:
        yield queue

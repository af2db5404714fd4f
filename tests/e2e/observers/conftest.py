"""A namespace of the tests' own on the cluster that KUBECONFIG names, reached over a line that can be cut."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import load_kube_config

from kubedrill.kube.client import Kube


def kubectl(*words: str) -> str:
    """kubectl's output. No cluster is a failure, never a skip."""
    done = subprocess.run(["kubectl", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Line:
    """A forwarder to the API server."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._pipes: set[asyncio.Task[None]] = set()
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Ends every connection, and takes no new one until `open`."""
        assert self._server is not None
        self._server.close()
        for pipe in list(self._pipes):
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*self._target)
        both = {asyncio.create_task(_pipe(reader, back)), asyncio.create_task(_pipe(there, writer))}
        self._pipes |= both
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for task in both:
            task.cancel()
        self._pipes -= both


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
    finally:
        writer.transport.abort()


@pytest.fixture(scope="session")
def namespace() -> Iterator[str]:
    """Where these tests work."""
    assert "KUBECONFIG" in os.environ, 'these tests need a cluster: eval "$(python3 -m cluster env)"'
    name = f"observers-{uuid.uuid4().hex[:8]}"
    kubectl("create", "namespace", name)
    kubectl("label", "namespace", name, "kubedrill.dev/control-namespace=drills")  # where words are heard
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


def sockets() -> int:
    """How many sockets this process has."""
    found = 0
    for descriptor in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(OSError):  # the listing itself needed one that is gone
            found += str(descriptor.readlink()).startswith("socket:")
    return found


@pytest.fixture(autouse=True)
async def hung_up() -> AsyncIterator[None]:
    """Waits until every connection of a test is gone: TLS says goodbye after `close` has returned."""
    before = sockets()
    yield
    async with asyncio.timeout(10):
        while sockets() > before:  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.01)


@pytest.fixture
async def kube() -> AsyncIterator[Kube]:
    """The actors' own connection, which is never cut."""
    connection = await Kube.connect()
    yield connection
    await connection.close()


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    """A line to the API server."""
    config = Configuration()
    await load_kube_config(client_configuration=config)
    server = urlsplit(config.host)
    forwarder = Line(server.hostname or "", server.port or 443)
    await forwarder.open()
    yield forwarder
    await forwarder.cut()


@pytest.fixture
async def observing(line: Line) -> AsyncIterator[Kube]:
    """The observer's connection, over the line."""
    config = Configuration()
    await load_kube_config(client_configuration=config)
    config.tls_server_name = urlsplit(config.host).hostname
    config.host = f"https://127.0.0.1:{line.port}"
    connection = Kube(ApiClient(config))
    yield connection
    await connection.close()

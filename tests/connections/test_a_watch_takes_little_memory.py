"""A watch tells a few lines a second, and there are hundreds: each keeps a buffer, so the buffer is small."""

from __future__ import annotations

import asyncio
import ssl
from asyncio.sslproto import SSLProtocol
from typing import Any

import pytest

from kubedrill.controller import operator
from kubedrill.controller.settings import OperatorSettings
from kubedrill.kube.lanes import CONNECTIONS, READ_AT_ONCE, Lane, with_small_buffers

MIB = 1024 * 1024
ANSWER = bytes(range(256)) * (MIB // 256)
RECORD = 16 * 1024


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SSLProtocol, "max_size", SSLProtocol.max_size)


def nobodys(side: ssl._SSLMethod) -> ssl.SSLContext:
    """TLS between two that have no certificates."""
    context = ssl.SSLContext(side)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("aNULL:@SECLEVEL=0")
    return context


async def answered() -> tuple[bytes, int]:
    """What came over a TLS connection, and how long the buffer is that it keeps."""

    told = asyncio.Event()

    async def tell(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(ANSWER)
        await writer.drain()
        await ended(writer)
        told.set()

    server = await asyncio.start_server(tell, "127.0.0.1", 0, ssl=nobodys(ssl.PROTOCOL_TLS_SERVER))
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=nobodys(ssl.PROTOCOL_TLS_CLIENT))
        connection: Any = writer.transport
        kept = len(connection._ssl_protocol.get_buffer(-1))
        async with asyncio.timeout(5):
            came = await reader.read()
            await ended(writer)
            await told.wait()
    return came, kept


async def ended(writer: asyncio.StreamWriter) -> None:
    """Closed on both sides: what is only dropped is found by whichever test comes next."""
    writer.close()
    await writer.wait_closed()


async def test_the_buffer_of_a_connection_is_small_and_a_large_answer_comes_whole():
    with_small_buffers()
    came, kept = await answered()
    assert came == ANSWER
    assert kept == READ_AT_ONCE >= RECORD


def test_all_watches_together_keep_little():
    assert CONNECTIONS[Lane.WATCHES] * READ_AT_ONCE <= 16 * MIB


def test_the_operators_process_begins_with_that(monkeypatch: pytest.MonkeyPatch):
    sizes: list[int] = []

    async def run(_settings: OperatorSettings) -> None:
        sizes.append(SSLProtocol.max_size)

    monkeypatch.setattr(operator, "run", run)
    monkeypatch.setenv("KUBEDRILL_NAMESPACE", "drills")
    operator.main()
    assert sizes == [READ_AT_ONCE]

"""A Prometheus and Alertmanager that belongs to somebody who wants us down, and one that answers as they do."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import cycle
from typing import Any

from kubedrill.kube.clock import local_now

MIB = 1 << 20
HEAD = "HTTP/1.1 {} Hostile\r\nContent-Type: application/json\r\nConnection: close\r\n{}\r\n"
ENDLESS = 1 << 30


class Stranger:
    """Answers every request the same way; `asked` are the lines of the requests that came."""

    def __init__(self, answer: Callable[[asyncio.StreamWriter], Any]) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.port = 0
        self._serving: set[asyncio.Future[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.add(task := asyncio.ensure_future(self._answered(reader, writer)))
        task.add_done_callback(self._serving.discard)

    async def _answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                self.asked.append(head.split(b"\r\n", 1)[0].decode())
                await self.answer(writer)
                await writer.drain()
                writer.write_eof()
                await reader.read()  # until the other side has closed
            finally:
                writer.transport.abort()
                with suppress(OSError):
                    await writer.wait_closed()

    async def close(self) -> None:
        """End what is still being answered."""
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)


@asynccontextmanager
async def stranger(answer: Callable[[asyncio.StreamWriter], Any]) -> AsyncIterator[Stranger]:
    one = Stranger(answer)
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
        await one.close()


async def _send(writer: asyncio.StreamWriter, head: str, chunk: bytes, size: int) -> None:
    writer.write(head.encode())
    for _ in range(0, size, len(chunk)):
        writer.write(chunk)
        await writer.drain()


async def many_values(writer: asyncio.StreamWriter) -> None:
    """31 MB of empty objects: as Python objects, 700 MB."""
    writer.write(HEAD.format(200, "").encode() + b"[{}")
    await _send(writer, "", b",{}" * 20_000, 31 * 10**6)
    writer.write(b"]")


async def as_many_values_as_are_read(writer: asyncio.StreamWriter) -> None:
    """Just what is not refused before it is decoded."""
    whole = b"[" + b",".join([b'{"":0}'] * 83_000) + b"]"
    writer.write(HEAD.format(200, f"Content-Length: {len(whole)}\r\n").encode() + whole)


async def as_many_bytes_as_are_read(writer: asyncio.StreamWriter) -> None:
    """One string of a sign that takes four bytes of memory for each byte beside it."""
    whole = '["😀'.encode() + b"a" * (4 * MIB - 64) + b'"]'
    await _send(writer, HEAD.format(200, ""), whole, len(whole))


async def as_many_samples_as_are_read(writer: asyncio.StreamWriter) -> None:
    """A good answer to any question, of other samples each time, and of alerts that fire anew with each of them."""
    raw = next(_LONG)
    writer.write(HEAD.format(200, f"Content-Length: {len(raw)}\r\n").encode() + raw)


def _long_answers() -> Iterator[bytes]:
    labels = {"alertname": "High", "alertstate": "firing", "namespace": "shop"}
    groups = [{"interval": 0.001, "rules": [{"name": "High", "query": "depth > 5"}]}]
    made = []
    for m in range(8):
        begin = local_now().timestamp() - 60 * m
        values = [[round(begin - n * 0.03, 3), "1"] for n in range(560)]
        result = [{"metric": labels | {"long": f"{n}" + "x" * 1900}, "values": values} for n in range(40)]
        data = {"resultType": "matrix", "result": result, "groups": groups}
        made.append(json.dumps({"status": "success", "data": data}).encode())
    return cycle(made)


_LONG = _long_answers()


async def endless(writer: asyncio.StreamWriter) -> None:
    """1 GB of blanks."""
    await _send(writer, HEAD.format(200, ""), b" " * MIB, ENDLESS)


async def announced_endless(writer: asyncio.StreamWriter) -> None:
    """1 GB that is said beforehand."""
    await _send(writer, HEAD.format(200, f"Content-Length: {ENDLESS}\r\n"), b" " * MIB, ENDLESS)


async def dripping(writer: asyncio.StreamWriter) -> None:
    """A large beginning, then a byte now and then, and never an end."""
    writer.write(HEAD.format(200, "").encode() + b"[" + b" " * (3 * MIB))
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def folded(writer: asyncio.StreamWriter) -> None:
    """32 MB of blanks in 32 KB."""
    head = HEAD.format(200, f"Content-Encoding: deflate\r\nContent-Length: {len(PACKED)}\r\n")
    writer.write(head.encode() + PACKED)


PACKED = zlib.compress(b" " * (32 * MIB), 1)


def saying(body: Any, status: int = 200) -> Callable[[asyncio.StreamWriter], Any]:
    """One body, JSON unless it is bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD.format(status, f"Content-Length: {len(raw)}\r\n").encode() + raw)

    return answer


def sending_to(url: str, status: int = 307) -> Callable[[asyncio.StreamWriter], Any]:
    """A redirect."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD.format(status, f"Location: {url}\r\nContent-Length: 0\r\n").encode())

    return answer


HOSTILE = {
    "many values": many_values,
    "as many values as are read": as_many_values_as_are_read,
    "as many bytes as are read": as_many_bytes_as_are_read,
    "as many samples as are read": as_many_samples_as_are_read,
    "endless": endless,
    "announced endless": announced_endless,
    "dripping": dripping,
    "folded": folded,
    "6,000 brackets": saying(b"[" * 6000 + b"]" * 6000),
    "100,000 brackets": saying(b"[" * 100_000),
    "HTML": saying(b"<html>"),
    "UTF-16": saying('{"status": "success"}'.encode("utf-16")),
    "no UTF-8": saying(b'["\xff"]'),
    "an integer of 5,000 digits": saying(b"[" + b"9" * 5000 + b"]"),
    "an integer of 4,000 digits": saying(b'[{"startsAt": ' + b"9" * 4000 + b"}]"),
    "NaN": saying(b"[NaN]"),
    "cut off": saying(b'{"status": "succ'),
    "nothing": saying(b""),
    "null": saying(b"null"),
    "a list of strings": saying(["x"]),
    "data is a list": saying({"status": "success", "data": ["x"]}),
    "null as result": saying({"status": "success", "data": {"resultType": "vector", "result": None}}),
    "a secret": saying({"token": "TOP-SECRET"}, 403),
    "a secret as message": saying({"kind": "Status", "message": "TOP-SECRET"}, 403),
    "a redirect": sending_to("/elsewhere"),
}

"""A watch on its way through the proxy: its events may be held back, dropped, doubled, swapped, or ended wrongly."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any, Final

import aiohttp
from aiohttp import web

MANNERS: Final = ("double", "swap", "silent", "error")
"""How a watch may behave from its start; an `error` has its code beside it."""


class Watch:
    """One watch. `manner` is one of MANNERS, or empty: it behaves well."""

    def __init__(self, manner: str) -> None:
        self._manner = manner
        self._held_until = 0.0
        self._dropped_until = 0.0
        self._cut = asyncio.Event()
        self._changed = asyncio.Event()
        self._kept: bytes | None = None

    def upset(self, word: str, seconds: float) -> None:
        """From now on and for so long: hold events back, drop them, or cut the stream."""
        until = time.monotonic() + seconds
        if word == "hold-watches":
            self._held_until = until
        elif word == "drop-events":
            self._dropped_until = until
        else:
            self.cut()

    def cut(self) -> None:
        """Ends the stream."""
        self._cut.set()

    def release(self) -> None:
        """Behaves well again."""
        self._manner, self._held_until, self._dropped_until = "", 0.0, 0.0
        self._changed.set()

    async def carry(self, source: aiohttp.StreamReader, out: web.StreamResponse) -> None:
        """Passes the events on until either side ends."""
        if self._manner.startswith("error"):
            await out.write(_error(int(self._manner.split()[1])))
            return
        cut = asyncio.create_task(self._cut.wait())
        try:
            while not self._cut.is_set():
                line = asyncio.create_task(source.readline())
                await asyncio.wait({line, cut}, return_when=asyncio.FIRST_COMPLETED)
                if not line.done():
                    line.cancel()
                    return
                event = line.result()
                if not event:
                    return
                await self._pass(event, out)
        finally:
            cut.cancel()

    async def _pass(self, event: bytes, out: web.StreamResponse) -> None:
        while time.monotonic() < self._held_until or self._manner == "silent":
            self._changed.clear()
            left = max(0.05, self._held_until - time.monotonic()) if self._manner != "silent" else None
            try:
                async with asyncio.timeout(left):
                    await self._changed.wait()
            except TimeoutError:
                pass
        if time.monotonic() < self._dropped_until:
            return
        if self._manner == "double":
            await out.write(event + event)
        elif self._manner == "swap":
            await self._swapped(event, out)
        else:
            await out.write(event)

    async def _swapped(self, event: bytes, out: web.StreamResponse) -> None:
        """Two by two, the later one first."""
        if self._kept is None:
            self._kept = event
            return
        await out.write(event + self._kept)
        self._kept = None


def _error(code: int) -> bytes:
    status: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "code": code,
        "message": "said by the fault matrix",
        "reason": "Expired" if code == 410 else "InternalError",
    }
    return json.dumps({"type": "ERROR", "object": status}).encode() + b"\n"

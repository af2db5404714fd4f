"""List and watch of one collection: every event with its receipt, through time-outs, cut connections and 410.

A live watch tells within `LAG`. So an event's earliest instant is its receipt less `LAG`, unless the watch
stood only just before: then it goes back to the end of the last one. When resource versions have expired the
collection is listed again, and what changed meanwhile is told with the whole gap as its interval.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from kubedrill.core.facts import Fact, FactKind, Interval, Source
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.shell.clock import ServerClock
from kubedrill.signals.sighting import Receipt

LOG = logging.getLogger(__name__)
LAG: Final = timedelta(seconds=1)
"""The longest that a live watch is taken to lag: measured on a loaded 2-core machine, 40 ms; the rest is margin."""
GAP: Final = timedelta(seconds=2)
BACK_OFF: Final = (0.1, 0.5, 1.0, 2.0, 5.0)
WATCH_SECONDS: Final = 240
GONE: Final = 410


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to one object. `before` is its last known state; `type` is ADDED, MODIFIED or DELETED."""

    type: str
    object: dict[str, Any]
    before: dict[str, Any] | None
    receipt: Receipt


class Watch:
    """Watches one collection until it is cancelled.

    `told` gets every event; `away` gets a Gap fact when nothing was watched for longer than `GAP`. `known` is
    what was seen of the objects before (by UID) and `since` when that was.
    """

    def __init__(
        self, kube: Kube, path: str, clock: ServerClock, told: Callable[[Event], None], *,
        kind: str = "", query: Sequence[tuple[str, str]] = (), away: Callable[[Fact], None] = lambda _: None,
        known: Mapping[str, dict[str, Any]] | None = None, since: datetime | None = None,
    ) -> None:
        self._kube, self._path, self._clock, self._told, self._away = kube, path, clock, told, away
        self._kind, self._query = kind, tuple(query)
        self._objects: dict[str, dict[str, Any]] = dict(known or {})
        self._version = ""
        self._ended = since or clock.now()  # when the last watch ended: what came later may be late
        self._opened: datetime | None = None
        self.synced = asyncio.Event()
        self.heard: datetime | None = None
        self.problem = ""

    @property
    def objects(self) -> tuple[dict[str, Any], ...]:
        """The objects as last seen."""
        return tuple(self._objects.values())

    async def run(self) -> None:
        """Lists, then watches, for ever."""
        failures = 0
        while True:
            try:
                if not self._version:
                    await self._list()
                await self._watch()
                failures = 0
            except Unreachable as error:
                self.problem = str(error)
                failures = 0 if self._opened else failures + 1
                LOG.info("%s; trying again", error)
            self._close()
            await asyncio.sleep(BACK_OFF[min(failures, len(BACK_OFF) - 1)])

    async def _list(self) -> None:
        answer = await self._kube.get(self._path, query=self._query)
        if not answer.ok:
            raise Unreachable(f"list {self._path}: {answer.status} {answer.message}")
        now = self._clock.now()
        receipt = Receipt(now, self._ended, self._clock.error)
        self.heard, self.problem = now, ""
        listed = {item["metadata"]["uid"]: item for item in answer.body.get("items") or ()}
        for uid in [u for u in self._objects if u not in listed]:
            self._tell("DELETED", self._objects[uid], receipt)
        for item in listed.values():
            self._tell("MODIFIED" if item["metadata"]["uid"] in self._objects else "ADDED", item, receipt)
        self._version = str((answer.body.get("metadata") or {}).get("resourceVersion", ""))
        self.synced.set()

    async def _watch(self) -> None:
        self._opened = None
        events = self._kube.watch(
            self._path, self._version, self._query, timeout=WATCH_SECONDS, opened=self._stands
        )
        async for event in events:
            now = self._clock.now()
            item = event.get("object") or {}
            if event.get("type") == "ERROR":
                self._failed(item)
                return
            self.heard = now
            self._version = str(item.get("metadata", {}).get("resourceVersion") or self._version)
            if event.get("type") in ("ADDED", "MODIFIED", "DELETED"):
                self._tell(event["type"], item, self._receipt(now))

    def _stands(self) -> None:
        self._opened = self.heard = self._clock.now()
        self.problem = ""
        if self._opened - self._ended > GAP:
            LOG.info("%s was not watched for %s", self._path, self._opened - self._ended)
            self._away(_gap(self._path, self._ended, self._opened))

    def _failed(self, status: Mapping[str, Any]) -> None:
        """An expired resource version is normal (410); anything else (403, 5xx) is a failure to try again."""
        if status.get("code") == GONE or status.get("reason") in ("Expired", "Gone"):
            self._version = ""
            return
        raise Unreachable(f"watch {self._path}: {status.get('code')} {str(status.get('message', ''))[:300]}")

    def _close(self) -> None:
        """A watch that stood has ended, now at the latest; one that fell silent, when it was last heard."""
        if self._opened is not None:
            silent = self._clock.now() - (self.heard or self._opened) > timedelta(seconds=WATCH_SECONDS)
            self._ended = (self.heard or self._opened) if silent else self._clock.now()
            self._opened = None

    def _receipt(self, now: datetime) -> Receipt:
        fresh = self._opened is None or now - self._opened <= LAG
        return Receipt(now, (self._ended if fresh else now) - LAG, self._clock.error)

    def _tell(self, kind: str, item: dict[str, Any], receipt: Receipt) -> None:
        """Hands an event on. A poison object is logged and passed over: it must not end the watch."""
        if self._kind:
            item = {"kind": self._kind, **item}
        try:
            uid = item["metadata"]["uid"]
            before = self._objects.get(uid)
            if kind == "DELETED":
                self._objects.pop(uid, None)
            else:
                self._objects[uid] = item
            self._told(Event(kind, item, before, receipt))
        except Exception:
            LOG.exception("an object of %s could not be read and is passed over", self._path)


def _gap(path: str, start: datetime, end: datetime) -> Fact:
    return Fact(
        FactKind.GAP, Interval(start, end), Source.OPERATOR, f"gap/{path}/{start.isoformat()}",
        evidence=f"{path} was not watched for {(end - start).total_seconds():.1f} s", detail={"path": path},
    )

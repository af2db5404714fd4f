"""List and watch of one collection: every event with its receipt, through time-outs, cut connections and 410.

A live watch tells within `LAG`. So an event's earliest instant is its receipt less `LAG`, unless the watch
stood only just before: then it goes back to the end of the last one. When resource versions have expired the
collection is listed again, and what changed meanwhile is told with the whole gap as its interval.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.evidence.timestamps import Received
from kubedrill.core.paths import ApiPath
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.kept_fields import kept

LOG = logging.getLogger(__name__)
LAG: Final = timedelta(seconds=1)
"""The longest that a live watch is taken to lag: 40 ms were measured under load, the rest is margin."""
GAP: Final = timedelta(seconds=3)
BACK_OFF: Final = (0.1, 0.5, 1.0, 2.0, 5.0)
WATCH_SECONDS: Final = 240
SILENT: Final = timedelta(seconds=100)
"""A watch that tells nothing for this long is dead: the API server sends a bookmark about every minute."""
GONE: Final = 410
PAGE: Final = 100
"""So many objects are listed at a time: a namespace of thousands is never in memory as it was sent.

A page is decoded at one go, at which nothing else goes on: 500 pods take a tenth of a second, and a start that has
twenty questions to ask waits for as many pages.
"""
IDENTITY: Final = frozenset({"metadata.uid", "metadata.name"})
"""Kept of every object, whatever else is."""


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """What happened to one object. `before` is its last known state; `type` is ADDED, MODIFIED or DELETED."""

    type: str
    object: dict[str, Any]
    before: dict[str, Any] | None
    receipt: Received


@dataclass(frozen=True, slots=True)
class Collection:
    """What is watched: a path, the kind of its items (a list leaves it out of them), a selection, the fields to keep.

    Without `fields` the objects are kept whole.
    """

    path: ApiPath
    kind: str = ""
    query: tuple[tuple[str, str], ...] = ()
    fields: frozenset[str] = frozenset()


async def never() -> bool:
    """What is watched is always there."""
    return False


class Watch:
    """Watches one collection until it is cancelled, or what is watched is gone for good.

    `told` gets every event (a listing's events all at once); `away` gets a Gap fact when nothing was watched
    for longer than `GAP`, and then `stands` is called. `gone` is asked each time that a watch has ended, or could not
    be begun.

    `fixed` is set once a list has its first page, `synced` once it has all: the pages that follow are of the same
    version, and from that the watch goes on, so whatever happens after the first page is told, if later. A first list
    that has to be begun anew is of another version: what may have come and gone between the two is a gap.
    """

    def __init__(
        self,
        kube: Kube,
        clock: ServerClock,
        collection: Collection,
        told: Callable[[Sequence[WatchEvent]], None],
        away: Callable[[Fact], None] = lambda _: None,
        gone: Callable[[], Awaitable[bool]] = never,
        stands: Callable[[], None] = lambda: None,
    ) -> None:
        self.path = collection.path
        self._kube, self._clock, self._told, self._away, self._gone = kube, clock, told, away, gone
        self._when_it_stands = stands
        self._kind, self._query = collection.kind, collection.query
        self._fields = collection.fields | IDENTITY if collection.fields else collection.fields
        self._objects: dict[str, dict[str, Any]] = {}
        self._version = ""
        # Until when everything was surely told: what is told first after a break may have happened since then.
        self._ended = clock.now()
        self._has_watched = False
        self._opened: datetime | None = None
        self.fixed, self.synced = asyncio.Event(), asyncio.Event()
        self._fixed_at: datetime | None = None
        self.listed = self.is_over = False
        self.heard: datetime | None = None
        self.problem = ""

    @property
    def objects(self) -> tuple[dict[str, Any], ...]:
        """The objects as last seen."""
        return tuple(self._objects.values())

    @property
    def is_open(self) -> bool:
        """Whether it stands now."""
        return self._opened is not None

    @property
    def told_until(self) -> datetime | None:
        """Until when everything was told: `LAG` ago while the watch stands; None before the first list."""
        if not self.listed:
            return None
        return self._clock.now() - LAG if self._opened else self._ended

    async def run(self) -> None:
        """Lists, then watches, until there is nothing to watch any more."""
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
            if await self._gone():
                LOG.info("%s is gone and is no longer watched", self.path)
                self.problem, self.is_over = f"{self.path} is gone", True
                self.fixed.set()
                self.synced.set()
                return
            await asyncio.sleep(BACK_OFF[min(failures, len(BACK_OFF) - 1)])

    async def _list(self) -> None:
        listed: dict[str, dict[str, Any]] = {}
        version, lost_since = "", self._fixed_at if not self.listed else None
        async for page in self._pages():
            self._fixed_at = self._fixed_at or self._clock.now()
            self.fixed.set()
            listed |= {uid: self._kept(item) for item in page.get("items") or () if (uid := _metadata(item).get("uid"))}
            version = str((page.get("metadata") or {}).get("resourceVersion", ""))
        now = self._clock.now()
        receipt = Received(now, self._ended, self._clock.error)
        self.heard, self.problem = now, ""
        gone = [self._event("DELETED", o, receipt) for uid, o in self._objects.items() if uid not in listed]
        found = [self._event("MODIFIED" if u in self._objects else "ADDED", o, receipt) for u, o in listed.items()]
        self._version = version
        self.listed = True
        self._tell([*gone, *found])
        if lost_since:
            self._away(gap(self.path, lost_since, now))
        self.synced.set()

    async def _pages(self) -> AsyncIterator[dict[str, Any]]:
        """A list, page by page. One whose next page has expired (410) is begun anew, after a back-off."""
        next_page = ""
        while True:
            query = [*self._query, ("limit", str(PAGE))] + ([("continue", next_page)] if next_page else [])
            answer = await self._kube.get(self.path, query=query)
            if not answer.ok:
                raise Unreachable(f"list {self.path}: {answer.status} {answer.message}")
            yield answer.body
            next_page = str((answer.body.get("metadata") or {}).get("continue") or "")
            if not next_page:
                return

    async def _watch(self) -> None:
        self._opened = None
        events = self._kube.watch(self.path, self._version, self._query, timeout=WATCH_SECONDS, opened=self._stands)
        async with aclosing(events):
            while True:
                try:
                    # Not wait_for: before Python 3.12 it may swallow the cancellation that ends this watch.
                    async with asyncio.timeout(SILENT.total_seconds()):
                        event = await anext(events)
                except StopAsyncIteration:
                    return
                except TimeoutError as error:
                    raise Unreachable(f"watch {self.path}: silent for {SILENT}") from error
                if event.get("type") == "ERROR":
                    self._failed(event.get("object") or {})
                    return
                self._took(event)

    def _took(self, event: Mapping[str, Any]) -> None:
        self.heard = now = self._clock.now()
        item = event.get("object") or {}
        self._version = str(_metadata(item).get("resourceVersion") or self._version)
        if event.get("type") in ("ADDED", "MODIFIED", "DELETED"):
            self._tell([self._event(event["type"], self._kept(item), self._receipt(now))])

    def _stands(self) -> None:
        self._opened = self.heard = self._clock.now()
        self.problem = ""
        if self._has_watched and self._opened - self._ended > GAP:
            LOG.info("%s was not watched for %s", self.path, self._opened - self._ended)
            self._away(gap(self.path, self._ended, self._opened))
        self._has_watched = True
        self._when_it_stands()

    def _failed(self, status: Mapping[str, Any]) -> None:
        """An expired resource version is normal (410); anything else (403, 5xx) is a failure to try again."""
        if status.get("code") == GONE or status.get("reason") in ("Expired", "Gone"):
            self._version = ""
            return
        raise Unreachable(f"watch {self.path}: {status.get('code')} {str(status.get('message', ''))[:300]}")

    def _close(self) -> None:
        """A watch that stood has ended, now at the latest; one that fell silent, when it was last heard."""
        if self._opened is not None:
            silent = self._clock.now() - (self.heard or self._opened) >= SILENT
            self._ended = (self.heard or self._opened) if silent else self._clock.now() - LAG
            self._opened = None

    def _receipt(self, now: datetime) -> Received:
        fresh = self._opened is None or now - self._opened <= LAG
        return Received(now, self._ended if fresh else now - LAG, self._clock.error)

    def _kept(self, item: dict[str, Any]) -> dict[str, Any]:
        of_it = kept(item, self._fields)
        return {"kind": self._kind, **of_it} if self._kind else of_it

    def _event(self, kind: str, item: dict[str, Any], receipt: Received) -> WatchEvent:
        return WatchEvent(kind, item, self._objects.get(str(_metadata(item).get("uid", ""))), receipt)

    def _tell(self, events: list[WatchEvent]) -> None:
        """Hands events on. A poison object is logged and passed over: it must not end the watch."""
        for event in events:
            uid = str(_metadata(event.object).get("uid", ""))
            if event.type == "DELETED":
                self._objects.pop(uid, None)
            elif uid:
                self._objects[uid] = event.object
        try:
            self._told(events)
        except Exception:
            LOG.exception("events of %s could not be read and are passed over", self.path)


def _metadata(item: Any) -> Mapping[str, Any]:
    """An object's metadata; of one that is none, nothing."""
    metadata = item.get("metadata") if isinstance(item, Mapping) else None
    return metadata if isinstance(metadata, Mapping) else {}


def gap(path: str, start: datetime, end: datetime) -> Fact:
    """That nothing was watched meanwhile."""
    return Fact(
        FactKind.GAP,
        Interval(start, end),
        Source.OPERATOR,
        f"gap/{path}/{start.isoformat()}",
        evidence=f"{path} was not watched for {(end - start).total_seconds():.1f} s",
        detail={"path": path},
    )

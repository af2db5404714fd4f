"""Informers: one watch of a collection for all who want to know of it, for evidence only.

What is injected or restored is never taken from here: that is read live. Whoever subscribes is told first what is
there, as if the list were his own, and then every event. A collection is watched while anybody subscribes to it.

After a restart a subscriber brings what he knew (`known`) and until when (`since`): what was changed meanwhile is told
with that whole time as its interval, and the time itself as a gap.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubedrill.core.evidence.facts import Fact
from kubedrill.core.evidence.timestamps import Received
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.paths import NAMESPACES, Namespaced
from kubedrill.kube.refusals import is_not_found
from kubedrill.kube.watch import GAP, Collection, Watch, WatchEvent, gap

LOG = logging.getLogger(__name__)
Told = Callable[[Sequence[WatchEvent]], None]
Away = Callable[[Fact], None]


@dataclass(frozen=True, slots=True)
class InNamespace:
    """What an informer is of: the objects of a kind in one namespace, and the fields that are kept of each."""

    where: Namespaced
    namespace: str
    kind: str = ""
    fields: frozenset[str] = frozenset()


class Informers:
    """All informers of a process: at most one of a kind in a namespace with the same fields."""

    def __init__(self, kube: Kube, clock: ServerClock) -> None:
        self._kube, self._clock = kube, clock
        self._running: dict[InNamespace, _Informer] = {}

    def __len__(self) -> int:
        """How many watches there are; each holds one connection."""
        return len(self._running)

    def subscribe(
        self,
        of: InNamespace,
        told: Told,
        away: Away,
        *,
        known: Iterable[dict[str, Any]] = (),
        since: datetime | None = None,
    ) -> Subscription:
        """A subscription that has yet to `begin`. `told` gets events, what is there at first; `away` gets gaps."""
        return Subscription(self, of, told, away, known, since)

    def joined(self, subscription: Subscription) -> _Informer:
        """The informer of a subscription, which is told from now on."""
        of = subscription.of
        informer = self._running.get(of)
        if informer is None or informer.watch.is_over:
            informer = self._running[of] = _Informer(self._kube, self._clock, of)
            informer.task.add_done_callback(lambda _: self._ended(informer))
        informer.join(subscription)
        return informer

    async def left(self, subscription: Subscription, informer: _Informer) -> None:
        """Ends an informer that nobody needs any more."""
        if informer.leave(subscription):
            self._ended(informer)
            informer.task.cancel()
            await asyncio.gather(informer.task, return_exceptions=True)

    def now(self) -> datetime:
        """The time by the API server's clock."""
        return self._clock.now()

    def _ended(self, informer: _Informer) -> None:
        """What was watched is gone, or nobody wants to know: who subscribes later gets another informer."""
        if self._running.get(informer.of) is informer:
            del self._running[informer.of]


class Subscription:
    """One subscriber's view of an informer."""

    def __init__(
        self,
        informers: Informers,
        of: InNamespace,
        told: Told,
        away: Away,
        known: Iterable[dict[str, Any]],
        since: datetime | None,
    ) -> None:
        self.of = of
        self.path = of.where.of(of.namespace)
        self._informers, self._told, self._away = informers, told, away
        self._known = {str(item["metadata"]["uid"]): item for item in known}
        self._since, self._asked = since, informers.now()
        self._informer: _Informer | None = None
        self._is_told, self._has_stood = False, False

    def begin(self) -> None:
        """Be told from now on: what is there, once it is listed, and what happens."""
        if self._informer is None:
            self._informer = self._informers.joined(self)

    async def end(self) -> None:
        """Be told no more."""
        informer, self._informer = self._informer, None
        if informer is not None:
            await self._informers.left(self, informer)

    async def fixed(self) -> None:
        """Waits until whatever happens from now on will be told, though not all was listed yet; or it is gone."""
        if self._informer is not None:
            await self._informer.watch.fixed.wait()

    async def listed_once(self) -> None:
        """Waits until everything was listed once, or is gone."""
        if self._informer is not None:
            await self._informer.watch.synced.wait()

    @property
    def is_listed(self) -> bool:
        """Whether all that was there was told."""
        return self._is_told

    @property
    def problem(self) -> str:
        """Why it can't be told now; empty when it is."""
        if self._informer is None:
            return f"{self.path} is not watched"
        watch = self._informer.watch
        return watch.problem or ("" if watch.synced.is_set() else f"{self.path} was not listed yet")

    @property
    def told_until(self) -> datetime | None:
        """Until when everything was told; None before the first list. A gap counts from where it began until told."""
        if self._informer is None or not self._is_told:
            return None
        return self._since if self._since and not self._has_stood else self._informer.watch.told_until

    def take_all(self, objects: tuple[dict[str, Any], ...], now: Received) -> None:
        """At first, in place of what the informer was told: all that is there."""
        self._is_told = True
        events = self._all_at_first(objects, now)
        self._known = {}
        self.take(events)

    def take(self, events: Sequence[WatchEvent]) -> None:
        """What the informer was told."""
        try:
            self._told(events)
        except Exception:
            LOG.exception("events of %s could not be read and are passed over", self.path)

    def stands(self, now: datetime) -> None:
        """The watch stands: what was not watched since a restart is a gap."""
        if not self._has_stood and self._since is not None and now - self._since > GAP:
            LOG.info("%s was not watched for %s", self.path, now - self._since)
            self._away(gap(self.path, self._since, now))
        self._has_stood = True

    def missed(self, lost: Fact) -> None:
        """The watch was away for a while. Before it stood at all that is part of the gap since the restart."""
        if self._since is None or self._has_stood:
            self._away(lost)

    def _all_at_first(self, objects: tuple[dict[str, Any], ...], now: Received) -> list[WatchEvent]:
        receipt = Received(now.at, self._since or min(self._asked, now.since), now.error)
        there = {str(item["metadata"]["uid"]) for item in objects}
        gone = [WatchEvent("DELETED", item, item, receipt) for uid, item in self._known.items() if uid not in there]
        found = []
        for item in objects:
            before = self._known.get(str(item["metadata"]["uid"]))
            found.append(WatchEvent("ADDED" if before is None else "MODIFIED", item, before, receipt))
        return [*gone, *found]


class _Informer:
    """A watch that stands for all subscriptions to it, and ends when its namespace is gone."""

    def __init__(self, kube: Kube, clock: ServerClock, of: InNamespace) -> None:
        self.of = of
        self._kube, self._clock = kube, clock
        self._subscriptions: list[Subscription] = []
        collection = Collection(of.where.of(of.namespace), of.kind, fields=of.fields)
        self.watch = Watch(kube, clock, collection, self._told, self._away, self._is_gone, self._stands)
        self.task = asyncio.create_task(self.watch.run(), name=f"watch {collection.path}")

    def join(self, subscription: Subscription) -> None:
        """Tells one more, at once if everything was listed already."""
        self._subscriptions.append(subscription)
        told_until = self.watch.told_until
        if told_until is not None:
            subscription.take_all(self.watch.objects, Received(self._clock.now(), told_until, self._clock.error))
        if self.watch.is_open:
            subscription.stands(self._clock.now())

    def leave(self, subscription: Subscription) -> bool:
        """Tells one less; true when nobody is left."""
        self._subscriptions.remove(subscription)
        return not self._subscriptions

    def _told(self, events: Sequence[WatchEvent]) -> None:
        now = self._clock.now()
        for subscription in tuple(self._subscriptions):
            if subscription.is_listed:
                subscription.take(events)
            else:
                subscription.take_all(self.watch.objects, Received(now, now, self._clock.error))

    def _stands(self) -> None:
        for subscription in tuple(self._subscriptions):
            subscription.stands(self._clock.now())

    def _away(self, lost: Fact) -> None:
        for subscription in tuple(self._subscriptions):
            subscription.missed(lost)

    async def _is_gone(self) -> bool:
        """Whether the namespace is gone: a live 404. Then nothing in it is watched any more."""
        try:
            answer = await self._kube.get(NAMESPACES.one(self.of.namespace))
        except Unreachable:
            return False
        return is_not_found(answer, "namespaces", self.of.namespace)

"""What happens in a drill's target namespace, told by shared informers and poured as facts into the drill's inbox."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from kubedrill.controller.gathering.inbox import FactInbox
from kubedrill.core.evidence.facts import Fact
from kubedrill.core.evidence.timestamps import Received
from kubedrill.core.plan.drill_plan import DrillPlan, Participant
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.informers import Informers, InNamespace, Subscription
from kubedrill.kube.paths import Namespaced, collection_of
from kubedrill.kube.watch import LAG, WatchEvent
from kubedrill.plugins.channels import spoken
from kubedrill.plugins.channels.base import Hearing, SpokenObjects
from kubedrill.plugins.sources import of_kind, watched_kinds
from kubedrill.plugins.sources.base import How, OwnWrites, Reader, SourceKind, Told, one_by_one

LOG = logging.getLogger(__name__)
SYNC_WITHIN: Final = 5.0


@dataclass(frozen=True, slots=True)
class Scope:
    """Which drill is observed: its name, its control namespace, when it was made, and when it began to count.

    What objects tell of the time before `begun` is how it was before, and no fact of this drill.
    """

    drill: str
    control_namespace: str
    made: datetime
    begun: datetime | None = None


class NamespaceWatches:
    """What one drill is told: of all that sources watch in its target namespace, and of what people say.

    `own` is set to what the drill itself wrote (from its undo records), so that it is not taken for a change by
    somebody. `wake` is called when there are new facts. What people say waits until `hear` tells who the players are:
    before the start they may still be edited.
    """

    def __init__(
        self,
        informers: Informers,
        clock: ServerClock,
        inbox: FactInbox,
        wake: Callable[[], None],
    ) -> None:
        self._informers, self._clock, self._inbox, self._wake = informers, clock, inbox, wake
        self.own = OwnWrites()
        self._kinds: dict[Namespaced, Subscription] = {}
        self._words: list[Subscription] = []
        self._readers: list[tuple[SourceKind, Reader]] = []
        self._known: dict[str, dict[str, Any]] = {}
        self._begun: datetime | None = None
        self._players: tuple[Participant, ...] | None = None
        self._unread: list[tuple[SpokenObjects, Hearing, WatchEvent]] = []

    async def start(
        self,
        drill_plan: DrillPlan,
        scope: Scope,
        remembered: Iterable[Mapping[str, Any]] = (),
        since: datetime | None = None,
    ) -> None:
        """Subscribes and waits (5 s at most) until whatever happens from then on will be told.

        Only what is remembered is listed by then: thousands of pods may come later, as they were at that moment, and
        then what became of them. Their pages must not hold up a fault.

        After a restart `remembered` are the workloads as `self.remembered` told them at `since`: what was
        changed in them meanwhile is told then.
        """
        if self.is_started:
            return
        namespace, self._begun = drill_plan.target_namespace, scope.begun
        self._readers = [(source, source.reader(lambda: self.own)) for source in of_kind(How.WATCH)]
        kept = tuple(dict(item) for item in remembered)
        made = {collection_of(target) for target in drill_plan.makes}
        for where, watched in watched_kinds().items():
            if watched.where_made and where not in made:
                continue
            of = InNamespace(where, namespace, watched.kind, frozenset(watched.fields))
            known = (item for item in kept if watched.remembered and item["kind"] == watched.kind)
            told = partial(self._told, where)
            self._kinds[where] = self._informers.subscribe(of, told, self._away, known=known, since=since)
        for place in dict.fromkeys((namespace, scope.control_namespace)):
            hearing = Hearing(scope.drill, (), scope.made, place == scope.control_namespace)
            for objects in spoken():
                said = partial(self._said, objects, hearing)
                self._words.append(
                    self._informers.subscribe(InNamespace(objects.where, place), said, self._away, since=since)
                )
        for one in self._all:
            one.begin()
        try:
            async with asyncio.timeout(SYNC_WITHIN):
                await self._misses_nothing()
        except TimeoutError:
            LOG.warning("not everything could be listed: %s", "; ".join(self.problems))

    async def _misses_nothing(self) -> None:
        for one in self._all:
            await one.fixed()
        for where, one in self._kinds.items():
            if watched_kinds()[where].remembered:
                await one.listed_once()

    async def stop(self) -> None:
        """Is told no more."""
        ending, self._kinds, self._words = self._all, {}, []
        self._readers, self._known, self._unread, self._players = [], {}, [], None
        for one in ending:
            await one.end()

    def hear(self, players: tuple[Participant, ...]) -> None:
        """Reads what was said so far, and from now on what is said, as the words of these players and of others."""
        self._players = players
        unread, self._unread = self._unread, []
        for objects, hearing, event in unread:
            heard = replace(hearing, players=players)
            self._pour(one_by_one(event.object, partial(objects.read, event.object, event.receipt, heard)))

    @property
    def is_started(self) -> bool:
        """Whether it subscribes."""
        return bool(self._kinds)

    @property
    def problems(self) -> tuple[str, ...]:
        """Why something is not told now; empty when all is."""
        return tuple(one.problem for one in self._all if one.problem)

    @property
    def heard(self) -> datetime | None:
        """Until when everything was told; None while something has not been listed yet. It bounds a later gap."""
        until = [one.told_until for one in self._all]
        times = [t for t in until if t is not None]
        return min(times) if times and len(times) == len(until) else None

    @property
    def remembered(self) -> tuple[dict[str, Any], ...]:
        """The workloads as they are now, to be kept for a restart."""
        return tuple(self._known.values())

    def workload(self, target: str) -> Mapping[str, Any] | None:
        """A workload (`Deployment/worker`) as it was told last, with the fields that are kept; None when none was."""
        return self._known.get(target)

    @property
    def _all(self) -> tuple[Subscription, ...]:
        return (*self._kinds.values(), *self._words)

    def _told(self, where: Namespaced, events: Sequence[WatchEvent]) -> None:
        if watched_kinds()[where].remembered:
            for event in events:
                self._keep(event)
        for source, reader in self._readers:
            kinds = [one.where for one in source.watches]
            if where in kinds:
                complete = all(self._kinds[kind].is_listed for kind in kinds)
                self._pour(self._of_the_drill(_read(source, reader, Told(events, complete, self._now()))))

    def _keep(self, event: WatchEvent) -> None:
        """Keeps an object as it was told last. One that was made again under its name stays when the old one goes."""
        metadata = event.object.get("metadata")
        if not isinstance(metadata, Mapping):
            return
        target = f"{event.object.get('kind')}/{metadata.get('name')}"
        if event.type != "DELETED":
            self._known[target] = event.object
        elif target in self._known and self._known[target]["metadata"].get("uid") == metadata.get("uid"):
            del self._known[target]

    def _of_the_drill(self, facts: Iterable[Fact]) -> Iterable[Fact]:
        return (f for f in facts if self._begun is None or f.at.not_after >= self._begun)

    def _said(self, objects: SpokenObjects, hearing: Hearing, events: Sequence[WatchEvent]) -> None:
        self._unread += [(objects, hearing, event) for event in events if event.type != "DELETED"]
        if self._players is not None:
            self.hear(self._players)

    def _now(self) -> Received:
        now = self._clock.now()
        return Received(now, now - LAG, self._clock.error)

    def _away(self, gap: Fact) -> None:
        self._pour([gap])

    def _pour(self, facts: Iterable[Fact]) -> None:
        if self._inbox.add(facts):
            self._wake()


def _read(source: SourceKind, reader: Reader, told: Told) -> tuple[Fact, ...]:
    """The facts of one source; what it can't read at all holds up no other source."""
    try:
        return tuple(reader(told))
    except Exception:
        LOG.exception("what source %s was told could not be read and is passed over", source.name)
        return ()

"""What happens in a drill's target namespace, watched and poured as facts into the drill's inbox."""

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
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.paths import (
    AUTOSCALERS,
    DEPLOYMENTS,
    NAMESPACES,
    PLAYER_ACTIONS,
    PODS,
    STATEFUL_SETS,
)
from kubedrill.kube.refusals import is_not_found
from kubedrill.kube.watch import LAG, Collection, Watch, WatchEvent
from kubedrill.plugins.sources import actions, autoscaler, pods, workload
from kubedrill.plugins.sources.pod_counts import PodCounts
from kubedrill.plugins.sources.workload import OwnWrites

LOG = logging.getLogger(__name__)
SYNC_WITHIN: Final = 5.0
WORKLOADS: Final = {"Deployment": DEPLOYMENTS, "StatefulSet": STATEFUL_SETS}


@dataclass(frozen=True, slots=True)
class Scope:
    """Which drill is observed: its name, its control namespace, and when it was made."""

    drill: str
    control_namespace: str
    made: datetime


class NamespaceWatches:
    """The watches of one drill: pods, workloads, autoscalers and PlayerActions.

    `own` tells what the drill itself wrote (from its undo records), so that it is not taken for a change by
    somebody. `wake` is called when there are new facts. What people say waits until `hear` tells who the players are:
    before the start they may still be edited.
    """

    def __init__(
        self,
        kube: Kube,
        clock: ServerClock,
        inbox: FactInbox,
        wake: Callable[[], None],
        own: Callable[[], OwnWrites] = OwnWrites,
    ) -> None:
        self._kube, self._clock, self._inbox, self._wake, self._own = kube, clock, inbox, wake, own
        self._pods: Watch | None = None
        self._counts = PodCounts()
        self._workloads: list[Watch] = []
        self._targets: dict[str, Mapping[str, Any]] = {}
        self._is_listed = False
        self._watches: list[Watch] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._states: dict[str, Mapping[str, Any]] = {}
        self._namespace = ""
        self._players: tuple[Participant, ...] | None = None
        self._unread: list[tuple[actions.ActionScope, WatchEvent]] = []

    async def start(
        self,
        drill_plan: DrillPlan,
        scope: Scope,
        remembered: Iterable[Mapping[str, Any]] = (),
        since: datetime | None = None,
    ) -> None:
        """Starts the watches and waits (5 s at most) until everything was listed once.

        After a restart `remembered` are the workloads as `self.remembered` told them at `since`: what was
        changed in them meanwhile is told then.
        """
        if self._tasks:
            return
        namespace = self._namespace = drill_plan.target_namespace
        self._pods = self._watch(Collection(PODS.of(namespace), "Pod", since=since), self._pod_events)
        for kind, workloads in WORKLOADS.items():
            known = {o["metadata"]["uid"]: dict(o) for o in remembered if o["kind"] == kind}
            collection = Collection(workloads.of(namespace), kind, known=known, since=since)
            self._workloads.append(self._watch(collection, self._workload_events))
        self._watch(Collection(AUTOSCALERS.of(namespace), since=since), self._autoscaler_events)
        for place in dict.fromkeys((namespace, scope.control_namespace)):
            hearing = actions.ActionScope(scope.drill, (), scope.made, place == scope.control_namespace)
            collection = Collection(PLAYER_ACTIONS.of(place), since=since)
            self._watch(collection, partial(self._action_events, hearing))
        self._tasks = [asyncio.create_task(w.run(), name=f"watch {w.path}") for w in self._watches]
        try:
            async with asyncio.timeout(SYNC_WITHIN):
                for watch in self._watches:
                    await watch.synced.wait()
        except TimeoutError:
            LOG.warning("not everything could be listed: %s", "; ".join(self.problems))
        self._were_told((), ())

    async def stop(self) -> None:
        """Ends the watches."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks, self._watches, self._workloads, self._pods = [], [], [], None
        self._counts, self._targets, self._is_listed = PodCounts(), {}, False
        self._unread, self._players = [], None

    def hear(self, players: tuple[Participant, ...]) -> None:
        """Reads what was said so far, and from now on what is said, as the words of these players and of others."""
        self._players = players
        unread, self._unread = self._unread, []
        for hearing, event in unread:
            self._pour(_read(event, partial(_word, replace(hearing, players=players))))

    @property
    def problems(self) -> tuple[str, ...]:
        """Why watches don't stand; empty when all do."""
        return tuple(
            w.problem or f"{w.path} was not listed yet" for w in self._watches if w.problem or not w.synced.is_set()
        )

    @property
    def heard(self) -> datetime | None:
        """Until when everything was told; None while a watch has not listed yet. It bounds a later gap."""
        until = [w.told_until for w in self._watches]
        times = [t for t in until if t is not None]
        return min(times) if times and len(times) == len(until) else None

    @property
    def remembered(self) -> tuple[dict[str, Any], ...]:
        """The workloads as they are now, to be kept for a restart."""
        return tuple(workload.remembered(o) for w in self._workloads for o in w.objects)

    def workload(self, target: str) -> Mapping[str, Any] | None:
        """A workload (`Deployment/worker`) as it was told last; None when none was, or its watch was never listed."""
        return self._targets.get(target)

    def _watch(self, collection: Collection, told: Callable[[Sequence[WatchEvent]], None]) -> Watch:
        watch = Watch(self._kube, self._clock, collection, told, lambda gap: self._pour([gap]), self._is_gone)
        self._watches.append(watch)
        return watch

    async def _is_gone(self) -> bool:
        """Whether the target namespace is gone: a live 404. Then nothing of this drill is watched any more."""
        try:
            answer = await self._kube.get(NAMESPACES.one(self._namespace))
        except Unreachable:
            return False
        return is_not_found(answer, "namespaces", self._namespace)

    def _pod_events(self, events: Sequence[WatchEvent]) -> None:
        changed: set[str] = set()
        for event in events:
            self._pour(_read(event, lambda e: pods.facts_of(e.type, e.object, e.receipt, e.before)))
            changed |= self._counts.took(event.type, event.object)
        self._were_told(events, changed)

    def _workload_events(self, events: Sequence[WatchEvent]) -> None:
        own, changed = self._own(), set()
        for event in events:
            if event.before is not None and event.type == "MODIFIED":
                self._pour(_read(event, lambda e: workload.changes(e.before or {}, e.object, e.receipt, own)))
            changed.add(self._keep(event))
        self._were_told(events, changed)

    def _keep(self, event: WatchEvent) -> str:
        """Keeps a workload as it is told; gives its target. One without a name has none."""
        name = str((event.object.get("metadata") or {}).get("name", ""))
        if not name:
            return ""
        target = workload.target_of(event.object)
        if event.type != "DELETED":
            self._targets[target] = event.object
        elif (known := self._targets.get(target)) and known["metadata"].get("uid") == event.object["metadata"]["uid"]:
            del self._targets[target]  # unless it was made again and told already
        return target

    def _autoscaler_events(self, events: Sequence[WatchEvent]) -> None:
        for event in events:
            if event.type != "DELETED":
                self._pour(_read(event, lambda e: autoscaler.facts_of(e.before, e.object, e.receipt)))

    def _action_events(self, hearing: actions.ActionScope, events: Sequence[WatchEvent]) -> None:
        self._unread += [(hearing, event) for event in events if event.type != "DELETED"]
        if self._players is not None:
            self.hear(self._players)

    def _now(self) -> Received:
        now = self._clock.now()
        return Received(now, now - LAG, self._clock.error)

    def _were_told(self, events: Sequence[WatchEvent], changed: Iterable[str]) -> None:
        """Tells of the workloads that events have changed; of all, where what is waited for was listed only now."""
        if not self._is_listed:
            self._is_listed = self._pods is not None and all(w.listed for w in (self._pods, *self._workloads))
            changed = self._targets
        # Also where a listing was empty: it may be the last one that was waited for.
        self._tell_states(changed, events[-1].receipt if events else self._now())

    def _tell_states(self, targets: Iterable[str], receipt: Received) -> None:
        """Tells what the pods of these workloads look like, where that is new.

        Not before pods and workloads were listed: no pod seen yet is not the same as no pod there.
        """
        if not self._is_listed:
            return
        for target in sorted(targets):
            item = self._targets.get(target)
            if item is None:
                continue
            fact = workload.state(item, self._counts.of(target), receipt)
            if self._states.get(target) != fact.detail:
                self._states[target] = fact.detail
                self._pour([fact])

    def _pour(self, facts: Iterable[Fact]) -> None:
        if self._inbox.add(facts):
            self._wake()


def _word(hearing: actions.ActionScope, event: WatchEvent) -> tuple[Fact, ...]:
    return actions.facts_of(event.object, event.receipt, hearing)


def _read(event: WatchEvent, reader: Callable[[WatchEvent], tuple[Fact, ...]]) -> tuple[Fact, ...]:
    """The facts in one event; a poison object is logged and passed over, and holds up no other."""
    try:
        return reader(event)
    except Exception:
        LOG.exception("an object could not be read and is passed over: %s", event.object.get("metadata", {}))
        return ()

"""What the harness sees for itself, by watches of its own: values of targets, phases of Drills, the heartbeat."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Self

from tests.scale.world import CONTROL, DRILLS, LIMIT, TARGET

from kubedrill.core.paths import ApiPath
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.protocol.lease import BEAT_SECONDS, LEASE

TARGETS = "/apis/apps/v1/deployments"
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{CONTROL}/leases"


@dataclass
class Sight:
    """Since when each target has its limit and each Drill its phase (monotonic seconds), and how late beats came."""

    kube: Kube
    limits: dict[str, tuple[str, float]] = field(default_factory=dict)
    phases: dict[str, tuple[str, float]] = field(default_factory=dict)
    statuses: dict[str, dict[str, Any]] = field(default_factory=dict)
    stories: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    late: list[float] = field(default_factory=list)
    _beat: tuple[str, float] = ("", 0.0)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        only = [("fieldSelector", f"metadata.name={TARGET}")]
        self._tasks = [
            asyncio.create_task(self._follow(TARGETS, self._target, only)),
            asyncio.create_task(self._follow(DRILLS, self._drill, [])),
            asyncio.create_task(self._follow(LEASES, self._lease, [])),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def until(self, seen: Callable[[], bool], within: float) -> bool:
        """Waits until something was seen; False when it was not in time."""
        deadline = time.monotonic() + within
        while not seen():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._changed.clear()
            try:
                async with asyncio.timeout(left):
                    await self._changed.wait()
            except TimeoutError:
                return seen()
        return True

    def has_limit(self, namespace: str, limit: str) -> bool:
        """Whether a namespace's target has it now."""
        return self.limits.get(namespace, ("",))[0] == limit

    def is_in(self, drill: str, phase: str) -> bool:
        """Whether a Drill is in a phase."""
        return self.phases.get(drill, ("",))[0] == phase

    def beating_again(self) -> None:
        """From here on the time between beats counts: the operator has drills."""
        self._beat, self.late = ("", 0.0), []

    def lateness(self) -> float:
        """By how many seconds the latest beat was late, the one that is awaited now among them."""
        awaited = time.monotonic() - self._beat[1] - BEAT_SECONDS if self._beat[0] else 0.0
        return max([0.0, awaited, *self.late])

    def story(self, drill: str, began: float) -> str:
        """What a Drill's status said, and how many seconds after `began` it began to say so."""
        return "; ".join(f"+{at - began:.2f} s {said}" for at, said in self.stories.get(drill, ()) if at >= began)

    async def _follow(
        self, path: str, told: Callable[[str, dict[str, Any]], None], query: list[tuple[str, str]]
    ) -> None:
        while True:
            try:
                found = await self.kube.get(ApiPath(path), query=query)
                for item in found.body.get("items") or ():
                    told("ADDED", item)
                version = (found.body.get("metadata") or {}).get("resourceVersion", "")
                async for event in self.kube.watch(ApiPath(path), version, query):
                    if event["type"] == "ERROR":
                        break
                    if event["type"] != "BOOKMARK":
                        told(event["type"], event["object"])
                    self._changed.set()
            except Unreachable:
                await asyncio.sleep(0.2)

    def _target(self, _event: str, thing: dict[str, Any]) -> None:
        limit = str(reduce(lambda found, key: found[key], LIMIT, thing))
        if not self.has_limit(thing["metadata"]["namespace"], limit):
            self.limits[thing["metadata"]["namespace"]] = (limit, time.monotonic())

    def _drill(self, event: str, thing: dict[str, Any]) -> None:
        name = thing["metadata"]["name"]
        if event == "DELETED":
            self.phases[name] = ("gone", time.monotonic())
            return
        self.statuses[name] = thing.get("status") or {}
        phase = str(self.statuses[name].get("phase", ""))
        story, said = self.stories.setdefault(name, []), _in_words(self.statuses[name])
        if not story or story[-1][1] != said:
            story.append((time.monotonic(), said))
        if not self.is_in(name, phase):
            self.phases[name] = (phase, time.monotonic())

    def _lease(self, _event: str, thing: dict[str, Any]) -> None:
        if thing["metadata"]["name"] != LEASE:
            return
        renewed, now = str(thing["spec"]["renewTime"]), time.monotonic()
        if renewed != self._beat[0]:
            if self._beat[0]:
                self.late.append(now - self._beat[1] - BEAT_SECONDS)
            self._beat = (renewed, now)


def _in_words(status: dict[str, Any]) -> str:
    """A phase, and the conditions that don't hold or are not known."""
    open_ = [c for c in status.get("conditions") or () if c["status"] != "True" and c.get("message")]
    return " ".join([str(status.get("phase")), *(f"[{c['type']}: {c['message']}]" for c in open_)])[:300]

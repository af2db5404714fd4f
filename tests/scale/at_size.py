"""Fifty drills in play and a hundred held, in a cluster of 10,000 pods and 300 workloads."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterable
from typing import Final

from tests.faultmatrix.kubelet import FAULTED
from tests.scale.bounds import Findings, p99, spread
from tests.scale.nodes import noise
from tests.scale.operator_process import OperatorProcess
from tests.scale.requests import AuditTail, writes
from tests.scale.sight import Sight
from tests.scale.world import BIG, DRILLS, GOOD, HELD, World, drill, target_namespaces

from kubedrill.kube.client import MERGE_PATCH

EVERY: Final = 1.0
"""Seconds from one drill's start, or stop, to the next one's."""
WITHIN: Final = 90.0
"""A drill that is not where it should be after so many seconds is wedged."""
WINDOW: Final = 15.0
WINDOWS: Final = 3
EVENTS_PER_SECOND: Final = 40
SLOWEST: Final = 3
"""The story of so many of the slowest is told: why a bound does not hold is asked at once."""
SEED: Final = 20261128


class AtSize:
    """One run. `names` are the drills in play, by their target namespace."""

    def __init__(self, world: World, sight: Sight, operator: OperatorProcess, findings: Findings) -> None:
        self._world, self._sight, self._operator, self._findings = world, sight, operator, findings
        self._tail = AuditTail(world.plane.audit_log)
        self._names = {namespace: f"play-{namespace}" for namespace in target_namespaces()}
        self._held = [f"held-{n}" for n in range(HELD)]
        self._wedged: set[str] = set()

    async def measured(self) -> None:
        """Everything, in order."""
        await self._hold()
        self._tail.since()
        injected = await self._start()
        await self._costs()
        restored = await self._stop()
        asked = Counter(self._tail.since())
        found = self._findings
        found.stated(f"apply to fault: {spread(injected)}")
        found.stated(f"stop to restored: {spread(restored)}")
        found.bound("wedged drills", len(self._wedged), 0, f"of {len(self._names) + HELD} {sorted(self._wedged)[:5]}")
        found.bound("apply to fault in the spec, p99", p99(injected), 2, "s")
        found.bound("stop to restored, p99", p99(restored), 2, "s")
        found.bound("latest heartbeat", self._lateness, 5, "s late")
        found.bound("operator's memory, peak", self._operator.most_memory, 300, "MiB")
        found.stated(f"the rest of the requests: {dict(asked.most_common(12))}")

    async def _hold(self) -> None:
        """Two held drills on each of the namespaces."""
        namespaces = list(self._names)
        for number, name in enumerate(self._held):
            body = drill(name, namespaces[number % len(namespaces)], self._world.ports, "Hold")
            await self._world.must("POST", DRILLS, body)
        await self._all_are(self._held, "Held")

    async def _start(self) -> list[float]:
        self._sight.beating_again()
        began = {}
        for namespace, name in self._names.items():
            self._operator.demand_alive()
            began[namespace] = time.monotonic()
            await self._world.must("POST", DRILLS, drill(name, namespace, self._world.ports))
            await asyncio.sleep(max(0.0, began[namespace] + EVERY - time.monotonic()))
        await self._all_are(self._names.values(), "InPlay")
        return self._took(began, FAULTED)

    async def _costs(self) -> None:
        """Seconds with pod events in the big namespace, and seconds without, by turns."""
        dice = random.Random(SEED)  # noqa: S311  no secret
        patches = noise(BIG, sorted(self._world.nodes.ready[BIG]), dice)
        asked_before = Counter(self._tail.since())
        quiet = busy = 0.0
        events, connections = 0, 0
        asked: Counter[str] = Counter()
        for _ in range(WINDOWS):
            began = self._operator.processor_seconds
            await asyncio.sleep(WINDOW)
            quiet += self._operator.processor_seconds - began
            asked.update(self._tail.since())
            connections = max(connections, self._operator.connections)
            began, until = self._operator.processor_seconds, time.monotonic() + WINDOW
            while time.monotonic() < until:
                path, body = next(patches)
                at = time.monotonic()
                answer = await self._world.kube.call("PATCH", path, body, content_type=MERGE_PATCH)
                events += answer.ok
                await asyncio.sleep(max(0.0, at + 1 / EVENTS_PER_SECOND - time.monotonic()))
            busy += self._operator.processor_seconds - began
            self._tail.since()
        found, seconds, drills = self._findings, WINDOWS * WINDOW, len(self._names)
        found.stated(
            f"fifty drills begun: {sum(asked_before.values()) / drills:.1f} requests of the API server a drill"
        )
        found.stated(
            f"in play, with {HELD} held: {sum(asked.values()) / seconds:.1f} requests/s of the API server, of which"
            f" {sum(writes(list(asked.elements())).values()) / seconds:.1f} write; {asked.most_common(8)}"
        )
        found.stated(f"open connections: {connections} ({connections / drills:.1f} a drill in play)")
        found.stated(f"processor: {1000 * quiet / seconds:.0f} millicores without pod events")
        found.stated(f"{events} pod events in {seconds:.0f} s, {1000 * busy / seconds:.0f} millicores")
        found.bound("a pod event, of the operator's time", 1000 * max(0.0, busy - quiet) / max(1, events), 2, "ms")

    async def _stop(self) -> list[float]:
        began = {}
        for namespace, name in self._names.items():
            self._operator.demand_alive()
            began[namespace] = time.monotonic()
            await self._world.must("PATCH", f"{DRILLS}/{name}", {"spec": {"desired": "Stop"}}, MERGE_PATCH)
            await asyncio.sleep(max(0.0, began[namespace] + EVERY - time.monotonic()))
        self._lateness = self._sight.lateness()
        await self._all_are(self._names.values(), "Stopped")
        return self._took(began, GOOD)

    async def _all_are(self, names: Iterable[str], phase: str) -> None:
        """Waits until all are in a phase; those that are not in time are wedged."""
        wanted = list(names)
        began = time.monotonic()
        await self._sight.until(lambda: all(self._sight.is_in(name, phase) for name in wanted), WITHIN)
        late = [name for name in wanted if not self._sight.is_in(name, phase)]
        self._wedged.update(late)
        for name in late[:3]:
            self._findings.stated(f"{name} is {self._sight.phases.get(name)}, not {phase}: {self._said(name)}")
        self._findings.stated(
            f"{len(wanted) - len(late)} of {len(wanted)} are {phase} after {time.monotonic() - began:.1f} s"
        )

    def _said(self, name: str) -> str:
        conditions = self._sight.statuses.get(name, {}).get("conditions") or ()
        return "; ".join(f"{c['type']}={c['status']} {c.get('message', '')}" for c in conditions)[:600]

    def _took(self, began: dict[str, float], limit: str) -> list[float]:
        """Seconds until each target had this limit; those that have another one count as never."""
        never = time.monotonic()
        took = {
            space: (self._sight.limits[space][1] if self._sight.has_limit(space, limit) else never) - at
            for space, at in began.items()
        }
        for space in sorted(took, key=took.__getitem__)[-SLOWEST:]:
            story = self._sight.story(self._names[space], began[space])
            self._findings.stated(f"{limit} in {space} took {took[space]:.2f} s: {story}")
        return list(took.values())

"""A small cluster: how quick one drill is beside `kubectl patch`, what the operator costs after a hundred, and idle."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from typing import Final

from tests.faultmatrix.kubelet import FAULTED
from tests.scale.bounds import Findings, p99, spread
from tests.scale.operator_process import OperatorProcess
from tests.scale.requests import AuditTail, writes
from tests.scale.sight import Sight
from tests.scale.world import DRILLS, GOOD, SMALL, TARGET, Workload, World, drill

from kubedrill.kube.client import MERGE_PATCH

ROUNDS: Final = 100
WITHIN: Final = 60.0
SETTLED_AFTER: Final = 45.0
"""Drills that are gone are looked for until it is sure that they are."""
IDLE: Final = 60.0
QUICK: Final = 0.5
TIMES: Final = 5


class Small:
    """One run, in a namespace with one Deployment."""

    def __init__(self, world: World, sight: Sight, operator: OperatorProcess, findings: Findings) -> None:
        self._world, self._sight, self._operator, self._findings = world, sight, operator, findings
        self._tail = AuditTail(world.plane.audit_log)

    async def measured(self) -> None:
        """All rounds, then a while of nothing."""
        await self._world.fill([Workload(SMALL, TARGET, 3)], WITHIN)
        await self._sight.until(lambda: self._sight.has_limit(SMALL, GOOD), WITHIN)
        patched, injected, restored = [], [], []
        self._tail.since()
        for number in range(ROUNDS):
            self._operator.demand_alive()
            patched.append(await self._patch(number))
            begun, put_back = await self._round(f"small-{number}")
            injected.append(begun)
            restored.append(put_back)
        found = self._findings
        found.stated(f"kubectl patch: {spread(patched)}")
        found.stated(f"command to fault: {spread(injected)}")
        found.stated(f"stop to restored: {spread(restored)}")
        found.stated(f"{len(self._tail.since()) / ROUNDS:.1f} requests of the API server a drill")
        times = statistics.median(i / p for i, p in zip(injected, patched, strict=True))
        most = max(QUICK, TIMES * statistics.median(patched))
        found.stated(f"command to fault is {times:.1f} times kubectl patch, at the median of the pairs")
        found.bound("small: command to fault in the spec, median", statistics.median(injected), most, "s")
        found.bound("small: stop to restored, p99", p99(restored), 1, "s")
        found.bound(f"small: memory after {ROUNDS} drills", self._operator.memory, 100, "MiB")
        await self._idle()

    async def _idle(self) -> None:
        await asyncio.sleep(SETTLED_AFTER)
        self._tail.since()
        spent = self._operator.processor_seconds
        await asyncio.sleep(IDLE)
        spent, asked = self._operator.processor_seconds - spent, self._tail.since()
        self._findings.bound("small: idle", 1000 * spent / IDLE, 5, "millicores")
        written = writes(asked)
        self._findings.bound("small: writes when idle", written.total(), 0, f"in {IDLE:g} s {dict(written) or ''}")

    async def _patch(self, number: int) -> float:
        """Seconds of one `kubectl patch` of the target, from its start to its end; it changes an annotation."""
        change = json.dumps({"metadata": {"annotations": {"round": str(number)}}})
        began = time.monotonic()
        await self._kubectl("patch", "deployment", TARGET, "-n", SMALL, "--type=merge", "-p", change)
        return time.monotonic() - began

    async def _round(self, name: str) -> tuple[float, float]:
        """One drill, made by `kubectl create` and stopped; seconds to the fault, and to the declared state."""
        file = self._world.plane.folder / "drill.json"
        file.write_text(json.dumps(drill(name, SMALL, self._world.ports)))
        began = time.monotonic()
        await self._kubectl("create", "-f", str(file))
        await self._seen(FAULTED, name)
        injected = self._sight.limits[SMALL][1] - began
        await self._is(name, "InPlay")
        stopped = time.monotonic()
        await self._world.must("PATCH", f"{DRILLS}/{name}", {"spec": {"desired": "Stop"}}, MERGE_PATCH)
        await self._seen(GOOD, name)
        restored = self._sight.limits[SMALL][1] - stopped
        await self._is(name, "Stopped")
        await self._world.must("DELETE", f"{DRILLS}/{name}")
        await self._is(name, "gone")
        return injected, restored

    async def _seen(self, limit: str, name: str) -> None:
        seen = await self._sight.until(lambda: self._sight.has_limit(SMALL, limit), WITHIN)
        assert seen, f"{name}: the target never had {limit}: {self._sight.statuses.get(name)}"

    async def _is(self, name: str, phase: str) -> None:
        seen = await self._sight.until(lambda: self._sight.is_in(name, phase), WITHIN)
        assert seen, f"{name} was never {phase}: {self._sight.statuses.get(name)}"

    async def _kubectl(self, *words: str) -> None:
        plane = self._world.plane
        arguments = ("--kubeconfig", str(plane.kubeconfig), *words)
        process = await asyncio.create_subprocess_exec(plane.kubectl, *arguments, stdout=asyncio.subprocess.DEVNULL)
        assert await process.wait() == 0, words

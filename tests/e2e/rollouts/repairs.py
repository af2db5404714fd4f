"""The table's workloads under a whole drill's hands: injected and put back by the protocol, repaired by kubectl."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from tests.e2e.faults.field import ARM_WITHIN, Field, kubectl, ready, until_none
from tests.e2e.faults.rows import AS_PLANNED, FAULT_LIMIT, Row
from tests.e2e.protocol.lab import WallClock, operator_of
from tests.e2e.rollouts.verbs import Verb

from kubedrill.api.faults import WorkloadTarget
from kubedrill.core.plan.drill_plan import Endpoint
from kubedrill.core.undo.operations import Operation, Refusal
from kubedrill.core.undo.record import DrillIdentity
from kubedrill.kube.client import Kube
from kubedrill.plugins.faults import memory_limit
from kubedrill.plugins.faults.base import Observed, Plan
from kubedrill.plugins.faults.memory_limit import MemoryLimit
from kubedrill.protocol.inject import inject
from kubedrill.protocol.outcomes import Injection, Reversal
from kubedrill.protocol.release import release
from kubedrill.protocol.revert import revert
from kubedrill.store import undo_records
from kubedrill.store.undo_records import list_records

NO_EFFECT: Final = "62Mi"
"""Below the limit that the containers have, and above what they use."""
LONG: Final = timedelta(minutes=10)
STATUS_WITHIN: Final = 180
"""Seconds for `kubectl rollout status`: far less than the `minReadySeconds` that hold a rollout for LONG."""


@dataclass
class Repaired:
    """What came of a repair: what `kubectl rollout status` said and whether it succeeded."""

    succeeded: bool
    said: str


class Repairs:
    """All planned rows in one namespace, their undo records in another."""

    def __init__(self, namespace: str, control: str, operator: str) -> None:
        self.field = Field(namespace, AS_PLANNED)
        self.control, self._operator = control, operator
        self._drill = DrillIdentity("", "strategies", control, namespace)

    def settled(self) -> None:
        """Wait until every workload could be faulted."""
        until_none(self._refused, 180, "all workloads are settled")

    def _refused(self) -> dict[str, str]:
        return {name: p.message for name, p in self._plans(FAULT_LIMIT, LONG).items() if isinstance(p, Refusal)}

    def _plans(self, limit: str, arm_within: timedelta) -> dict[str, Plan[MemoryLimit] | Refusal]:
        objects = self.field.objects()
        return {row.name: self._plan(row, objects[row.name], limit, arm_within) for row in self.field.rows}

    def _plan(
        self, row: Row, workload: Mapping[str, Any], limit: str, arm_within: timedelta
    ) -> Plan[MemoryLimit] | Refusal:
        target = WorkloadTarget(kind=row.kind, name=row.name)
        params = MemoryLimit(target=target, limit=limit, affected=row.affected)
        (seen,) = memory_limit.targets(params, self.field.namespace)
        monitoring = Endpoint("", "", 0)
        return memory_limit.plan(
            params, Observed(row.name, "", self.field.namespace, monitoring, arm_within, {seen: workload})
        )

    def inject(self, limit: str, arm_within: timedelta) -> None:
        """Fault every workload, as a drill of many faults does."""
        plans = self._plans(limit, arm_within)
        operations = {name: p.operations for name, p in plans.items() if isinstance(p, Plan)}
        assert len(operations) == len(plans), plans
        asyncio.run(self._inject(operations))

    async def _inject(self, operations: Mapping[str, tuple[Operation, ...]]) -> None:
        self._drill = replace(self._drill, uid=f"drill-{time.monotonic_ns()}")
        async with self._connected() as kube:
            clock = WallClock()
            deadline = clock.now() + ARM_WITHIN * 100
            for _ in range(20):  # a controller may write a workload in the same moment
                outcome = await inject(kube, self._drill, operations, deadline, clock)
                if outcome.state is Injection.INJECTED:
                    return
                assert outcome.state is Injection.PENDING, outcome.why
            raise AssertionError(outcome.why)

    def put_back(self) -> None:
        """Revert and close every record, as a turn does: again until each is done."""
        until_none(lambda: asyncio.run(self._put_back()), 120, "everything is restored")

    async def _put_back(self) -> list[str]:
        left = []
        async with self._connected() as kube:
            for stored in (await list_records(kube, self.control)).readable:
                outcome = await revert(kube, stored.ref, "Operator", WallClock())
                if outcome.state is Reversal.REVERTED and outcome.stored is not None:
                    await undo_records.close(kube, outcome.stored)
                else:
                    left.append(f"{stored.record.subject}: {outcome.message}")
        return left

    @contextlib.contextmanager
    def releasing(self) -> Iterator[None]:
        """An operator that lets go the rollout of every target whose fault is out."""
        over = threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(self._release_until(over)))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    async def _release_until(self, over: threading.Event) -> None:
        async with self._connected() as kube:
            while not over.is_set():
                for stored in (await list_records(kube, self.control)).readable:
                    await release(kube, stored.ref)
                await asyncio.sleep(0.2)

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[Kube]:
        kube = await Kube.connect(as_user=self._operator)
        try:
            yield kube
        finally:
            await kube.close()

    def _uids(self) -> dict[str, set[str]]:
        return {name: {p["metadata"]["uid"] for p in pods} for name, pods in self.field.pods().items()}

    def _gone_until(self, over: Callable[[], bool], before: Mapping[str, set[str]]) -> dict[str, int]:
        gone: dict[str, int] = defaultdict(int)
        while not over():
            now = self._uids()
            for name, uids in before.items():
                gone[name] = max(gone[name], len(uids - now.get(name, set())))
            time.sleep(1)
        return dict(gone)

    def without_effect(self) -> dict[str, int]:
        """A limit that does not bite, until the drill gives up: how many serving pods were replaced by then."""
        before = self._uids()
        self.inject(NO_EFFECT, ARM_WITHIN)
        end = time.monotonic() + ARM_WITHIN.total_seconds() + 5
        gone = self._gone_until(lambda: time.monotonic() > end, before)
        self.put_back()
        return gone

    def repaired(self, verbs: Mapping[str, Verb]) -> dict[str, Repaired]:
        """Every row faulted, and repaired by its verb while the operator watches."""
        self.field.killed.clear()
        self.inject(FAULT_LIMIT, LONG)
        until_none(self._not_killed, 120, "so many killed pods as the table says")
        with self.releasing(), ThreadPoolExecutor(len(verbs)) as pool:
            by_name = {row.name: row for row in self.field.rows}
            tried = {name: pool.submit(self._repair, by_name[name], verb) for name, verb in verbs.items()}
            return {name: future.result() for name, future in tried.items()}

    def _not_killed(self) -> dict[str, int]:
        self.field.pods()
        left = {row.name: (row.affected or 0) - len(self.field.killed[row.name]) for row in self.field.rows}
        return {name: number for name, number in left.items() if number > 0}

    def _repair(self, row: Row, verb: Verb) -> Repaired:
        verb(self.field.namespace, row)
        if row.kind == "StatefulSet" and row.pods == "OrderedReady":
            self._unstick(row)
        what = f"{row.kind}/{row.name}"
        command = ["kubectl", "-n", self.field.namespace, "rollout", "status", what, f"--timeout={STATUS_WITHIN}s"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return Repaired(done.returncode == 0, done.stdout + done.stderr)

    def _unstick(self, row: Row) -> None:
        """The controller waits for a broken pod of an ordered set for ever, with us or without: people delete it."""
        broken = [p["metadata"]["name"] for p in self.field.pods()[row.name] if not ready(p)]
        if broken:
            kubectl("-n", self.field.namespace, "delete", "pod", *broken, "--ignore-not-found")

    def ill(self) -> dict[str, list[str]]:
        """Pods that are not ready or still have the fault, by row; rows whose pods are all well are left out."""
        found = {}
        for name, pods in self.field.pods().items():
            bad = [p["metadata"]["name"] for p in pods if not ready(p) or _limit(p) == FAULT_LIMIT]
            if bad:
                found[name] = bad
        return found


@contextlib.contextmanager
def in_namespaces_of_its_own(name: str) -> Iterator[Repairs]:
    """Every planned row's workload in a new namespace, its undo records in another."""
    run = uuid.uuid4().hex[:8]
    namespace, control = f"{name}-{run}-app", f"{name}-{run}-drills"
    operator = operator_of(control)
    kubectl("create", "namespace", namespace)
    kubectl("create", "namespace", control)
    # a policy lets nobody else write undo records there
    kubectl("create", "clusterrolebinding", control, "--clusterrole=cluster-admin", f"--user={operator}")
    repairs = Repairs(namespace, control, operator)
    repairs.field.apply()
    try:
        yield repairs
    finally:
        kubectl("delete", "secrets", "-n", control, "--all", "--as", operator)
        kubectl("delete", "clusterrolebinding", control)
        kubectl("delete", "namespace", namespace, control, "--wait=false")


def _limit(pod: Mapping[str, Any]) -> str:
    return str(pod["spec"]["containers"][0]["resources"]["limits"]["memory"])


def shown(workload: Mapping[str, Any]) -> str:
    """A workload's strategy and times, for comparison."""
    spec = workload["spec"]
    names = ("strategy", "updateStrategy", "minReadySeconds", "progressDeadlineSeconds")
    return json.dumps({name: spec[name] for name in names if name in spec}, sort_keys=True)

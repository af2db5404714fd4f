"""The workloads of the table on the real cluster: applied, faulted by plain JSON Patch, watched."""

from __future__ import annotations

import json
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

from tests.e2e.faults.rows import FAULT_LIMIT, Row

from kubedrill.api.faults import WorkloadTarget
from kubedrill.core.plan.drill_plan import Endpoint
from kubedrill.core.undo.operations import Refusal, SetFields
from kubedrill.plugins.faults import memory_limit
from kubedrill.plugins.faults.base import Observed, Plan
from kubedrill.plugins.faults.memory_limit import MemoryLimit

ARM_WITHIN: Final = timedelta(seconds=20)
AT_ONCE: Final = 5
"""Workloads that are faulted together."""
STILL_FOR: Final = 25
"""Seconds without another pod killed: more than the rows' own minReadySeconds, so that a rollout that goes on shows."""


def kubectl(*arguments: str, given: Any = None) -> str:
    """Run kubectl, with an object as its input; a failure shows its complaint."""
    done = subprocess.run(
        ["kubectl", *arguments],
        input=None if given is None else json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"kubectl {' '.join(arguments)}\n{done.stderr[-2000:]}"
    return done.stdout


def until_none(missing: Callable[[], Any], within: float, what: str) -> None:
    """Look every second until nothing is missing; not in time is a failure that says what still is."""
    deadline = time.monotonic() + within
    while still := missing():
        assert time.monotonic() < deadline, f"not within {within:.0f} s: {what}; missing: {still}"
        time.sleep(1)


@dataclass(frozen=True)
class Outcome:
    """What came of a row: pods that were OOM-killed, and ready pods with the old limit."""

    failing: int
    serving: int


class Field:
    """All rows' workloads in one namespace."""

    def __init__(self, namespace: str, rows: Iterable[Row]) -> None:
        self.namespace = namespace
        self.rows = tuple(rows)
        self.killed: dict[str, set[str]] = defaultdict(set)
        """Names of the pods that were seen OOM-killed, by row."""

    def apply(self) -> None:
        """Make all workloads at once."""
        manifests = {"apiVersion": "v1", "kind": "List", "items": [row.manifest() for row in self.rows]}
        kubectl("-n", self.namespace, "apply", "-f", "-", given=manifests)

    def objects(self) -> dict[str, dict[str, Any]]:
        """All workloads by name."""
        listed = json.loads(kubectl("-n", self.namespace, "get", "deployments,statefulsets", "-o", "json"))
        return {item["metadata"]["name"]: item for item in listed["items"]}

    def pods(self) -> dict[str, list[dict[str, Any]]]:
        """All pods by row; notes those that were OOM-killed."""
        by_row = defaultdict(list)
        for pod in json.loads(kubectl("-n", self.namespace, "get", "pods", "-o", "json"))["items"]:
            row = pod["metadata"]["labels"]["app"]
            by_row[row].append(pod)
            if _was_oom_killed(pod):
                self.killed[row].add(pod["metadata"]["name"])
        return by_row

    def plans(self) -> dict[str, Plan[MemoryLimit] | Refusal]:
        """What is planned for each row as it is now; refused while it is not settled."""
        objects = self.objects()
        return {row.name: self._plan(row, objects[row.name]) for row in self.rows}

    def unsettled(self) -> dict[str, str]:
        """Rows that can't be faulted yet, and why."""
        return {name: plan.message for name, plan in self.plans().items() if isinstance(plan, Refusal)}

    def _plan(self, row: Row, workload: Mapping[str, Any]) -> Plan[MemoryLimit] | Refusal:
        target = WorkloadTarget(kind=row.kind, name=row.name)
        # for the limit alone the number does not matter, as its strategy is left as it is
        number = row.affected or (row.replicas if row.strategy["type"] == "Recreate" else 1)
        params = MemoryLimit(target=target, limit=FAULT_LIMIT, affected=number)
        (seen,) = memory_limit.targets(params, self.namespace)
        observed = Observed("squeeze", "", self.namespace, Endpoint("", "", 0), ARM_WITHIN, {seen: workload})
        return memory_limit.plan(params, observed)

    def inject(self, within: float) -> None:
        """Fault all workloads, a few at a time; go on when all of them have their number of killed pods.

        All at once the node's kubelet falls behind: it was seen to tell 15 s late that a container had died,
        which is as long as the pods must be ready to be taken for available ones.
        """
        for first in range(0, len(self.rows), AT_ONCE):
            wave = self.rows[first : first + AT_ONCE]
            plans = self.plans()
            for row in wave:
                self._inject(row, plans[row.name])
            until_none(partial(self._missing, wave), within, "so many killed pods as the table says")

    def _inject(self, row: Row, plan: Plan[MemoryLimit] | Refusal) -> None:
        """Patch as planned; a row of "the limit alone" without what was planned for its strategy."""
        assert isinstance(plan, Plan), plan
        (operation,) = plan.operations
        assert isinstance(operation, SetFields)
        fields = {
            change.path: change.value
            for change in operation.changes
            if row.affected is not None or "/resources/" in change.path
        }
        self.patch(row, fields)

    def patch(self, row: Row, fields: Mapping[str, Any]) -> None:
        """Set fields by JSON Patch."""
        patch = [{"op": "add", "path": path, "value": value} for path, value in fields.items()]
        kubectl("-n", self.namespace, "patch", row.kind, row.name, "--type=json", "-p", json.dumps(patch))

    def outcomes(self, within: float) -> dict[str, Outcome]:
        """What came of each row, when no other pod was killed for a while."""
        known, since, deadline = self._count(), time.monotonic(), time.monotonic() + within
        while time.monotonic() < since + STILL_FOR:
            assert time.monotonic() < deadline, f"more and more pods are killed: {dict(self.killed)}"
            time.sleep(1)
            self.pods()
            if self._count() != known:
                known, since = self._count(), time.monotonic()
        pods = self.pods()
        return {r.name: Outcome(len(self.killed[r.name]), serving(pods[r.name])) for r in self.rows}

    def _count(self) -> int:
        return sum(map(len, self.killed.values()))

    def _missing(self, rows: Iterable[Row]) -> dict[str, int]:
        """How many killed pods each of these rows still lacks."""
        self.pods()
        left = {row.name: row.failing - len(self.killed[row.name]) for row in rows}
        return {name: number for name, number in left.items() if number > 0}


def serving(pods: Iterable[Mapping[str, Any]]) -> int:
    """Pods that have the old limit and are ready."""
    return sum(1 for pod in pods if _limit(pod) != FAULT_LIMIT and ready(pod))


def ready(pod: Mapping[str, Any]) -> bool:
    """Whether a pod's Ready condition is true."""
    conditions = pod["status"].get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _limit(pod: Mapping[str, Any]) -> str:
    return str(pod["spec"]["containers"][0]["resources"]["limits"]["memory"])


def _was_oom_killed(pod: Mapping[str, Any]) -> bool:
    states = [status.get(when, {}).get("terminated", {}) for status in pod["status"].get("containerStatuses", [])
              for when in ("state", "lastState")]  # fmt: skip
    return any(state.get("reason") == "OOMKilled" and state.get("exitCode") == 137 for state in states)

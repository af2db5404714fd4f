"""How fast a drill injects and puts back, and what the operator costs, on the current cluster.

`python bench/latency.py [--rounds 30]` against a cluster with the operator and the staging app (its Prometheus is
asked; its workers are left alone: the target is a Deployment of its own). Prints Markdown for bench/README.md.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import time
from typing import Any

from kubedrill.kube.client import MERGE_PATCH, Kube

NAMESPACE, CONTROL, NAME = "bench", "drills", "bench"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
DRILLS = f"/apis/kubedrill.dev/v1alpha1/namespaces/{CONTROL}/drills"
LIMIT, LOWERED = "64Mi", "32Mi"


def target() -> dict[str, Any]:
    """Three pods that sleep; the lowered limit does not hurt them, so rounds are short."""
    container = {
        "name": "app",
        "image": "localhost/kubedrill/staging-app:dev",
        "command": ["sleep", "100000"],
        "resources": {"limits": {"memory": LIMIT}, "requests": {"memory": LIMIT}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": NAME},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": NAME}},
            "template": {
                "metadata": {"labels": {"app": NAME}},
                "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
            },
        },
    }


def drill(number: int) -> dict[str, Any]:
    """A drill of one fault; its alert is the staging app's, which stays silent."""
    return {
        "apiVersion": "kubedrill.dev/v1alpha1",
        "kind": "Drill",
        "metadata": {"name": f"{NAME}-{number}"},
        "spec": {
            "targetNamespace": NAMESPACE,
            "monitoring": {
                "prometheus": {"name": "prometheus", "port": 9090, "namespace": "staging"},
                "alertmanager": {"name": "alertmanager", "port": 9093, "namespace": "staging"},
            },
            "scenario": {
                "title": "bench",
                "expectedAlerts": [{"name": "HighQueueDepth"}],
                "faults": [
                    {
                        "name": "limit",
                        "memoryLimit": {
                            "target": {"kind": "Deployment", "name": NAME},
                            "limit": LOWERED,
                            "affected": 3,
                        },
                    }
                ],
            },
        },
    }


def limit_of(obj: dict[str, Any]) -> str:
    """The container's memory limit."""
    return str(obj["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"])


class Watcher:
    """When the target's limit took each value, as its own watch tells."""

    def __init__(self, kube: Kube) -> None:
        self._kube, self._changed = kube, asyncio.Condition()
        self.limit, self.at = "", 0.0

    async def run(self) -> None:
        """Watches for ever."""
        while True:
            found = await self._kube.get(f"{DEPLOYMENTS}/{NAME}")
            async for event in self._kube.watch(DEPLOYMENTS, found.body["metadata"]["resourceVersion"]):
                if event["type"] in ("ADDED", "MODIFIED") and event["object"]["metadata"]["name"] == NAME:
                    async with self._changed:
                        if limit_of(event["object"]) != self.limit:
                            self.limit, self.at = limit_of(event["object"]), time.monotonic()
                            self._changed.notify_all()

    async def until(self, limit: str) -> float:
        """The instant at which the limit was this."""
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(lambda: self.limit == limit), 60)
            return self.at


async def settled(kube: Kube) -> None:
    """Waits until the Deployment is whole."""
    while True:
        status = (await kube.get(f"{DEPLOYMENTS}/{NAME}")).body.get("status", {})
        if status.get("availableReplicas") == status.get("updatedReplicas") == status.get("replicas") == 3:
            return
        await asyncio.sleep(0.2)


async def one_round(kube: Kube, watcher: Watcher, number: int) -> tuple[float, float]:
    """Apply, wait for the fault, stop, wait for the declared state. Seconds each."""
    await settled(kube)
    made = await kube.call("POST", DRILLS, drill(number))
    assert made.ok, made.message
    applied = time.monotonic()
    injected = await watcher.until(LOWERED) - applied
    stopping = time.monotonic()
    await kube.call("PATCH", f"{DRILLS}/{NAME}-{number}", {"spec": {"desired": "Stop"}}, content_type=MERGE_PATCH)
    restored = await watcher.until(LIMIT) - stopping
    await kube.call("DELETE", f"{DRILLS}/{NAME}-{number}")
    while (await kube.get(f"{DRILLS}/{NAME}-{number}")).status != 404:
        await asyncio.sleep(0.1)
    return injected, restored


def row(what: str, seconds: list[float], aim: str) -> str:
    """A line of the table, in milliseconds."""
    ms = sorted(1000 * s for s in seconds)
    p99 = ms[min(len(ms) - 1, round(0.99 * (len(ms) - 1)))]
    return f"| {what} | {statistics.median(ms):.0f} | {p99:.0f} | {ms[0]:.0f}–{ms[-1]:.0f} | {len(ms)} | {aim} |"


async def measured(rounds: int) -> None:
    """All rounds, then what the operator costs when idle."""
    kube = await Kube.connect()
    await kube.call("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    subprocess.run(["kubedrill", "opt-in", NAMESPACE], check=True, stdout=subprocess.DEVNULL)
    await kube.call("POST", DEPLOYMENTS, target())
    watcher = Watcher(kube)
    watching = asyncio.create_task(watcher.run())
    results = [await one_round(kube, watcher, n) for n in range(rounds)]
    watching.cancel()
    print("| what | p50 ms | p99 ms | range | n | aim |\n|---|---|---|---|---|---|")
    print(row("apply returned → fault in the target's spec", [r[0] for r in results], "p50 ≤ 150, p99 ≤ 400"))
    print(row("stop sent → declared state back", [r[1] for r in results], "p99 ≤ 1,000"))
    before, cpu = metrics(), time.monotonic()
    await asyncio.sleep(60)
    after, spent = metrics(), time.monotonic() - cpu
    print(
        f"\noperator: RSS {after['process_resident_memory_bytes'] / 2**20:.0f} MiB (aim ≤ 90), idle CPU"
        f" {1000 * (after['process_cpu_seconds_total'] - before['process_cpu_seconds_total']) / spent:.1f} millicores"
        " (aim ≤ 10)"
    )
    await kube.call("DELETE", f"/api/v1/namespaces/{NAMESPACE}")
    await kube.close()


def metrics() -> dict[str, float]:
    """The operator's own figures."""
    path = f"/api/v1/namespaces/{CONTROL}/services/kubedrill:8080/proxy/metrics"
    text = subprocess.run(["kubectl", "get", "--raw", path], capture_output=True, text=True, check=True).stdout
    pairs = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    asyncio.run(measured(parser.parse_args().rounds))

"""A small target for small drills, and the operator as a test handles it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.e2e.staging.copies import kubectl, until

NAMESPACE, CONTROL, TARGET = "kills", "drills", "victim"
GOOD, LOWERED = "64Mi", "24Mi"
POINTS_OF_INJECTION = ("started-written", "record-written", "fault-patched", "injected-written")
POINTS_OF_REVERT = ("revert-patched", "reverted-written")


def workload() -> str:
    """Two pods that hold 40 MiB: the lowered limit kills them."""
    container = {
        "name": "app",
        "image": "localhost/kubedrill/staging-app:dev",
        "command": ["python3", "-c", "import time; held = b'x' * (40 << 20); time.sleep(1e6)"],
        "resources": {"limits": {"memory": GOOD}, "requests": {"memory": GOOD}},
    }
    return json.dumps(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": TARGET, "namespace": NAMESPACE},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": {"app": TARGET}},
                "template": {
                    "metadata": {"labels": {"app": TARGET}},
                    "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
                },
            },
        }
    )


def drill(name: str, *, alert: str = "HighQueueDepth", faults: list[dict[str, Any]] | None = None, **spec: Any) -> str:
    """A drill on it; its alert is the staging app's, loaded and silent, and so is what is said to hurt the client."""
    monitoring = {
        "prometheus": {"name": "prometheus", "port": 9090, "namespace": "staging"},
        "alertmanager": {"name": "alertmanager", "port": 9093, "namespace": "staging"},
    }
    faults = [memory_limit()] if faults is None else faults
    return json.dumps(
        {
            "apiVersion": "kubedrill.dev/v1alpha1",
            "kind": "Drill",
            "metadata": {"name": name, "namespace": CONTROL},
            "spec": {
                "targetNamespace": NAMESPACE,
                "monitoring": monitoring,
                "scenario": {
                    "title": "a small drill",
                    "expectedAlerts": [{"name": alert}],
                    "faults": faults,
                    "mitigated": {"query": "sum(queue_depth)"},
                },
            }
            | spec,
        }
    )


def memory_limit(**changes: Any) -> dict[str, Any]:
    """The fault: one pod of the target is killed."""
    limit = {"target": {"kind": "Deployment", "name": TARGET}, "limit": LOWERED, "affected": 1}
    return {"name": "limit", "memoryLimit": limit | changes}


def target() -> dict[str, Any]:
    """The target as it is."""
    return json.loads(kubectl("-n", NAMESPACE, "get", "deployment", TARGET, "-o", "json", "--show-managed-fields"))


def limit_of(found: dict[str, Any]) -> str:
    """Its container's memory limit."""
    return found["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"]


def status(name: str) -> dict[str, Any]:
    """A Drill's status."""
    return json.loads(kubectl("-n", CONTROL, "get", "drill", name, "-o", "json")).get("status") or {}


def in_phase(name: str, *phases: str, within: float = 90) -> dict[str, Any]:
    """The status once the drill is in one of these phases."""
    until(lambda: status(name).get("phase") in phases, within, f"drill {name} {' or '.join(phases)}")
    return status(name)


def stop(name: str) -> None:
    """What `kubectl drill stop` does."""
    kubectl("-n", CONTROL, "patch", "drill", name, "--type=merge", "-p", '{"spec":{"desired":"Stop"}}')


def records() -> str:
    """The undo records that there are."""
    return kubectl("get", "secrets", "-n", CONTROL, "--field-selector", "type=kubedrill.dev/undo", "-o", "name")


def operators_pods() -> list[str]:
    """Names of the operator's pods."""
    return kubectl("-n", CONTROL, "get", "pods", "-l", "app.kubernetes.io/name=kubedrill", "-o", "name").split()


@contextmanager
def pausing_at(point: str) -> Iterator[None]:
    """The operator waits for ever at a named point of the protocol. Afterwards it is as it was."""
    configure(f"KUBEDRILL_PAUSE_AT={point}")
    kubectl("-n", CONTROL, "rollout", "status", "deployment/kubedrill", "--timeout=60s")
    try:
        yield
    finally:
        configure("KUBEDRILL_PAUSE_AT-")
        kubectl("-n", CONTROL, "rollout", "status", "deployment/kubedrill", "--timeout=60s")


def configure(setting: str) -> None:
    """Sets or unsets a variable of the operator."""
    kubectl("-n", CONTROL, "set", "env", "deployment/kubedrill", setting)


def wait_for_pause(point: str) -> None:
    """Until the operator stands at the point."""

    def paused() -> bool:
        logs = ["kubectl", "-n", CONTROL, "logs", "deployment/kubedrill"]
        done = subprocess.run(logs, capture_output=True, text=True, check=False)
        return f"paused at {point}" in done.stdout + done.stderr

    until(paused, 60, f"the operator is paused at {point}")


def kill() -> None:
    """A new operator comes without the pause while the old one is killed without being asked: both may run at once."""
    old = operators_pods()
    configure("KUBEDRILL_PAUSE_AT-")
    for pod in old:
        kubectl("-n", CONTROL, "delete", pod, "--grace-period=0", "--force", "--ignore-not-found")
    deadline = time.monotonic() + 60
    while set(operators_pods()) <= set(old) and time.monotonic() < deadline:
        time.sleep(0.2)

"""Machines fail in the middle of a drill: the control plane (API server and etcd) is restarted, the worker is stopped.

Everything is put back, and the verdict is right. The operator and the watchdog run in the cluster, on the worker.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.e2e.drills.lab import CONTROL, GOOD, LOWERED, NAMESPACE, TARGET, drill, workload

ROOT = Path(__file__).parents[1]
CONTROL_PLANE, WORKER = "kubedrill-control-plane", "kubedrill-worker"
AWAY, BACK = 60, 240


def asked(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """kubectl, whatever it says: the API server may be away."""
    call = ["kubectl", "--request-timeout=10s", *arguments]
    return subprocess.run(call, input=given or None, capture_output=True, text=True, check=False)


def until(look: Callable[[], bool], within: float, what: str) -> None:
    """Until something is seen, through any outage."""
    deadline = time.monotonic() + within
    while not look():
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        time.sleep(0.5)


def node(what: str, name: str) -> None:
    """What happens to a machine."""
    subprocess.run([sys.executable, "-m", "cluster", "node", what, name], cwd=ROOT, check=True)


def status(name: str) -> dict:
    """A Drill's status; empty while it can't be read."""
    found = asked("-n", CONTROL, "get", "drill", name, "-o", "json")
    return (json.loads(found.stdout).get("status") or {}) if found.returncode == 0 else {}


def limit() -> str:
    """The target's limit; empty while it can't be read."""
    found = asked("-n", NAMESPACE, "get", "deployment", TARGET, "-o", "json")
    if found.returncode:
        return ""
    return json.loads(found.stdout)["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"]


def records() -> str | None:
    """The undo records' names; None while they can't be listed."""
    found = asked("get", "secrets", "-n", CONTROL, "--field-selector", "type=kubedrill.dev/undo", "-o", "name")
    return None if found.returncode else found.stdout.strip()


def all_ready() -> bool:
    """Every node is Ready and the operator is."""
    nodes = asked("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=5s").returncode == 0
    operator = asked("-n", CONTROL, "rollout", "status", "deployment/kubedrill", "--timeout=5s").returncode == 0
    return nodes and operator


@pytest.fixture
def in_play() -> Iterator[str]:
    """A drill whose fault has bitten. Afterwards every node runs, and nothing of it is left."""
    name = f"node-{int(time.monotonic())}"
    asked("create", "namespace", NAMESPACE)
    subprocess.run([str(Path(sys.executable).with_name("kubedrill")), "opt-in", NAMESPACE], check=True)
    asked("apply", "-f", "-", given=workload())
    until(
        lambda: asked("-n", NAMESPACE, "rollout", "status", f"deployment/{TARGET}", "--timeout=5s").returncode == 0,
        BACK,
        "the target is whole",
    )
    made = asked("apply", "-f", "-", given=drill(name))
    assert made.returncode == 0, made.stderr
    until(lambda: status(name).get("phase") == "InPlay", BACK, "in play")
    assert limit() == LOWERED
    yield name
    for one in (CONTROL_PLANE, WORKER):
        node("start", one)
    until(all_ready, BACK, "every node is ready again")
    asked("-n", CONTROL, "delete", "drill", name, "--timeout=60s")
    asked("delete", "namespace", NAMESPACE, "--timeout=120s")


def is_over(name: str) -> None:
    """The drill was stopped by people, and says so; everything is back; no record is left."""
    until(lambda: status(name).get("phase") in ("Stopped", "Aborted", "Completed"), BACK, "the drill is over")
    ended = status(name)
    assert ended["verdict"] in ("Stopped", "Inconclusive"), ended["message"]
    assert ended["restore"]["complete"] is True
    assert {m["name"] for m in ended["milestones"]} >= {"Injected", "FaultEffective"}
    assert limit() == GOOD
    assert records() == ""


def stop(name: str) -> None:
    """Said until it is heard."""
    patch = ["-n", CONTROL, "patch", "drill", name, "--type=merge", "-p", '{"spec":{"desired":"Stop"}}']
    until(lambda: asked(*patch).returncode == 0, AWAY, "the stop is said")


def test_the_control_plane_is_restarted_and_the_drill_stopped_when_it_answers(in_play: str):
    node("restart", CONTROL_PLANE)
    stop(in_play)
    is_over(in_play)


def test_the_drill_is_stopped_and_the_control_plane_restarted_at_once(in_play: str):
    stop(in_play)
    node("restart", CONTROL_PLANE)
    is_over(in_play)


def test_the_worker_is_gone_with_operator_and_watchdog_on_it_and_comes_back(in_play: str):
    node("stop", WORKER)
    stop(in_play)
    node("start", WORKER)
    until(lambda: limit() == GOOD, BACK, "the declared state is back")
    is_over(in_play)

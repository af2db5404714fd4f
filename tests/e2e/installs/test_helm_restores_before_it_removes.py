"""What the chart does before it removes anything, with the rights that it has for it; and what it wants to be there."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import yaml
from tests.e2e.installs.conftest import CONTROL, RELEASE, Cluster
from tests.e2e.installs.test_each_way_leaves_nothing import by_chart, in_use

BREAK_GLASS = ("--as=tester", "--as-group=system:masters", "--as-group=kubedrill:break-glass")
RECORD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": f"undo-{'0' * 24}", "namespace": CONTROL},
    "type": "kubedrill.dev/undo",
    "data": {"record": base64.b64encode(b"nobody can read this").decode()},
}


def hook(cluster: Cluster) -> dict[str, Any]:
    """The Job that runs before anything is removed."""
    hooks = yaml.safe_load_all(cluster.helm("get", "hooks", RELEASE).stdout)
    (job,) = (thing for thing in hooks if thing)
    found: dict[str, Any] = job
    return found


def run_as_the_hook_does(cluster: Cluster, *more: str) -> Any:
    """Its command, by its account: no pod runs here."""
    pod = hook(cluster)["spec"]["template"]["spec"]
    token = cluster.kubectl("create", "token", pod["serviceAccountName"], "-n", CONTROL).strip()
    kubeconfig: Path = cluster.plane.kubeconfig_of("hook", token)
    command = pod["containers"][0]["command"]
    verb = command[command.index("kubedrill.cli.main") + 1 :]
    return cluster.kubedrill(*verb, *more, kubeconfig=kubeconfig)


def test_it_stops_every_drill_with_the_rights_that_it_has(cluster: Cluster):
    by_chart(cluster)
    in_use(cluster)
    done = run_as_the_hook_does(cluster, "--wait=1s")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "stopping monday" in done.stdout
    said = json.loads(cluster.kubectl("get", "drill", "monday", "-n", CONTROL, "-o", "json"))["metadata"]["annotations"]
    assert said["kubedrill.dev/desired"] == "Stop"
    assert said["kubedrill.dev/stop-because"] == f"the release {RELEASE} is uninstalled"


def test_it_fails_while_something_may_be_broken(cluster: Cluster):
    by_chart(cluster)
    cluster.kubectl("create", "-f", "-", *BREAK_GLASS, given=RECORD)
    done = run_as_the_hook_does(cluster, "--wait=1s")
    assert done.returncode == 6, done.stdout + done.stderr
    assert f"undo-{'0' * 24}, which can't be read" in done.stderr
    cluster.kubectl("delete", "secret", RECORD["metadata"]["name"], "-n", CONTROL, *BREAK_GLASS)


def test_helm_removes_nothing_when_it_fails(cluster: Cluster):
    """Here it fails because nobody runs Jobs."""
    by_chart(cluster)
    there = cluster.within(CONTROL)
    done = cluster.helm("uninstall", RELEASE, "--timeout=3s")
    assert done.returncode != 0
    assert cluster.within(CONTROL) >= there


def test_the_chart_says_what_must_be_there_before_it_makes_anything(cluster: Cluster):
    cluster.kubectl("create", "namespace", CONTROL)
    unlabelled = cluster.helm("install", RELEASE, "charts/kubedrill")
    assert unlabelled.returncode != 0
    assert f"kubectl label namespace {CONTROL} kubedrill.dev/control=true" in unlabelled.stderr
    cluster.kubectl("label", "namespace", CONTROL, "kubedrill.dev/control=true")
    without = cluster.helm("install", RELEASE, "charts/kubedrill")
    assert without.returncode != 0
    assert "kubectl apply --server-side -f crds" in without.stderr
    assert not {name for name in cluster.within(CONTROL) if not name.startswith("secret/sh.helm")}

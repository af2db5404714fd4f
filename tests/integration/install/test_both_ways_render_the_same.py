"""What Helm renders of the chart is what kubectl builds of the overlays, object by object."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
CHART = ROOT / "charts/kubedrill"
HOOK = "helm.sh/hook"
WAYS = {"plain": (), "kube-prometheus-stack": ("--set=monitoring.enabled=true",)}
"""Each overlay, and the values with which the chart is the same."""
Key = tuple[str, str, str]


@cache
def tool(name: str) -> str:
    """A program that is here, or that is built from its pinned module."""
    made = [sys.executable, "-m", "cluster", "tool", name]
    return (
        shutil.which(name)
        or subprocess.run(made, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    )


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    of_ours = ("--namespace=drills", "--kube-version=1.35.0", "--set=image.tag=dev")
    return run(tool("helm"), "template", "kubedrill", str(CHART), *of_ours, *arguments)


def by_key(text: str) -> dict[Key, dict[str, Any]]:
    things = [thing for thing in yaml.safe_load_all(text) if thing]
    keyed = {(t["kind"], t["metadata"]["name"], t["metadata"].get("namespace", "")): t for t in things}
    assert len(keyed) == len(things), "nothing is there twice"
    return keyed


def rendered(*values: str) -> dict[Key, dict[str, Any]]:
    done = helm(*values)
    assert done.returncode == 0, done.stderr
    return by_key(done.stdout)


def built(overlay: str) -> dict[Key, dict[str, Any]]:
    done = run(tool("kubectl"), "kustomize", str(ROOT / "manifests/overlays" / overlay))
    assert done.returncode == 0, done.stderr
    return by_key(done.stdout)


def is_hook(thing: dict[str, Any]) -> bool:
    return HOOK in thing["metadata"].get("annotations", {})


@pytest.mark.parametrize("overlay", WAYS)
def test_the_chart_is_the_overlay(overlay: str):
    of_chart = {key: thing for key, thing in rendered(*WAYS[overlay]).items() if not is_hook(thing)}
    of_overlay = {key: thing for key, thing in built(overlay).items() if key[0] != "Namespace"}
    assert len(of_overlay) > 25
    assert of_chart.keys() == of_overlay.keys()
    assert {key: thing for key, thing in of_chart.items() if thing != of_overlay[key]} == {}


def test_the_only_hook_restores_before_anything_is_removed():
    (job,) = (thing for thing in rendered().values() if is_hook(thing))
    pod = job["spec"]["template"]["spec"]
    (operator,) = (
        t["spec"]["template"]["spec"]
        for (kind, name, _), t in rendered().items()
        if (kind, name) == ("Deployment", "kubedrill")
    )
    assert job["metadata"]["annotations"][HOOK] == "pre-delete"
    assert pod["serviceAccountName"] == "kubedrill-watchdog"
    assert pod["securityContext"] == operator["securityContext"]
    assert pod["containers"][0]["securityContext"] == operator["containers"][0]["securityContext"]
    assert pod["containers"][0]["image"] == operator["containers"][0]["image"]
    assert not [t for t in rendered("--set=restoreBeforeUninstall.enabled=false").values() if is_hook(t)]


def test_another_control_namespace_is_everywhere():
    done = run(tool("helm"), "template", "x", str(CHART), "--namespace=elsewhere", "--kube-version=1.35.0")
    assert done.returncode == 0, done.stderr
    assert {namespace for _, _, namespace in by_key(done.stdout)} == {"", "elsewhere"}
    said = [line for line in done.stdout.splitlines() if not line.lstrip().startswith("#")]
    assert not [line for line in said if "namespace: drills" in line or ".drills." in line]


def test_what_a_cluster_needs_of_its_own_reaches_the_pods():
    pull, node = "--set=imagePullSecrets[0].name=registry", "--set=nodeSelector.pool=tools"
    taint = '--set-json=tolerations=[{"key":"tools","operator":"Exists"}]'
    things = rendered(pull, node, taint, "--set=image.repository=registry.example.com/kubedrill")
    pods = [t["spec"]["template"]["spec"] for (kind, _, _), t in things.items() if kind == "Deployment"]
    assert len(pods) == 2
    for pod in pods:
        assert pod["imagePullSecrets"] == [{"name": "registry"}]
        assert pod["nodeSelector"] == {"pool": "tools"}
        assert {"key": "tools", "operator": "Exists"} in pod["tolerations"]
        assert len(pod["tolerations"]) == 3
        assert pod["containers"][0]["image"] == "registry.example.com/kubedrill:dev"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("--set=image.tg=1", "additional properties 'tg' not allowed"),
        ("--set=replicas=2", "additional properties 'replicas' not allowed"),
        ("--set=image.pullPolicy=Sometimes", "value must be one of"),
        ("--set=operator.resources.requests.memory=lots", "does not match pattern"),
        ("--set=monitoring.scrapeInterval=often", "does not match pattern"),
        ("--set=restoreBeforeUninstall.seconds=1", "minimum"),
    ],
)
def test_a_value_that_would_do_nothing_is_refused(value: str, why: str):
    done = helm(value)
    assert done.returncode != 0
    assert why in done.stderr, done.stderr


def test_helm_finds_nothing_to_complain_of():
    done = run(tool("helm"), "lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout + done.stderr

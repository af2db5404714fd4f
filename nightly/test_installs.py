"""Each way to install: installed from nothing, upgraded in the middle of a drill, removed in the middle of one.

Takes the operator away from everybody else on the cluster, and puts this version's back at the end.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from nightly.versions import EARLIER, THIS
from nightly.ways_to_install import (
    RELEASE,
    ROOT,
    WAYS,
    Chart,
    by_helm_and_the_command,
    by_kubectl_alone,
    by_the_command,
    gone,
    helm,
    kubedrill,
    of_ours,
)
from tests.e2e.drills.conftest import staging_up  # noqa: F401  a fixture
from tests.e2e.drills.lab import CONTROL, LOWERED, NAMESPACE, TARGET, drill, in_phase, limit_of, target, workload
from tests.e2e.staging.copies import kubectl, until

BREAK_GLASS = ("--as=tester", "--as-group=system:masters", "--as-group=kubedrill:break-glass")
NAME = "installed"


@pytest.fixture(scope="module")
def nothing_installed(staging_up: None) -> Iterator[set[str]]:  # noqa: ARG001, F811  what drills ask
    """No KubeDrill, and a workload in a namespace of its own; gives what bears our name all the same."""
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=120s")
    kubectl("create", "namespace", NAMESPACE)
    kubectl("apply", "-f", "-", given=workload())
    by_the_command()
    gone()
    yield of_ours()
    subprocess.run([sys.executable, str(ROOT / "demo/install.py")], check=True)
    kubectl("delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture
def whole(nothing_installed: set[str]) -> Iterator[set[str]]:
    """The workload is settled; what a test has left of KubeDrill is removed after it."""
    kubectl("-n", NAMESPACE, "rollout", "status", f"deployment/{TARGET}", "--timeout=120s")
    yield nothing_installed
    if of_ours() != nothing_installed:
        by_the_command()
        gone()


def in_play() -> dict[str, Any]:
    """The namespace opts in, and a drill has its fault in; gives the workload as it was."""
    before = target()
    opted_in = kubedrill("opt-in", NAMESPACE)
    assert opted_in.returncode == 0, opted_in.stderr
    kubectl("apply", "-f", "-", given=drill(NAME))
    in_phase(NAME, "Armed", "InPlay", within=120)
    until(lambda: limit_of(target()) == LOWERED, 60, "the fault is in")
    return before


def nothing_is_left(before: dict[str, Any], there_was: set[str]) -> None:
    gone()
    assert target()["spec"] == before["spec"]
    assert of_ours() == there_was


REMOVALS: tuple[tuple[str, Callable[[], None]], ...] = (
    ("overlay", by_the_command),
    ("overlay", by_kubectl_alone),
    ("chart", by_the_command),
    ("chart", by_helm_and_the_command),
)


@pytest.mark.parametrize(("way", "remove"), REMOVALS, ids=lambda one: one if isinstance(one, str) else one.__name__)
def test_installed_then_upgraded_and_removed_in_the_middle_of_a_drill(
    whole: set[str], way: str, remove: Callable[[], None]
):
    WAYS[way].install(EARLIER)
    before = in_play()
    injected = target()["metadata"]["generation"]

    WAYS[way].upgrade(THIS)
    status = in_phase(NAME, "Armed", "InPlay")
    assert target()["metadata"]["generation"] == injected, "it is injected once, and still in"
    assert status["startExTime"]

    remove()
    nothing_is_left(before, whole)
    assert RELEASE not in helm("list", "--all").stdout


@pytest.mark.usefixtures("whole")
def test_helm_removes_nothing_while_something_can_not_be_restored():
    Chart().install(THIS)
    record = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"undo-{'0' * 24}", "namespace": CONTROL},
        "type": "kubedrill.dev/undo",
        "data": {"record": base64.b64encode(b"nobody can read this").decode()},
    }
    kubectl("create", "-f", "-", *BREAK_GLASS, given=json.dumps(record))
    assert Chart().refused()
    for name in ("deployment/kubedrill", "deployment/kubedrill-watchdog", "role/kubedrill", "serviceaccount/kubedrill"):
        assert kubectl("-n", CONTROL, "get", name, "-o", "name")
    kubectl("-n", CONTROL, "delete", "secret", record["metadata"]["name"], *BREAK_GLASS)


@pytest.mark.usefixtures("whole")
def test_helm_says_what_must_be_there_before_it_makes_anything():
    kubectl("create", "namespace", CONTROL)
    unlabelled = helm("install", RELEASE, "charts/kubedrill")
    assert unlabelled.returncode != 0
    assert f"kubectl label namespace {CONTROL} kubedrill.dev/control=true" in unlabelled.stderr
    kubectl("label", "namespace", CONTROL, "kubedrill.dev/control=true")
    without = helm("install", RELEASE, "charts/kubedrill")
    assert without.returncode != 0
    assert "kubectl apply --server-side -f crds" in without.stderr
    assert not kubectl("get", "deployments", "-n", CONTROL, "-o", "name")
    kubectl("delete", "namespace", CONTROL, "--timeout=60s")

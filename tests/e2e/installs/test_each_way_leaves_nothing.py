"""Installed by overlay or by chart, plain or for the Prometheus Operator, and removed so that nothing is left."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.e2e.installs.conftest import CONTROL, RELEASE, SHOP, Cluster

FINALIZER = "kubedrill.dev/put-back"
DRILL: dict[str, Any] = {
    "apiVersion": "kubedrill.dev/v1alpha1",
    "kind": "Drill",
    "metadata": {"name": "monday", "namespace": CONTROL, "finalizers": [FINALIZER]},
    "spec": {
        "targetNamespace": SHOP,
        "scenario": {
            "title": "Checkout out of memory",
            "expectedAlerts": [{"name": "CheckoutErrorsHigh"}],
            "faults": [{"name": "limit", "memoryLimit": {"target": {"kind": "Deployment", "name": "checkout"}}}],
        },
    },
}


def by_overlay(cluster: Cluster, overlay: str = "plain") -> None:
    cluster.what_holds_drills()
    cluster.kubectl("apply", "-k", f"manifests/overlays/{overlay}")


def by_stack(cluster: Cluster) -> None:
    by_overlay(cluster, "kube-prometheus-stack")


def by_chart(cluster: Cluster, *values: str) -> None:
    cluster.what_holds_drills()
    done = cluster.helm("install", RELEASE, "charts/kubedrill", "--set=image.tag=dev", *values)
    assert done.returncode == 0, done.stderr


def by_chart_with_monitoring(cluster: Cluster) -> None:
    by_chart(cluster, "--set=monitoring.enabled=true")


WAYS = (by_overlay, by_stack, by_chart, by_chart_with_monitoring)
Way = Callable[[Cluster], None]


def in_use(cluster: Cluster) -> None:
    """A namespace has opted in, players have their role, and a drill is held up by its finalizer."""
    opted_in = cluster.kubedrill("opt-in", SHOP, "--player", "alice@example.com", "--allow", "quotas")
    assert opted_in.returncode == 0, opted_in.stderr
    cluster.kubectl("create", "-f", "-", given=DRILL)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_the_command_leaves_nothing_whichever_way_it_was_installed(cluster: Cluster, way: Way):
    way(cluster)
    in_use(cluster)
    assert len(cluster.within(CONTROL)) > 8
    removed = cluster.kubedrill("uninstall", "--wait", "1s")
    assert removed.returncode == 0, removed.stdout + removed.stderr
    assert cluster.within(CONTROL) == set()
    cluster.kubectl("delete", "drill", "monday", "-n", CONTROL, "--timeout=10s")
    assert cluster.kubedrill("uninstall", "--crds", "--namespace-too").returncode == 0
    cluster.gone()
    assert RELEASE not in cluster.helm("list", "--all").stdout


@pytest.mark.parametrize("way", [by_overlay, by_stack], ids=lambda way: way.__name__)
def test_without_the_command_line_it_goes_as_the_page_says(cluster: Cluster, way: Way):
    overlay = "plain" if way is by_overlay else "kube-prometheus-stack"
    way(cluster)
    assert cluster.kubedrill("opt-in", SHOP, "--player", "alice@example.com").returncode == 0
    for kind in ("rolebindings", "roles"):
        cluster.kubectl("delete", kind, "-n", SHOP, "-l", "app.kubernetes.io/part-of=kubedrill")
    cluster.kubectl("label", "namespace", SHOP, "kubedrill.dev/control-namespace-")
    cluster.kubectl("delete", "-f", "crds")
    cluster.kubectl("delete", "--ignore-not-found", "-k", f"manifests/overlays/{overlay}")
    cluster.gone()


def test_helm_alone_leaves_what_holds_drills_and_the_opt_ins(cluster: Cluster):
    by_chart(cluster)
    in_use(cluster)
    done = cluster.helm("uninstall", RELEASE, "--no-hooks")
    assert done.returncode == 0, done.stderr
    assert not {name for name in cluster.within(CONTROL) if name.startswith(("deployment", "role", "secret"))}
    assert cluster.kubectl("get", "drill", "monday", "-n", CONTROL, "-o", "name")
    assert any(name.startswith("rolebinding") for name in cluster.of_ours())


def test_an_upgrade_changes_the_pods_and_no_drill(cluster: Cluster):
    by_chart(cluster)
    in_use(cluster)
    before = cluster.kubectl("get", "drill", "monday", "-n", CONTROL, "-o", "json")
    cluster.what_holds_drills()
    done = cluster.helm("upgrade", RELEASE, "charts/kubedrill", "--reset-then-reuse-values", "--set=image.tag=next")
    assert done.returncode == 0, done.stderr
    images = cluster.kubectl("get", "deployments", "-n", CONTROL, "-o", "jsonpath={..image}").split()
    assert {image.rpartition(":")[2] for image in images} == {"next"}
    assert json.loads(cluster.kubectl("get", "drill", "monday", "-n", CONTROL, "-o", "json")) == json.loads(before)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_what_is_applied_again_changes_nothing(cluster: Cluster, way: Way):
    way(cluster)
    versions = ("get", "deployments,roles,rolebindings,services", "-n", CONTROL, "-o")
    jsonpath = 'jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.generation} {.metadata.uid}{"\\n"}{end}'
    before = cluster.kubectl(*versions, jsonpath)
    if way in (by_overlay, by_stack):
        way(cluster)
    else:
        done = cluster.helm("upgrade", RELEASE, "charts/kubedrill", "--reset-then-reuse-values")
        assert done.returncode == 0, done.stderr
    assert cluster.kubectl(*versions, jsonpath) == before

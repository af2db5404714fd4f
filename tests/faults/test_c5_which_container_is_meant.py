"""C5: the container that the pods' annotation names is meant where none is named, and a native sidecar can be named."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.faults.builders import WEB, accepted, container, deployment, only, seen, squeeze

from kubedrill.api.faults import WorkloadTarget
from kubedrill.core.undo.operations import Refusal, SetFields
from kubedrill.plugins.faults import bad_image, memory_limit

DEFAULT = "kubectl.kubernetes.io/default-container"
SIDECAR = {**container("mesh-proxy", "64Mi"), "restartPolicy": "Always"}
PREPARES = container("migrate")


def pods_of(*containers: dict[str, Any], init: tuple[dict[str, Any], ...] = (), meant: str = "") -> dict[str, Any]:
    """A Deployment whose pods have these containers, and an annotation that says which one is meant."""
    workload = deployment(3, containers=list(containers))
    template = workload["spec"]["template"]
    template["metadata"] = {"annotations": {DEFAULT: meant} if meant else {}}
    template["spec"]["initContainers"] = list(init)
    return workload


def chosen(workload: dict[str, Any], name: str | None = None) -> tuple[str, str]:
    """Which container memoryLimit takes, and the field that it sets."""
    plan = accepted(memory_limit.plan(squeeze(container=name, limit="24Mi"), seen({WEB: workload})))
    (path,) = [c.path for c in only(plan, SetFields).changes if c.path.endswith("limits/memory")]
    return plan.settled.container or "", path


AGENT, APP = container("log-agent"), container("app")


@pytest.mark.parametrize(
    ("workload", "name", "index"),
    [
        (pods_of(AGENT, APP, meant="app"), "app", 1),
        (pods_of(AGENT, APP), "log-agent", 0),
        (pods_of(AGENT, APP, meant="gone"), "log-agent", 0),
        (pods_of(APP, AGENT, meant="app", init=(SIDECAR,)), "app", 0),
    ],
    ids=["annotated", "no annotation", "it names none of them", "beside a sidecar"],
)
def test_c5_where_no_container_is_named_the_annotated_one_is_taken_else_the_first(workload, name, index):
    assert chosen(workload) == (name, f"/spec/template/spec/containers/{index}/resources/limits/memory")


def test_c5_a_container_that_is_named_wins_over_the_annotation():
    assert chosen(pods_of(AGENT, APP, meant="app"), "log-agent")[0] == "log-agent"


def test_c5_a_native_sidecar_is_found_by_its_name_where_it_stands():
    workload = pods_of(AGENT, APP, init=(PREPARES, SIDECAR), meant="app")
    path = "/spec/template/spec/initContainers/1/resources/limits/memory"
    assert chosen(workload, "mesh-proxy") == ("mesh-proxy", path)


def test_c5_a_native_sidecar_may_be_the_annotated_one():
    assert chosen(pods_of(APP, init=(SIDECAR,), meant="mesh-proxy"))[0] == "mesh-proxy"


def test_c5_what_only_prepares_a_pod_is_no_container_of_it():
    workload = pods_of(APP, init=(PREPARES, SIDECAR))
    refusal = memory_limit.plan(squeeze(container="migrate"), seen({WEB: workload}))
    assert isinstance(refusal, Refusal)
    assert refusal.message == "Deployment/web has no container migrate: it has app, mesh-proxy"


def test_c5_a_sidecars_image_is_set_where_it_stands_and_whoever_sets_it_repairs_it():
    params = bad_image.BadImage(target=WorkloadTarget(kind="Deployment", name="web"), container="mesh-proxy")
    plan = accepted(bad_image.plan(params, seen({WEB: pods_of(APP, init=(SIDECAR,))})))
    (image,) = [c for c in only(plan, SetFields).changes if c.path.endswith("/image")]
    assert image.path == "/spec/template/spec/initContainers/0/image"
    assert image.guards == (("/spec/template/spec/initContainers/0/name", "mesh-proxy"),)
    assert re.search(bad_image.FAULT.cause, image.path)
    assert re.search(bad_image.FAULT.cause, "/spec/template/spec/containers/0/image")

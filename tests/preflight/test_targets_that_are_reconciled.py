"""Who else keeps a target as they want it is known before the start, from the target itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.machine.world import START
from tests.machine.world import drill_plan as a_drill

from kubedrill.api.drill import DrillSpec
from kubedrill.core.plan.derive import derive
from kubedrill.core.plan.preflight import left_alone
from kubedrill.core.plan.reconcilers import Keepers, keepers_of
from kubedrill.core.plan.surroundings import LOOK_BACK, Surroundings
from kubedrill.core.undo.operations import Create, FieldChange, Operation, SetFields, Target
from kubedrill.core.undo.record import manager_name
from kubedrill.plugins.faults.of_drill import profile

APP = Target("apps", "v1", "Deployment", "deployments", "shop", "app")
MEMORY = "/spec/template/spec/containers/0/resources/limits/memory"
LOWER = SetFields(APP, (FieldChange(MEMORY, "24Mi"),))
LONG_AGO = "2026-11-01T09:00:00Z"
ARGO = {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:fc-c12/app"}
FLUX = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
DRIFT = {"helm.toolkit.fluxcd.io/name": "shop"}


def app(**metadata: Any) -> dict[str, Any]:
    container = {"name": "app", "resources": {"limits": {"memory": "80Mi"}}}
    return {"metadata": {"name": "app", **metadata}, "spec": {"template": {"spec": {"containers": [container]}}}}


def holds_memory(manager: str, time: str = LONG_AGO, **more: str) -> dict[str, Any]:
    """A field manager that holds the limit."""
    container: dict[str, Any] = {'k:{"name":"app"}': {"f:resources": {"f:limits": {"f:memory": {}}}}}
    fields = {"f:spec": {"f:template": {"f:spec": {"f:containers": container}}}}
    return {"manager": manager, "operation": "Apply", "time": time, "fieldsV1": fields, **more}


def keepers(item: dict[str, Any], *operations: Operation) -> Keepers:
    return keepers_of(operations or (LOWER,), {APP: item}, START - LOOK_BACK)


def check(item: dict[str, Any], *, accepted: bool = False) -> Any:
    around = Surroundings("drills", keepers=keepers(item))
    return left_alone(replace(a_drill(), accepts_reconcilers=accepted), around)


def owned(api_version: str, kind: str, *, controller: bool) -> dict[str, Any]:
    return {"ownerReferences": [{"apiVersion": api_version, "kind": kind, "name": "shop", "controller": controller}]}


KEPT = [
    pytest.param({"annotations": ARGO}, "Argo CD application shop", id="Argo CD, by annotation"),
    pytest.param({"labels": {"argocd.argoproj.io/instance": "web"}}, "Argo CD application web", id="Argo CD, by label"),
    pytest.param({"labels": FLUX}, "Flux Kustomization apps", id="Flux"),
    pytest.param({"labels": DRIFT}, "Flux HelmRelease shop", id="Helm by Flux"),
    pytest.param(owned("example.com/v1", "Shop", controller=True), "Shop/shop of example.com", id="an operator's own"),
    pytest.param(owned("example.com/v1", "Shop", controller=False), "Shop/shop of example.com", id="a custom owner"),
    pytest.param({"labels": {"app.kubernetes.io/managed-by": "shop-operator"}}, "shop-operator", id="managed by one"),
    pytest.param({"managedFields": [holds_memory("kustomize-controller")]}, "kustomize-controller", id="its field"),
    pytest.param({"managedFields": [holds_memory("manager")]}, "manager", id="the usual toolkit's field"),
]
LEFT_ALONE = [
    pytest.param({}, id="nothing is known of anybody"),
    pytest.param({"managedFields": [holds_memory("kubectl-client-side-apply")]}, id="a person's tool"),
    pytest.param({"managedFields": [holds_memory("kube-controller-manager")]}, id="the cluster's own machinery"),
    pytest.param({"managedFields": [holds_memory("shop-operator", subresource="status")]}, id="who writes its status"),
    pytest.param({"managedFields": [{"manager": "shop-operator", "fieldsV1": {"f:metadata": {}}}]}, id="other fields"),
    pytest.param(
        {"labels": FLUX, "annotations": {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}}, id="Flux, off"
    ),
    pytest.param({"labels": {"app.kubernetes.io/managed-by": "kustomize"}}, id="a tool that runs once"),
    pytest.param({"labels": {"app.kubernetes.io/instance": "shop"}}, id="a label of everybody's"),
    pytest.param(owned("v1", "ConfigMap", controller=False), id="an anchor"),
]


@pytest.mark.parametrize(("metadata", "who"), KEPT)
def test_c12_a_drill_is_refused_and_says_who_may_take_the_fault_out(metadata: dict[str, Any], who: str):
    told = check(app(**metadata))
    assert (told.ok, told.hard, told.reason) == (False, True, "TargetReconciled")
    assert "Deployment/app is kept as it is by" in told.message
    assert who in told.message
    assert "reconciledTargets: Accept" in told.message


@pytest.mark.parametrize(("metadata", "who"), KEPT)
def test_c12_one_that_was_told_to_accept_it_starts_and_says_who_it_is(metadata: dict[str, Any], who: str):
    told = check(app(**metadata), accepted=True)
    assert told.ok
    assert who in told.message


@pytest.mark.parametrize("metadata", LEFT_ALONE)
def test_who_is_no_controller_or_keeps_something_else_takes_nothing_out(metadata: dict[str, Any]):
    assert check(app(**metadata)).ok
    assert check(app(**metadata)).message == ""


def test_c12_the_field_case_names_both_who_keep_it():
    """An operator that applies each second, on a Deployment that Argo CD tracks as well."""
    item = app(annotations=ARGO, labels={"app.kubernetes.io/managed-by": "shop-operator"})
    assert [one.who for one in keepers(item).reconcilers] == ["Argo CD application shop", "shop-operator"]


def test_a_release_of_helm_alone_is_noted_and_refuses_nothing():
    item = app(labels={"app.kubernetes.io/managed-by": "Helm"}, annotations={"meta.helm.sh/release-name": "web"})
    told = check(item)
    assert told.ok
    assert told.message == "Deployment/app is of Helm release web: helm upgrade would take the fault out"


@pytest.mark.parametrize(("before", "waits"), [(timedelta(seconds=3), True), (LOOK_BACK + timedelta(seconds=1), False)])
def test_a_field_that_somebody_wrote_within_the_look_back_is_waited_for(before: timedelta, waits: bool):
    stamp = (START - before).isoformat().replace("+00:00", "Z")
    told = check(app(managedFields=[holds_memory("shop-sync", stamp)]))
    assert told.ok is not waits
    assert not told.hard
    assert (told.reason == "JustChanged") is waits
    assert ("shop-sync wrote" in told.message) is waits


def test_what_was_made_a_moment_ago_was_not_changed_since():
    stamp = (START - timedelta(seconds=3)).isoformat().replace("+00:00", "Z")
    assert check(app(creationTimestamp=stamp, managedFields=[holds_memory("kubectl-create", stamp)])).ok


def test_what_an_earlier_drill_left_is_nobodys():
    ours = holds_memory(manager_name("uid", "undo-1"), START.isoformat())
    assert keepers(app(managedFields=[ours])) == Keepers()


def test_what_is_made_or_was_not_read_is_kept_by_nobody():
    made = Create(APP, {"kind": "Deployment"})
    assert keepers(app(annotations=ARGO), made) == Keepers()
    assert keepers_of((LOWER,), {}, START) == Keepers()


@pytest.mark.parametrize(("said", "accepts"), [({}, False), ({"reconciledTargets": "Accept"}, True)])
def test_the_drill_says_whether_it_accepts_it_and_refuses_where_it_says_nothing(said: dict[str, str], accepts: bool):
    spec = DrillSpec.model_validate(
        {
            "targetNamespace": "shop",
            "scenario": {
                "title": "A drill",
                "expectedAlerts": [{"name": "Errors"}],
                "faults": [{"name": "call", "manual": {"do": "pull the plug", "undo": "restore it"}}],
            },
            **said,
        }
    )
    assert spec.scenario is not None
    assert derive(spec, spec.scenario, profile).accepts_reconcilers is accepts

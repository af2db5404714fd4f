"""KubeDrill is removed only after everything is put back, and nothing of it is left that resists deletion."""

import re
from pathlib import Path

import pytest
import yaml
from tests.cli.drills import drill, finished
from tests.cli.undo import DEPLOYMENTS, DRILLS, SECRETS, broken, limit_of, undo_of

from kubedrill.api.drill import DESIRED, STOP_BECAUSE
from kubedrill.cli.safety import installed
from kubedrill.cli.setup.opt_in import objects

WEB = undo_of("web")
ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"^  name: (\S+)$|^metadata: {name: ([^,}]+)", re.MULTILINE)
FOLDERS = ("base", "components/prometheus-operator")
NAMESPACES = "/api/v1/namespaces"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
PODS = "/api/v1/namespaces/drills/pods"
OPERATOR = "/apis/apps/v1/namespaces/drills/deployments"
FINALIZER = "kubedrill.dev/put-back"
BY_POLICY = (403, {"reason": "Forbidden", "message": "ValidatingAdmissionPolicy 'x' denied request: no"})


@pytest.fixture(autouse=True)
def installation(api):
    """All that an installation has, a namespace that has opted in, and no operator that answers."""
    paths = (*installed.policies(), *installed.workloads("drills"), *installed.belongings("drills"))
    for path in (*paths, *installed.definitions()):
        collection, _, name = path.rpartition("/")
        api.put(collection, {"metadata": {"name": name}})
    api.collections |= {PODS: {}, DRILLS: {}, f"{RBAC}/rolebindings": {}, "/apis/kubedrill.dev/v1alpha1/drills": {}}
    api.put(NAMESPACES, {"metadata": {"name": "drills"}})
    labels = {"kubedrill.dev/control-namespace": "drills"}
    api.put(NAMESPACES, {"metadata": {"name": "shop", "uid": "n1", "labels": labels}})
    for thing in rights("shop"):
        api.put(f"{RBAC}/namespaces/shop/{thing['kind'].lower()}s", thing)


def rights(namespace):
    return [thing for thing in objects(namespace, "drills") if thing["kind"] != "Namespace"]


def operator_runs(api):
    api.put(OPERATOR, {"metadata": {"name": "kubedrill"}, "status": {"readyReplicas": 1}})


def what_is_left(api):
    paths = (*installed.policies(), *installed.workloads("drills"), *installed.belongings("drills"))
    found = [path.rpartition("/") for path in (*paths, *installed.definitions())]
    return {
        f"{collection.rpartition('/')[2]}/{name}"
        for collection, _, name in found
        if name in api.collections[collection]
    }


def test_everything_is_removed_but_drills_reports_and_the_namespace(api, kubedrill):
    result = kubedrill("uninstall")
    assert result.exit_code == 0, result.output
    assert what_is_left(api) == {installed.short(path) for path in installed.definitions()}
    assert "drills" in api.collections[NAMESPACES]
    assert "Drills and reports stay" in result.output


def test_definitions_and_namespace_go_only_when_that_is_said(api, kubedrill):
    assert kubedrill("uninstall", "--crds", "--namespace-too").exit_code == 0
    assert not what_is_left(api)
    assert "drills" not in api.collections[NAMESPACES]


def test_it_may_be_done_again(api, kubedrill):
    assert kubedrill("uninstall", "--crds").exit_code == 0
    del api.collections[DRILLS]
    assert kubedrill("uninstall", "--crds").exit_code == 0


def test_every_object_of_the_manifests_is_known_to_it():
    plurals = {"ValidatingAdmissionPolicy": "validatingadmissionpolicies", "PriorityClass": "priorityclasses"}
    files = [file for folder in FOLDERS for file in (ROOT / "manifests" / folder).glob("*.yaml")]
    loaded = [thing for file in files for thing in yaml.safe_load_all(file.read_text())]
    things = [thing for thing in loaded if thing["kind"] not in ("Namespace", "Kustomization", "Component")]
    assert len(things) > 30
    wanted = {f"{plurals.get(t['kind'], t['kind'].lower() + 's')}/{t['metadata']['name']}" for t in things}
    paths = (*installed.policies(), *installed.workloads("drills"), *installed.belongings("drills"))
    assert wanted <= {installed.short(path) for path in paths}


def test_every_object_that_only_the_chart_has_is_known_to_it():
    texts = [file.read_text() for file in (ROOT / "charts/kubedrill/templates").glob("*.yaml")]
    named = {name for text in texts for name in NAMED.findall(text)}
    paths = (*installed.policies(), *installed.workloads("drills"), *installed.belongings("drills"))
    assert {a or b for a, b in named} <= {path.rpartition("/")[2] for path in paths}


def released(api, namespace="drills"):
    """KubeDrill was installed by Helm, in two revisions, and something else by another release beside it."""
    whose = {"meta.helm.sh/release-name": "mine", "meta.helm.sh/release-namespace": namespace}
    collection, _, name = installed.belongings("drills")[-1].rpartition("/")
    api.put(collection, {"metadata": {"name": name, "annotations": whose}})
    for release, revision in (("mine", 1), ("mine", 2), ("other", 1)):
        labels = {"owner": "helm", "name": release}
        metadata = {"name": f"sh.helm.release.v1.{release}.v{revision}", "namespace": "drills", "labels": labels}
        api.put(SECRETS, {"metadata": metadata, "type": "helm.sh/release.v1"})


def test_helm_forgets_the_release_and_no_other(api, kubedrill):
    released(api)
    result = kubedrill("uninstall", "--dry-run")
    assert "would remove secrets/sh.helm.release.v1.mine.v2" in result.output
    assert kubedrill("uninstall").exit_code == 0
    assert set(api.collections[SECRETS]) == {"sh.helm.release.v1.other.v1"}


def test_a_release_of_another_namespace_is_left_to_helm(api, kubedrill):
    released(api, namespace="elsewhere")
    assert kubedrill("uninstall").exit_code == 0
    assert len(api.collections[SECRETS]) == 3


def test_an_uninstall_that_was_interrupted_still_knows_the_release(api, kubedrill):
    released(api)
    api.answers["DELETE", f"{RBAC}/clusterroles/kubedrill-player"] = (500, {"message": "not now"})
    assert kubedrill("uninstall").exit_code == 5
    del api.answers["DELETE", f"{RBAC}/clusterroles/kubedrill-player"]
    assert kubedrill("uninstall").exit_code == 0
    assert set(api.collections[SECRETS]) == {"sh.helm.release.v1.other.v1"}


def test_opted_in_namespaces_are_given_back(api, kubedrill):
    kubedrill("uninstall")
    assert api.collections[NAMESPACES]["shop"]["metadata"]["labels"] == {}
    assert not api.collections[f"{RBAC}/namespaces/shop/roles"]
    assert not api.collections[f"{RBAC}/namespaces/shop/rolebindings"]


def test_a_namespace_that_lost_its_label_is_found_by_its_binding(api, kubedrill):
    api.collections[NAMESPACES]["shop"]["metadata"]["labels"] = {}
    binding = next(thing for thing in rights("shop") if thing["kind"] == "RoleBinding")
    api.put(f"{RBAC}/rolebindings", binding)
    kubedrill("uninstall")
    assert not api.collections[f"{RBAC}/namespaces/shop/rolebindings"]


def test_drills_can_be_deleted_afterwards(api, kubedrill):
    ended = drill(**finished("Passed"))
    ended["metadata"] |= {"uid": "d1", "finalizers": ["other", FINALIZER]}
    api.put(DRILLS, ended)
    assert kubedrill("uninstall").exit_code == 0
    assert api.collections[DRILLS]["rush"]["metadata"]["finalizers"] == ["other"]


def test_the_finalizer_is_taken_off_only_when_the_policies_are_off(api, kubedrill):
    ended = drill(**finished("Passed"))
    ended["metadata"] |= {"uid": "d1", "finalizers": [FINALIZER]}
    api.put(DRILLS, ended)
    kubedrill("uninstall")
    asked = [(method, path) for method, path, _ in api.requests]
    assert asked.index(("DELETE", f"{POLICIES}/kubedrill-put-back-first")) < asked.index(("PATCH", f"{DRILLS}/rush"))


def test_an_active_drill_is_told_to_stop_and_its_operator_is_waited_for(api, kubedrill):
    operator_runs(api)
    api.put(DRILLS, drill(**finished("Passed", phase="Completed")))
    going = drill("going", phase="InPlay", startExTime="2026-03-02T12:00:00Z")
    api.put(DRILLS, going)
    result = kubedrill("uninstall", "--wait", "50ms")
    assert api.bodies("PATCH", f"{DRILLS}/going") == [
        {"metadata": {"annotations": {DESIRED: "Stop", STOP_BECAUSE: "KubeDrill is removed"}}}
    ]
    assert not api.bodies("PATCH", f"{DRILLS}/rush")
    assert result.exit_code == 0


def test_what_no_operator_puts_back_is_put_back_by_itself(api, kubedrill):
    broken(api)
    result = kubedrill("uninstall")
    assert result.exit_code == 0, result.output
    assert limit_of(api) == "128Mi"
    assert not api.collections[SECRETS]


def stuck(api):
    broken(api)
    api.answers["GET", f"{DEPLOYMENTS}/web"] = (500, {"message": "out of order"})


def test_it_refuses_while_something_cannot_be_put_back(api, kubedrill):
    stuck(api)
    result = kubedrill("uninstall", "--wait", "1ms")
    assert result.exit_code == 6
    assert "--leave-faults" in result.output
    left = what_is_left(api)
    assert {"deployments/kubedrill", "roles/kubedrill", "serviceaccounts/kubedrill-watchdog"} <= left
    assert WEB in api.collections[SECRETS]


def test_a_record_that_says_nothing_is_not_taken_for_none(api, kubedrill):
    metadata = {"name": "undo-odd", "namespace": "drills", "uid": "x"}
    api.put(SECRETS, {"metadata": metadata, "type": "kubedrill.dev/undo", "data": {}})
    assert kubedrill("uninstall", "--wait", "1ms").exit_code == 6


def test_faults_may_be_left_and_their_records_stay_and_are_named(api, kubedrill):
    stuck(api)
    result = kubedrill("uninstall", "--wait", "1ms", "--leave-faults")
    assert result.exit_code == 0, result.output
    assert f"left broken: what undo record {WEB} tells of" in result.output
    assert WEB in api.collections[SECRETS]
    assert "deployments/kubedrill" not in what_is_left(api)


def test_records_that_are_left_are_not_deleted_with_their_namespace(api, kubedrill):
    result = kubedrill("uninstall", "--leave-faults", "--namespace-too")
    assert result.exit_code == 2
    assert not api.requests


def test_definitions_that_serve_other_control_namespaces_stay(api, kubedrill):
    other = drill()
    other["metadata"]["namespace"] = "drills-of-others"
    api.put("/apis/kubedrill.dev/v1alpha1/drills", other)
    result = kubedrill("uninstall", "--crds")
    assert result.exit_code == 3
    assert "drills-of-others" in result.output
    assert not [method for method, _, _ in api.requests if method in ("DELETE", "PATCH")]


def test_what_may_not_be_removed_is_named_and_it_ends_there(api, kubedrill):
    api.answers["DELETE", f"{OPERATOR}/kubedrill"] = (403, {"reason": "Forbidden", "message": "you may not"})
    result = kubedrill("uninstall")
    assert result.exit_code == 3
    assert "deployments/kubedrill could not be removed: you may not" in result.output


def test_it_goes_no_further_while_an_operator_could_still_break_something(api, kubedrill, monkeypatch):
    monkeypatch.setattr("kubedrill.cli.safety.uninstall.ENDING", 0.0)
    api.put(PODS, {"metadata": {"name": "kubedrill-x", "labels": {"app.kubernetes.io/name": "kubedrill"}}})
    result = kubedrill("uninstall")
    assert result.exit_code == 6
    assert "kubedrill-x does not end" in result.output
    assert "roles/kubedrill" in what_is_left(api)


def test_a_kind_that_was_defined_a_moment_ago_is_waited_for(api, kubedrill, monkeypatch):
    """Found when it was installed and removed within a second: `storage is (re)initializing`."""
    monkeypatch.setattr("kubedrill.cli.safety.installed.RETRY_AFTER", 0.0)
    asked = []

    def not_yet(method, path, _body):
        asked.append(path)
        early = (method, path) == ("GET", DRILLS) and asked.count(DRILLS) < 3
        return (429, {"reason": "TooManyRequests", "message": "storage is (re)initializing"}) if early else None

    api.refuses = not_yet
    assert kubedrill("uninstall").exit_code == 0


def test_drills_that_cannot_be_listed_are_not_taken_for_none(api, kubedrill):
    api.answers["GET", DRILLS] = (500, {"message": "out of order"})
    assert kubedrill("uninstall").exit_code == 5
    assert not [method for method, _, _ in api.requests if method in ("DELETE", "PATCH")]


def test_a_policy_that_was_removed_a_moment_ago_may_hold_on(api, kubedrill, monkeypatch):
    monkeypatch.setattr("kubedrill.cli.safety.uninstall.HOLDS_ON", 0.1)
    ended = drill(**finished("Passed"))
    ended["metadata"] |= {"uid": "d1", "finalizers": [FINALIZER]}
    api.put(DRILLS, ended)
    api.answers["PATCH", f"{DRILLS}/rush"] = BY_POLICY
    result = kubedrill("uninstall")
    assert result.exit_code == 3
    assert len(api.bodies("PATCH", f"{DRILLS}/rush")) > 1
    assert "roles/kubedrill" in what_is_left(api)


def test_what_would_be_done_can_be_read_first(api, kubedrill):
    broken(api)
    going = drill("going", phase="InPlay")
    going["metadata"] |= {"uid": "d2", "finalizers": [FINALIZER]}
    api.put(DRILLS, going)
    result = kubedrill("uninstall", "--crds", "--dry-run")
    assert result.exit_code == 0
    for line in (
        "would stop going",
        "storm: Deployment/web in shop is Injected",
        f"would take {FINALIZER} off going",
        "would opt shop out",
        "would remove deployments/kubedrill",
        "would remove customresourcedefinitions/drills.kubedrill.dev",
    ):
        assert line in result.output
    assert not [method for method, _, _ in api.requests if method in ("DELETE", "PATCH")]

from tests.signals.builders import LIMIT, between, deployment, receipt, recorded, scaled, wrote_limit

from kubedrill.core.evidence.facts import FactKind
from kubedrill.kube.kept_fields import kept
from kubedrill.plugins.sources import workload
from kubedrill.plugins.sources.base import OwnWrites
from kubedrill.plugins.sources.workload_state import Counted, state

NOBODY = OwnWrites()


def only(before, after, own=NOBODY, seen=None):
    (fact,) = workload.changes(before, after, seen or receipt(7.6), own)
    return fact


def test_a_changed_limit_tells_path_values_manager_and_time():
    fact = only(deployment("64Mi"), deployment("128Mi", generation=2, managers=(wrote_limit("kubectl-patch", 7),)))
    assert fact.kind is FactKind.TARGET_CHANGED
    assert fact.at == between(7, 7.6)
    assert (fact.detail["path"], fact.detail["before"], fact.detail["after"]) == (LIMIT, "64Mi", "128Mi")
    assert fact.detail["manager"] == "kubectl-patch"
    assert fact.detail["field"] == "spec.template.spec.containers[worker].resources.limits.memory"


def test_the_latest_of_those_who_hold_the_field_wrote_it():
    managers = (wrote_limit("kubectl-client-side-apply", 2), wrote_limit("tom", 7))
    fact = only(deployment("64Mi", managers=managers[:1]), deployment("128Mi", generation=2, managers=managers))
    assert fact.detail["manager"] == "tom"


def test_a_removed_field_was_removed_by_whoever_wrote_then():
    entry = {"manager": "tom", "operation": "Update", "time": "2026-11-23T12:00:07Z", "fieldsV1": {"f:spec": {}}}
    fact = only(deployment("64Mi"), deployment(None, generation=2, managers=(entry,)))
    assert fact.detail["after"] is None
    assert fact.detail["manager"] == "tom"


def test_scaling_is_told_as_such_with_the_receipts_interval_for_its_entry_has_no_time():
    fact = only(deployment(), deployment(replicas=10, generation=2, managers=(scaled("kubectl"),)))
    assert fact.kind is FactKind.SCALED
    assert fact.at == between(6.6, 7.6)
    assert (fact.detail["before"], fact.detail["after"], fact.detail["manager"]) == (5, 10, "kubectl")


def test_who_scales_again_leaves_the_same_entry_and_is_named_all_the_same():
    entry = (scaled("kubectl"),)
    fact = only(deployment(replicas=5, managers=entry), deployment(replicas=10, generation=2, managers=entry))
    assert fact.detail["manager"] == "kubectl"


def test_the_autoscaler_is_automation():
    fact = only(deployment(), deployment(replicas=6, generation=2, managers=(scaled("kube-controller-manager"),)))
    assert fact.detail["automation"]


def test_the_drills_own_write_is_not_reported():
    after = deployment("64Mi", generation=2, managers=(wrote_limit("manager-7", 7),))
    assert workload.changes(deployment(), after, receipt(7.6), OwnWrites(frozenset({"manager-7"}))) == ()


def test_the_drills_own_write_is_known_by_its_value_when_its_manager_is_gone_already():
    own = OwnWrites(values=frozenset({("Deployment/worker", LIMIT, "64Mi")}))
    owner = (wrote_limit("kubectl-client-side-apply", 2),)
    before, after = deployment(managers=owner), deployment("64Mi", generation=2, managers=owner)
    assert workload.changes(before, after, receipt(7.6), own) == ()


def test_a_player_who_writes_the_drills_own_value_is_reported():
    own = OwnWrites(values=frozenset({("Deployment/worker", LIMIT, "128Mi")}))
    fact = only(deployment("64Mi"), deployment(generation=2, managers=(wrote_limit("tom", 7),)), own)
    assert fact.detail["manager"] == "tom"


def test_all_fields_of_one_write_share_one_change():
    facts = workload.changes(deployment("64Mi"), deployment("128Mi", replicas=10, generation=2), receipt(7.6), NOBODY)
    assert len(facts) == 2
    assert {f.detail["change"] for f in facts} == {"Deployment/worker@2"}


def test_the_same_change_seen_after_a_gap_is_the_same_fact():
    before, after = deployment("64Mi"), deployment("128Mi", generation=2)
    assert only(before, after).id == only(before, after, seen=receipt(90.0, since=10.0)).id


def test_an_object_made_anew_was_not_changed():
    assert workload.changes(deployment("64Mi"), deployment(uid="another"), receipt(7.6), NOBODY) == ()


def test_a_status_update_is_no_change():
    after = deployment()
    after["status"] = {"readyReplicas": 5}
    assert workload.changes(deployment(), after, receipt(7.6), NOBODY) == ()


def test_a_new_container_is_told_by_its_name():
    after = deployment(generation=2)
    after["spec"]["template"]["spec"]["containers"].append({"name": "sidecar", "image": "x"})
    fields = [f.detail["field"] for f in workload.changes(deployment(), after, receipt(7.6), NOBODY)]
    assert fields == [
        "spec.template.spec.containers[sidecar].image",
        "spec.template.spec.containers[sidecar].name",
    ]


def test_what_is_remembered_is_enough_to_tell_of_a_change_later():
    before = kept(deployment("64Mi"), frozenset(workload.FIELDS)) | {"kind": "Deployment"}
    fact = only(before, deployment("128Mi", generation=2, managers=(wrote_limit("tom", 7),)))
    assert fact.detail["manager"] == "tom"


def test_a_recorded_deployment_names_who_scaled_it_and_who_set_its_limit():
    after = recorded("deployment-after-scale.json")
    before = {**after, "spec": {**after["spec"], "replicas": 2}}
    assert only(before, after).detail["manager"] == "kubectl"


def test_the_state_tells_the_counts_of_the_workloads_own_pods():
    fact = state(deployment(replicas=2), Counted(pods=2, ready=1), receipt(9.0))
    assert fact.kind is FactKind.WORKLOAD_STATE
    assert fact.detail == {"target": "Deployment/worker", "ready": 1, "desired": 2, "unready": 1, "killed": 0}

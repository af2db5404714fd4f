import json
from datetime import UTC, datetime, timedelta

from tests.signals.builders import DATA, PLAYERS, receipt
from tests.signals.test_quotas import QUOTA, quota

from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.evidence.matching import matched
from kubedrill.plugins.sources import audit, quotas

RECORDED = (DATA / "audit.log").read_text(encoding="utf-8").splitlines()


def line(
    verb: str,
    resource: str,
    *,
    name: str = "",
    sub: str = "",
    uri: str = "/x",
    user: str = "alice",
    start: float = 0,
    took: float = 0.01,
    stage: str = "ResponseComplete",
    code: int = 200,
    audit_id: str = "",
    body=None,
    namespace: str = "shop",
    **more,
) -> str:
    zero = datetime(2026, 11, 23, 12, tzinfo=UTC)
    ref = {"resource": resource, "namespace": namespace, "name": name, "subresource": sub}
    event = {
        "auditID": audit_id or f"{verb}-{resource}-{name}-{start}",
        "stage": stage,
        "verb": verb,
        "requestURI": uri,
        "user": {"username": user},
        "objectRef": ref,
        "responseStatus": {"code": code},
        "requestReceivedTimestamp": (zero + timedelta(seconds=start)).isoformat(),
        "stageTimestamp": (zero + timedelta(seconds=start + took)).isoformat(),
        **more,
    }
    if body is not None:
        event["requestObject"] = body
    return json.dumps(event)


def told(*lines: str, **options):
    return audit.facts_of(lines, "shop", **options)


def test_the_recorded_log_tells_the_order_of_looking_and_acting():
    facts = audit.facts_of(RECORDED, "shop")
    by_alice = [f.kind for f in facts if f.detail["user"] == "alice"]
    assert by_alice == [
        FactKind.PODS_LISTED,
        FactKind.EVIDENCE_READ,
        FactKind.SCALED,
        FactKind.PODS_DELETED,
    ]


def test_the_recorded_log_names_the_impersonated_user_behind_a_scale():
    scale = next(f for f in audit.facts_of(RECORDED, "shop") if f.kind is FactKind.SCALED and f.detail["after"] == 4)
    assert scale.detail["user"] == "alice"
    assert scale.at.width < timedelta(seconds=1)


def test_the_recorded_log_tells_field_and_value_of_a_strategic_merge_patch():
    (fix,) = (f for f in audit.facts_of(RECORDED, "shop") if f.detail["user"] == "bob")
    assert fix.detail["field"] == "spec.template.spec.containers[worker].resources.limits.memory"
    assert fix.detail["after"] == "128Mi"


def test_a_log_that_is_followed_was_read_when_it_began_and_once():
    uri = "/api/v1/namespaces/shop/pods/p/log?follow=true&previous=true"
    first = line("get", "pods", name="p", sub="log", uri=uri, stage="ResponseStarted", audit_id="r1")
    last = line("get", "pods", name="p", sub="log", uri=uri, took=600, audit_id="r1")
    (fact,) = told(first, last)
    assert fact.at.width == timedelta(milliseconds=10)
    assert fact.detail["previous"] is True


def test_describing_a_pod_is_reading_it_and_its_events():
    uri = "/api/v1/namespaces/shop/events?fieldSelector=involvedObject.name%3Dp%2CinvolvedObject.namespace%3Dshop"
    facts = told(line("get", "pods", name="p"), line("list", "events", uri=uri, start=0.2))
    assert [(f.kind, f.detail["what"], f.detail["pod"]) for f in facts] == [(FactKind.EVIDENCE_READ, "describe", "p")]


def test_events_of_something_that_is_no_pod_are_no_evidence_about_a_pod():
    uri = "/api/v1/namespaces/shop/events?fieldSelector=involvedObject.name%3Dworker"
    assert told(line("get", "deployments", name="worker"), line("list", "events", uri=uri, start=0.2)) == ()


def test_one_persons_events_and_anothers_pod_are_no_description():
    uri = "/api/v1/namespaces/shop/events?fieldSelector=involvedObject.name%3Dp"
    assert told(line("get", "pods", name="p", user="tom"), line("list", "events", uri=uri, start=0.2)) == ()


def test_another_namespace_is_none_of_ours():
    assert told(line("list", "pods", namespace="other")) == ()


def test_a_refused_request_did_nothing():
    assert told(line("patch", "deployments", name="worker", code=403, body={"spec": {"replicas": 1}})) == ()


def test_the_drills_own_requests_are_left_out():
    own = frozenset({"system:serviceaccount:drills:kubedrill"})
    assert told(line("list", "pods", user="system:serviceaccount:drills:kubedrill"), own_users=own) == ()


def test_json_patches_tell_what_they_write_and_not_what_they_test():
    replicas = {"path": "/spec/replicas"}
    body = [{"op": "test", "value": 5} | replicas, {"op": "replace", "value": 9} | replicas]
    (fact,) = told(line("patch", "deployments", name="worker", body=body))
    assert (fact.kind, fact.detail["after"]) == (FactKind.SCALED, 9)


def test_a_whole_manifest_does_not_tell_what_of_it_was_new():
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 5}}
    (fact,) = told(line("patch", "deployments", name="worker", body=body))
    assert (fact.kind, fact.detail["path"]) == (FactKind.TARGET_CHANGED, "")


def test_the_clusters_own_controllers_are_automation():
    user = "system:serviceaccount:kube-system:horizontal-pod-autoscaler"
    (fact,) = told(line("update", "deployments", name="worker", sub="scale", user=user, body={"spec": {"replicas": 6}}))
    assert fact.detail["automation"]
    assert fact.detail["after"] == 6


def test_lines_that_are_cut_or_no_events_are_passed_over():
    assert told("{", "", "[]", "null", '{"stage": "ResponseComplete"}', line("list", "pods")[:-5]) == ()


def test_a_repeated_line_is_one_fact():
    assert len(told(line("list", "pods"), line("list", "pods"))) == 1


def test_it_names_who_removed_what_a_watch_has_only_seen_to_be_gone():
    gone = quotas.facts_of("DELETED", quota(), receipt(5), quota())
    removed = told(line("delete", "resourcequotas", name="limits", user="tom@example.com", start=4.9))
    (change,) = (f for f in matched((*gone, *removed), PLAYERS, {QUOTA}) if f.detail.get("path"))
    assert (change.actor, change.detail["path"]) == ("tom", "/metadata/name")

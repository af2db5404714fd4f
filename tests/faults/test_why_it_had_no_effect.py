"""A fault without effect says why, from what is there, and what would have one (field cases C1, C7, C14)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.faults.builders import MIB, WEB, container, deployment, squeeze

from kubedrill.plugins.faults.bad_image import BadImage
from kubedrill.plugins.faults.bad_image import why_not as why_not_pulled
from kubedrill.plugins.faults.base import Aftermath, WorkingSet
from kubedrill.plugins.faults.memory_limit import why_not
from kubedrill.plugins.faults.pod_kill import PodKill
from kubedrill.plugins.faults.pod_kill import why_not as why_not_gone
from kubedrill.plugins.faults.resource_quota import ResourceQuota
from kubedrill.plugins.faults.resource_quota import why_not as why_room

RUNNING: dict[str, Any] = {"state": {"running": {"startedAt": "2026-01-05T09:00:00Z"}}}
BY_LIMIT_RANGE = 'pods "web-x" is forbidden: minimum memory usage per Container is 48Mi, but request is 32Mi'
BY_POLICY = "ValidatingAdmissionPolicy 'no-small-pods' with binding 'x' denied request: too small"
BY_WEBHOOK = 'admission webhook "limits.example.com" denied the request: too small'
BY_QUOTA = 'pods "web-x" is forbidden: exceeded quota: tight, requested: pods=1, used: pods=5, limited: pods=5'


def pod(
    name: str, limit: str | None = "64Mi", *, ending: bool = False, image: str = "app:1", **status: Any
) -> dict[str, Any]:
    body = {**container(limit=limit), "image": image}
    return {
        "metadata": {
            "name": name,
            "labels": deployment()["spec"]["selector"]["matchLabels"],
            "ownerReferences": [{"kind": "ReplicaSet", "name": "web-1", "controller": True}],
            **({"deletionTimestamp": "2026-01-05T09:00:00Z"} if ending else {}),
        },
        "spec": {"containers": [body]},
        "status": {"containerStatuses": [{"name": "main", **status}]} if status else {},
    }


def after(*pods: dict[str, Any], refused: str = "", uses: int | None = None) -> Aftermath:
    failing = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": refused}
    web = deployment(status={"conditions": [failing]} if refused else None)
    used = {"main": WorkingSet(uses * MIB, "Prometheus")} if uses else {}
    return Aftermath({WEB: web}, pods, used)


def told(*pods: dict[str, Any], **more: Any) -> str:
    return "; ".join(why_not(squeeze(container="main", limit="64Mi", affected=1), after(*pods, **more)))


def test_c7_a_container_that_lives_with_the_limit_is_told_with_what_it_uses_and_which_limit_would_kill_it():
    said = told(pod("web-a", **RUNNING), uses=57)
    assert "container main runs with 64Mi in 1 pod and was not OOM-killed: it uses 57Mi by Prometheus" in said
    assert "ask for a `limit` below that, such as 28Mi" in said


def test_where_nothing_measures_what_is_used_that_is_said():
    assert "nothing measures what it uses: ask for a lower `limit`, such as 32Mi" in told(pod("web-a", **RUNNING))


def test_an_exit_code_of_its_own_is_a_crash_and_told_as_one():
    died: dict[str, Any] = {
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"reason": "Error", "exitCode": 3}},
    }
    said = told(pod("web-a", **died), uses=40)
    assert "pod web-a: container main ended by itself with exit code 3" in said
    assert "not the kernel's doing" in said
    assert "was not OOM-killed: it uses" not in said


@pytest.mark.parametrize(
    ("refused", "advice"),
    [
        (BY_LIMIT_RANGE, "ask for a `limit` of 48Mi or more"),
        (BY_QUOTA, "free room in ResourceQuota tight, or raise it"),
        (BY_POLICY, "ask whoever owns the policy no-small-pods"),
        (BY_WEBHOOK, "ask whoever runs the webhook limits.example.com"),
        ("no service account web", ""),
    ],
    ids=["c1 LimitRange", "quota", "policy", "webhook", "anything else"],
)
def test_pods_that_are_refused_are_told_in_the_refusers_words(refused, advice):
    said = told(pod("web-old", "128Mi", **RUNNING), refused=refused)
    assert f"new pods of Deployment/web are refused: {refused}" in said
    assert advice in said
    assert "did not reach one in time" not in said


def test_c14_a_limit_that_is_higher_than_what_the_pods_had_is_told():
    said = told(pod("web-a", "64Mi", **RUNNING), pod("web-b", "48Mi", **RUNNING), uses=40)
    assert "64Mi is more than the 48Mi that its other pods have" in said
    assert "ask for a `limit` below 48Mi" in said


def test_a_pod_that_is_still_ending_is_told():
    said = told(pod("web-old", "128Mi", ending=True, **RUNNING))
    assert "pod web-old still ending, and its place is not free before" in said


def test_a_pod_that_can_not_start_tells_what_it_waits_for():
    waits: dict[str, Any] = {"state": {"waiting": {"reason": "CreateContainerConfigError", "message": "no Secret web"}}}
    assert "pod web-a: container main waits: CreateContainerConfigError (no Secret web)" in told(pod("web-a", **waits))


def test_a_pod_that_no_node_takes_tells_why():
    unplaced = pod("web-a")
    unplaced["status"] = {
        "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}]
    }
    assert "pod web-a has no node: 0/3 nodes are available" in told(unplaced)


def test_a_rollout_that_reached_no_pod_is_told():
    assert "no pod of Deployment/web has the change yet" in told(pod("web-old", "128Mi", **RUNNING))


def test_pods_of_others_are_none_of_it():
    job = pod("web-db-x", **RUNNING)
    job["metadata"]["ownerReferences"] = [{"kind": "Job", "name": "web-db", "controller": True}]
    assert "runs with" not in told(job, uses=57)


def test_of_what_can_not_be_read_nothing_is_said():
    assert "runs with" not in "; ".join(why_not(squeeze(container="main", limit="64Mi"), Aftermath()))


def test_an_image_that_could_be_pulled_is_told():
    params = BadImage.model_validate(
        {"target": {"kind": "Deployment", "name": "web"}, "container": "main", "image": "app:2"}
    )
    assert "the image app:2 could be pulled" in "; ".join(
        why_not_pulled(params, after(pod("web-a", image="app:2", **RUNNING)))
    )


def test_pods_that_take_their_time_to_end_are_told():
    params = PodKill.model_validate({"target": {"kind": "Deployment", "name": "web"}})
    assert why_not_gone(params, after(pod("web-a", ending=True))) == (
        "web-a still ending: set a shorter `gracePeriod`, or a longer `armWithin`",
    )


def test_a_quota_that_is_gone_is_told():
    assert "somebody has removed it" in why_room(ResourceQuota(), Aftermath())[0]

"""memoryLimit refuses, by name and with what to do, whatever it could not do exactly as asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.faults.builders import DB, WEB, container, deployment, seen, squeeze, stateful_set

from kubedrill.core.undo.operations import Refusal
from kubedrill.plugins.faults.memory_limit import looks_into, plan


def refused(workload, *, target=WEB, **said) -> Refusal:
    params = squeeze(target.kind, target.name, **{"limit": "64Mi", **said})
    decided = plan(params, seen({target: workload} if workload else {}))
    assert isinstance(decided, Refusal), decided
    return decided


@pytest.mark.parametrize(
    ("reason", "message", "workload", "said"),
    [
        ("TargetNotFound", "there is no Deployment/web in namespace shop", None, {}),
        ("Paused", "rollout resume", deployment(spec={"paused": True}), {}),
        ("NoPods", "scale it up", deployment(0), {}),
        ("TooFewPods", "has 5 pods, so 6 can't be hit", deployment(5), {"affected": 6}),
        ("RecreateNeedsAll", "ask for affected: 5", deployment(5, how="Recreate"), {"affected": 3}),
        ("ContainerUnknown", "no container sidecar: it has main", deployment(), {"container": "sidecar"}),
        ("LimitNotLower", "128Mi", deployment(), {"limit": "128Mi"}),
        ("LimitNotLower", "1Gi is not below", deployment(), {"limit": "1Gi"}),
        ("LimitNotLower", "8Mi", deployment(containers=[container(limit="8Mi")]), {"limit": None}),
        ("LimitUnknown", "say which", deployment(containers=[container(limit=None)]), {"limit": None}),
    ],
)
def test_a_deployment_is_refused(reason, message, workload, said):
    refusal = refused(workload, **said)
    assert refusal.reason == reason
    assert message in refusal.message


def test_c14_a_limit_is_refused_that_is_no_lower_than_what_a_limit_range_gave_the_pods():
    owned = {"labels": {"app": "web"}, "ownerReferences": [{"kind": "ReplicaSet", "name": "web-1", "controller": True}]}
    pod = {"metadata": {"name": "web-1-a", **owned}, "spec": {"containers": [container(limit="80Mi")]}}
    without = deployment(containers=[container(limit=None)])
    observed = replace(seen({WEB: without}), pods=(pod,))

    refusal = plan(squeeze(limit="96Mi"), observed)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "LimitNotLower"
    assert "96Mi is not below the limit that pods of Deployment/web have, 80Mi (from a LimitRange" in refusal.message
    assert not isinstance(plan(squeeze(limit="24Mi"), observed), Refusal)


def test_pods_are_looked_into_only_where_the_template_has_no_limit():
    without = deployment(containers=[container(limit=None)])
    assert looks_into(squeeze(limit="96Mi"), {WEB: without}) == (WEB,)
    assert looks_into(squeeze(limit="96Mi"), {WEB: deployment()}) == ()


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ({"observedGeneration": 3}, "has not seen the last change"),
        ({"updatedReplicas": 2}, "2 of 5 pods have the current template"),
        ({"replicas": 6}, "6 pods instead of 5"),
        ({"availableReplicas": 4}, "4 of 5 pods are available"),
    ],
)
def test_a_deployment_in_a_rollout_is_refused(status, why):
    refusal = refused(deployment(5, status=status))
    assert refusal.reason == "RolloutInProgress"
    assert why in refusal.message


def test_a_deployment_that_is_being_deleted_is_refused():
    workload = deployment()
    workload["metadata"]["deletionTimestamp"] = "2026-01-05T09:00:00Z"
    assert refused(workload).reason == "BeingDeleted"


@pytest.mark.parametrize(
    ("reason", "workload", "said"),
    [
        ("OnDelete", stateful_set(how="OnDelete"), {}),
        ("OnePodAtATime", stateful_set(3), {"affected": 2}),
        ("TooFewPods", stateful_set(3), {"affected": 4}),
        ("RolloutInProgress", stateful_set(partition=2, status={"updateRevision": "db-2"}), {}),
        ("RolloutInProgress", stateful_set(3, status={"currentReplicas": 2}), {}),
    ],
)
def test_a_stateful_set_is_refused(reason, workload, said):
    assert refused(workload, target=DB, **said).reason == reason

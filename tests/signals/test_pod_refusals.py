"""A workload that can't get its pods says so itself: because of a quota, a LimitRange, a policy."""

from __future__ import annotations

from typing import Any

import pytest
from tests.signals.builders import receipt, stamp

from kubedrill.core.evidence.facts import FactKind
from kubedrill.plugins.sources.pod_refusals import facts_of

SAID = 'pods "web-x" is forbidden: exceeded quota: limits, requested: pods=1, used: pods=5, limited: pods=0'


def failing(message: str, status: str = "True") -> dict[str, Any]:
    condition = {"type": "ReplicaFailure", "status": status, "message": message, "lastTransitionTime": stamp(3)}
    return {
        "kind": "Deployment",
        "metadata": {"name": "web", "uid": "w1"},
        "status": {"conditions": [{"type": "Available", "status": "True"}, condition]},
    }


def test_a_workload_tells_which_quota_keeps_its_pods_away():
    (fact,) = facts_of("MODIFIED", failing(SAID), receipt(4))
    assert (fact.kind, fact.detail) == (FactKind.PODS_REFUSED, {"target": "Deployment/web", "quota": "limits"})


@pytest.mark.parametrize(
    "said",
    [
        'pods "web-x" is forbidden: minimum memory usage per Container is 48Mi, but request is 32Mi',
        "ValidatingAdmissionPolicy 'small' with binding 'small' denied request: too small",
        "",
    ],
    ids=["c1 LimitRange", "policy", "without a word"],
)
def test_whoever_else_refuses_them_is_told_in_their_words(said: str):
    (fact,) = facts_of("MODIFIED", failing(said), receipt(4))
    assert (fact.kind, fact.detail["quota"]) == (FactKind.PODS_REFUSED, "")
    assert said in fact.evidence


@pytest.mark.parametrize(
    "workload",
    [failing("exceeded quota: limits, requested: pods=1", "False"), {"kind": "x"}],
    ids=["it is over", "no status"],
)
def test_a_workload_that_gets_its_pods_tells_nothing(workload: dict[str, Any]):
    assert facts_of("MODIFIED", workload, receipt(4)) == ()

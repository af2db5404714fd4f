"""A workload that can't get its pods because of a quota says so itself."""

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
    "workload",
    [failing("exceeded quota: limits, requested: pods=1", "False"), failing("no service account"), {"kind": "x"}],
    ids=["it is over", "another reason", "no status"],
)
def test_a_workload_that_has_another_trouble_tells_of_no_quota(workload: dict[str, Any]):
    assert facts_of("MODIFIED", workload, receipt(4)) == ()

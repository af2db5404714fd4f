"""Two faults of one drill may not set the same field."""

from __future__ import annotations

from tests.faults.builders import WEB, container, deployment, seen, squeeze

from kubedrill.faults.base import overlap
from kubedrill.faults.memory_limit import plan

PAIR = deployment(5, 2, 0, ready=15, containers=[container("app"), container("proxy")])


def planned(workload, **said):
    return plan(squeeze(limit="64Mi", **said), seen({WEB: workload}))


def test_two_faults_that_set_one_field_are_refused_by_the_name_of_both():
    refusal = overlap({"first": planned(PAIR, container="app"), "second": planned(PAIR, container="app")})
    assert refusal is not None
    assert refusal.reason == "FaultsOverlap"
    assert "faults first and second both set /spec/template/spec/containers/0" in refusal.message


def test_two_containers_of_one_workload_may_both_be_hit():
    assert overlap({"first": planned(PAIR, container="app"), "second": planned(PAIR, container="proxy")}) is None


def test_two_faults_that_both_need_another_strategy_are_refused():
    plain = deployment(5, containers=[container("app"), container("proxy")])
    refusal = overlap({"first": planned(plain, container="app"), "second": planned(plain, container="proxy")})
    assert refusal is not None
    assert "maxUnavailable" in refusal.message

"""Two faults of one drill may not set the same field, unless they hold one rollout in the same way."""

from __future__ import annotations

from tests.faults.builders import HELD, WEB, changes, container, deployment, seen, squeeze, together_of

from kubedrill.core.undo.operations import Refusal
from kubedrill.plugins.faults.base import together
from kubedrill.plugins.faults.memory_limit import plan

CONTAINERS = [container("app"), container("proxy")]
FITS = deployment(5, 2, 0, ready=HELD, containers=CONTAINERS)
PLAIN = deployment(5, containers=CONTAINERS)
ROLLOUT = {"strategy/rollingUpdate/maxUnavailable": 2, "strategy/rollingUpdate/maxSurge": 0, "minReadySeconds": HELD}


def planned(workload, **said):
    return plan(squeeze(limit="64Mi", **said), seen({WEB: workload}))


def limit(index):
    return {f"template/spec/containers/{index}/resources/limits/memory": "64Mi"}


def test_two_faults_that_set_one_field_are_refused_by_the_name_of_both():
    refusal = together({"first": planned(FITS, container="app"), "second": planned(FITS, container="app")})
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "FaultsOverlap"
    assert "faults first and second both set /spec/template/spec/containers/0" in refusal.message


def test_two_containers_of_one_workload_may_both_be_hit():
    both = together_of(together({"first": planned(FITS, container="app"), "second": planned(FITS, container="proxy")}))
    assert [changes(p) for p in both.values()] == [limit(0), limit(1)]


def test_two_faults_that_hold_one_rollout_in_the_same_way_set_it_once():
    first, second = (planned(PLAIN, container=name, affected=2) for name in ("app", "proxy"))
    both = together_of(together({"first": first, "second": second}))
    assert [changes(p) for p in both.values()] == [limit(0) | ROLLOUT, limit(1)]


def test_two_faults_that_want_other_numbers_of_one_workload_are_refused():
    refusal = together(
        {
            "first": planned(PLAIN, container="app", affected=2),
            "second": planned(PLAIN, container="proxy", affected=3),
        }
    )
    assert isinstance(refusal, Refusal)
    assert "maxUnavailable" in refusal.message

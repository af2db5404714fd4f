"""What memoryLimit sets: the limit, the request where it must, the strategy where it would not fit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.faults.builders import (
    ARM_WITHIN,
    DB,
    HELD,
    MIB,
    WEB,
    accepted,
    changes,
    container,
    deployment,
    only,
    seen,
    squeeze,
    stateful_set,
)

from kubedrill.api.quantities import parse_memory
from kubedrill.core.undo.operations import SetFields
from kubedrill.core.undo.watchdog_rules import GRACE, SILENT
from kubedrill.plugins.faults.base import Plan
from kubedrill.plugins.faults.memory_limit import describe, plan
from kubedrill.plugins.faults.strategy import Reach, reach_of
from kubedrill.plugins.faults.workload import Workload

LIMIT = "template/spec/containers/0/resources/limits/memory"
REQUEST = "template/spec/containers/0/resources/requests/memory"
UNAVAILABLE, SURGE = "strategy/rollingUpdate/maxUnavailable", "strategy/rollingUpdate/maxSurge"
READY, PROGRESS = "minReadySeconds", "progressDeadlineSeconds"
PARTITION = "updateStrategy/rollingUpdate/partition"


def planned(workload, used=None, **said):
    return plan(squeeze(**said), seen({WEB: workload}, used=used))


@pytest.mark.parametrize(
    ("workload", "affected", "strategy"),
    [
        # the strategy fits: nothing of it is touched
        (deployment(5, "60%", 0, ready=HELD), 3, {}),
        (deployment(5, 3, 0, ready=HELD + 20), 3, {}),
        (deployment(3, "100%", 0), 3, {}),
        (deployment(4, how="Recreate"), 4, {}),
        # a surge pod would be killed beside the serving ones, so as many are named, and no surge
        (deployment(5, ready=HELD), 3, {UNAVAILABLE: 3, SURGE: 0}),
        (deployment(3, ready=HELD), 1, {UNAVAILABLE: 1, SURGE: 0}),
        (deployment(5, 3, 1, ready=HELD), 3, {UNAVAILABLE: 3, SURGE: 0}),
        (deployment(10, "60%", 0, ready=HELD), 3, {UNAVAILABLE: 3, SURGE: 0}),
        # a pod that does not fail must not count as available before it is put back
        (deployment(5, "60%", 0, ready=HELD - 1), 3, {READY: HELD}),
        (deployment(5), 2, {UNAVAILABLE: 2, SURGE: 0, READY: HELD}),
        # the API demands a progress deadline above minReadySeconds; a pod needs a while to start
        (deployment(5, "60%", 0, spec={PROGRESS: 120}), 3, {READY: HELD, PROGRESS: HELD + 60}),
        (deployment(5, "60%", 0, spec={PROGRESS: HELD + 59}), 3, {READY: HELD, PROGRESS: HELD + 60}),
        (deployment(5, "60%", 0, spec={PROGRESS: HELD + 60}), 3, {READY: HELD}),
        # all of them: no old pod is left to protect
        (deployment(5), 5, {UNAVAILABLE: 5, SURGE: 0}),
    ],
)
def test_the_strategy_is_changed_only_where_it_would_hit_another_number(workload, affected, strategy):
    assert changes(planned(workload, limit="64Mi", affected=affected)) == {LIMIT: "64Mi", **strategy}


def test_pods_without_an_effect_outlast_the_decision_and_an_operator_that_has_died():
    after = patched(deployment(5), planned(deployment(5), limit="64Mi", affected=2).operations[0])
    assert timedelta(seconds=after["spec"][READY]) > ARM_WITHIN + SILENT + GRACE


@pytest.mark.parametrize(("partition", "strategy"), [(0, {PARTITION: 2}), (1, {PARTITION: 2}), (2, {})])
def test_of_a_stateful_set_the_last_pod_is_hit(partition, strategy):
    decided = plan(squeeze("StatefulSet", "db", limit="64Mi"), seen({DB: stateful_set(3, partition=partition)}))
    assert changes(decided) == {LIMIT: "64Mi", **strategy}


def test_c9_a_partition_counts_pods_whatever_number_the_first_one_has():
    workload = stateful_set(3)
    workload["spec"]["ordinals"] = {"start": 5}

    assert changes(plan(squeeze("StatefulSet", "db", limit="64Mi"), seen({DB: workload})))[PARTITION] == 2


@pytest.mark.parametrize(("pods", "unstick"), [("OrderedReady", {"app": "db"}), ("Parallel", {})])
def test_ordered_pods_must_be_unstuck_by_the_undo_and_parallel_ones_not(pods, unstick):
    decided = plan(squeeze("StatefulSet", "db", limit="64Mi"), seen({DB: stateful_set(pods=pods)}))
    assert only(decided, SetFields).unstick == unstick


def test_a_deployment_needs_no_unsticking():
    (operation,) = planned(deployment(), limit="64Mi").operations
    assert operation.unstick == {}


@pytest.mark.parametrize(
    ("request_now", "limit", "follows"),
    [("128Mi", "64Mi", {REQUEST: "64Mi"}), ("64Mi", "64Mi", {}), ("16Mi", "64Mi", {}), (None, "64Mi", {})],
)
def test_the_request_is_lowered_only_when_it_is_above_the_new_limit(request_now, limit, follows):
    workload = deployment(1, 1, 0, ready=15, containers=[container(limit="128Mi", request=request_now)])
    assert changes(planned(workload, limit=limit)) == {LIMIT: limit, **follows}


def test_a_container_without_a_limit_gets_one():
    workload = deployment(1, 1, 0, ready=15, containers=[container(limit=None)])
    assert changes(planned(workload, limit="64Mi")) == {LIMIT: "64Mi"}


def test_the_named_container_is_hit_at_its_index_and_guarded_by_its_name():
    workload = deployment(1, 1, 0, ready=15, containers=[container("proxy"), container("app")])
    (operation,) = planned(workload, container="app", limit="64Mi").operations
    (change,) = operation.changes
    assert change.path == "/spec/template/spec/containers/1/resources/limits/memory"
    assert change.guards == (("/spec/template/spec/containers/1/name", "app"),)


def test_without_a_name_the_first_container_is_hit():
    workload = deployment(containers=[container("app"), container("proxy")])
    decided = planned(workload, limit="64Mi")
    assert decided.settled.container == "app"
    assert "container: app" in decided.notes


@pytest.mark.parametrize(
    ("used", "limit"), [(84, "42Mi"), (85, "42Mi"), (101, "50Mi"), (17, "8Mi"), (3, "8Mi"), (4096, "2Gi")]
)
def test_without_a_limit_it_is_half_of_what_is_used(used, limit):
    workload = deployment(1, 1, 0, ready=15, containers=[container(limit="8Gi")])
    assert changes(planned(workload, used={"main": used})) == {LIMIT: limit}


def test_when_nothing_measures_it_is_half_of_the_limit_and_says_so():
    decided = planned(deployment(1, 1, 0, ready=15))
    assert changes(decided) == {LIMIT: "64Mi"}
    assert any("no usage metric found" in note for note in decided.notes)


def test_a_limit_that_is_above_what_is_used_is_set_with_a_warning():
    decided = planned(deployment(), limit="64Mi", used={"main": 18})
    assert changes(decided)[LIMIT] == "64Mi"
    assert any(
        note.startswith("64Mi is not below what is used now (18Mi by the metrics API)") for note in decided.notes
    )


@pytest.mark.parametrize(
    ("workload", "affected"),
    [
        (deployment(5, "60%", 0), 3),
        (deployment(5), 1),
        (deployment(10), 2),
        (deployment(3), 1),
        (deployment(3, how="Recreate"), 3),
    ],
)
def test_without_a_number_as_many_are_hit_as_the_own_strategy_replaces_one_at_least(workload, affected):
    assert planned(workload, limit="64Mi").settled.affected == affected


def test_what_is_planned_is_described_for_people():
    params = squeeze(limit="64Mi", affected=2)
    assert describe(params, accepted(plan(params, seen({WEB: deployment(4)})))) == (
        "memoryLimit: container main of Deployment/web gets 64Mi; 2 of its pods will be OOM-killed",
        "container: main",
        (
            "its own strategy would not surely hit exactly 2 of 4; set until somebody takes the fault out: "
            f"maxUnavailable 2, maxSurge 0, minReadySeconds {HELD}"
        ),
        (
            "when it is scaled up meanwhile, the added pods are split over failing and healthy ones;"
            " no more of the 4 that serve now are replaced for that"
        ),
    )


def patched(workload, operation: SetFields):
    """The workload with the operation's fields set."""
    for change in operation.changes:
        *parents, last = change.path.strip("/").split("/")
        at = workload
        for key in parents:
            at = at[int(key)] if isinstance(at, list) else at[key]
        at[last] = change.value
    return workload


@given(
    st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n))),
    st.one_of(st.integers(0, 40), st.integers(0, 100).map("{}%".format)),
    st.one_of(st.integers(0, 40), st.integers(1, 100).map("{}%".format)),
    st.integers(0, 2 * HELD),
)
def test_the_patched_strategy_replaces_exactly_the_asked_number(size, unavailable, surge, ready):
    replicas, affected = size
    workload = deployment(replicas, unavailable, surge, ready=ready)
    decided = planned(workload, limit="64Mi", affected=affected)
    assert isinstance(decided, Plan)
    after = Workload.read("Deployment", patched(workload, only(decided, SetFields)))
    assert reach_of(after) == Reach(affected, affected)
    assert after.min_ready >= HELD or affected == replicas
    assert after.progress_deadline > after.min_ready


@given(st.integers(1, 2**40), st.integers(16 * MIB + 1, 2**41))
def test_a_derived_limit_is_whole_mebibytes_and_no_more_than_half_of_the_use(used, limit_now):
    workload = deployment(containers=[container(limit=str(limit_now))])
    decided = plan(squeeze(), seen({WEB: workload}, used={"main": used // MIB}))
    if isinstance(decided, Plan):
        assert decided.settled.limit is not None
        limit = parse_memory(decided.settled.limit)
        assert limit % MIB == 0
        assert 8 * MIB <= limit <= max(8 * MIB, used // 2)

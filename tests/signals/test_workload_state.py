"""Pods are counted by their owner, event by event; that equals counting all of them anew."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.signals.builders import death, deployment, pod, receipt

from kubedrill.kube.watch import WatchEvent
from kubedrill.plugins.sources import workload_state
from kubedrill.plugins.sources.base import Told
from kubedrill.plugins.sources.pod_fields import is_out_of_memory, is_ready, workload_of
from kubedrill.plugins.sources.workload_state import Counted, PodCounts, state

OWNERS = [("ReplicaSet", "worker-abc"), ("StatefulSet", "db"), ("Job", "api-db")]
TARGETS = ["Deployment/worker", "StatefulSet/db", "Job/api-db"]
POISON = [
    {},
    {"metadata": None},
    {"metadata": {"uid": "uid-a"}, "status": 7},
    {"metadata": {"uid": "uid-a", "ownerReferences": [7]}},
]

PODS = st.builds(
    pod,
    st.sampled_from("abcd"),
    ready=st.sampled_from([None, True, False]),
    deleting=st.booleans(),
    owner=st.sampled_from(OWNERS),
    state=st.sampled_from([None, death(7)]),
)
EVENTS = st.lists(st.tuples(st.sampled_from(["ADDED", "MODIFIED", "DELETED"]), PODS))


def counted_anew(pods: dict[str, Any], target: str) -> Counted:
    own = [p for p in pods.values() if workload_of(p) == target and not p["metadata"].get("deletionTimestamp")]
    return Counted(len(own), sum(map(is_ready, own)), sum(map(is_out_of_memory, own)))


def test_a_workloads_own_pods_are_counted_without_those_on_their_way_out():
    counts = PodCounts()
    for one in (
        pod("a", ready=True),
        pod("b", state=death(7)),
        pod("c", ready=True, deleting=True),
        pod("d", ready=True, owner=("StatefulSet", "db")),
    ):
        counts.took("ADDED", one)
    assert counts.of("Deployment/worker") == Counted(pods=2, ready=1, killed=1)


@given(EVENTS)
def test_counting_event_by_event_equals_counting_anew(events):
    counts = PodCounts()
    there: dict[str, Any] = {}
    for kind, one in events:
        before = {t: counts.of(t) for t in TARGETS}
        changed = counts.took(kind, one)
        there.pop(one["metadata"]["uid"], None)
        if kind != "DELETED":
            there[one["metadata"]["uid"]] = one
        assert {t: counts.of(t) for t in TARGETS} == {t: counted_anew(there, t) for t in TARGETS}
        assert changed >= {t for t in TARGETS if counts.of(t) != before[t]}


@given(st.sampled_from(POISON), st.sampled_from(["ADDED", "MODIFIED", "DELETED"]))
def test_a_pod_that_cant_be_read_is_nobodys_and_spoils_no_count(poison, kind):
    counts = PodCounts()
    counts.took("ADDED", pod("b", ready=True))
    counts.took(kind, poison)
    assert counts.of("Deployment/worker") == Counted(1, 1)


def test_an_event_beside_five_thousand_pods_looks_at_one_of_them(monkeypatch):
    looked: Counter[str] = Counter()

    def counted(one):
        looked[one["metadata"]["name"]] += 1
        return workload_of(one)

    counts = PodCounts()
    monkeypatch.setattr("kubedrill.plugins.sources.workload_state.workload_of", counted)
    for n in range(5000):
        counts.took("ADDED", pod(f"p{n}", ready=True))
    looked.clear()
    assert counts.took("MODIFIED", pod("p7", ready=False)) == {"Deployment/worker"}
    assert looked == {"p7": 1}
    assert counts.of("Deployment/worker") == Counted(5000, 4999)


def test_an_event_beside_five_thousand_pods_of_two_hundred_workloads_asks_for_the_state_of_one(monkeypatch):
    asked: list[str] = []

    def counted(workload, pods, received):
        asked.append(workload["metadata"]["name"])
        return state(workload, pods, received)

    monkeypatch.setattr(workload_state, "state", counted)
    states = workload_state.States()
    workloads = [deployment(uid=f"uid-{n}") for n in range(200)]
    for n, one in enumerate(workloads):
        one["metadata"]["name"] = f"app-{n}"
    pods = [pod(f"p{n}", ready=True, owner=("ReplicaSet", f"app-{n % 200}-abc")) for n in range(5000)]
    there = Told([WatchEvent("ADDED", one, None, receipt(8)) for one in (*pods, *workloads)], True, receipt(8))
    assert len(list(states.read(there))) == len(asked) == 200
    asked.clear()
    gone = pod("p7", ready=False, owner=("ReplicaSet", "app-7-abc"))
    (fact,) = states.read(Told([WatchEvent("MODIFIED", gone, pods[7], receipt(9))], True, receipt(9)))
    assert (asked, fact.detail["ready"]) == (["app-7"], 24)


def test_a_workload_that_is_deleted_has_nothing_ready_whatever_was_last_seen_of_it():
    states, there = workload_state.States(), deployment()
    serving = [WatchEvent("ADDED", pod(f"p{n}", ready=True), None, receipt(8)) for n in range(5)]
    (ready,) = states.read(Told([WatchEvent("ADDED", there, None, receipt(8)), *serving], True, receipt(8)))
    (gone,) = states.read(Told([WatchEvent("DELETED", there, None, receipt(9))], True, receipt(9)))
    assert (ready.detail["ready"], gone.detail["ready"], gone.detail["desired"]) == (5, 0, 0)
    assert gone.detail["target"] == ready.detail["target"]
    assert not list(states.read(Told([], True, receipt(10))))

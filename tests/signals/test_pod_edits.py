"""What is changed in a pod itself is a change like any other, and never one of the cause."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.measure.builders import drill_plan
from tests.signals.builders import PLAYERS, between, pod, receipt, resizable, resized
from tests.signals.test_audit_log import line

from kubedrill.core.evidence.attribution import is_cause
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.core.evidence.matching import matched
from kubedrill.core.measure.milestones import milestones
from kubedrill.core.measure.results import MilestoneName
from kubedrill.plugins.sources import audit, pod_edits, pods

MEMORY = "spec.containers[worker].resources.limits.memory"
TARGETS = ("Deployment/worker",)
PATCH = {"spec": {"containers": [{"name": "worker", "resources": {"limits": {"memory": "80Mi"}}}]}}


def edited(manager: str = "kubectl", **after: object) -> Fact:
    """A pod of Deployment worker whose limit was raised in place."""
    now = resizable("80Mi", generation=2, managers=(resized(manager, 7),), **after)  # type: ignore[arg-type]
    (fact,) = pod_edits.facts_of(resizable("24Mi", **after), now, receipt(7.6))  # type: ignore[arg-type]
    return fact


def asked(user: str, body: object = None, sub: str = "resize", **more: object) -> tuple[Fact, ...]:
    told = line("patch", "pods", name="worker-abc-1", sub=sub, user=user, start=7.2, body=body, **more)  # type: ignore[arg-type]
    return audit.facts_of([told], "shop")


def of_interference(facts: frozenset[Fact]) -> list[Fact]:
    return [f for f in facts if f.kind is FactKind.INTERFERENCE]


def test_c13_a_resize_in_place_tells_pod_workload_field_values_and_manager():
    fact = edited()
    assert fact.kind is FactKind.TARGET_CHANGED
    assert (fact.detail["target"], fact.detail["pod"], fact.detail["field"]) == (*TARGETS, "worker-abc-1", MEMORY)
    assert (fact.detail["before"], fact.detail["after"], fact.detail["manager"]) == ("24Mi", "80Mi", "kubectl")
    assert fact.at == between(7, 7.6)
    assert "pod worker-abc-1 of Deployment/worker, in place" in fact.evidence


def test_c13_a_players_resize_is_their_first_containment_and_no_fix():
    facts = matched([edited("alice")], PLAYERS, TARGETS)
    reached = {m.name: m for m in milestones(facts, {}, drill_plan(), receipt(60).at)}
    assert reached[MilestoneName.FIRST_CONTAINMENT].actor == "alice"
    assert MilestoneName.FIX_APPLIED not in reached


def test_c13_a_resize_by_nobody_knows_whom_is_unattributed():
    (found,) = of_interference(matched([edited("kubectl")], PLAYERS, TARGETS))
    assert found.detail["who"] == "somebody with kubectl"
    assert found.id == "interference/Pod/worker-abc-1@uid-work-2"


@pytest.mark.parametrize("body", [PATCH, None], ids=["the log holds what was asked", "the log holds no bodies"])
def test_c13_the_audit_log_names_whose_resize_it_was_and_both_are_one_change(body: object):
    facts = matched([edited("kubectl"), *asked("tom@example.com", body)], PLAYERS, TARGETS)
    changes = [f for f in facts if f.kind is FactKind.TARGET_CHANGED]
    assert {f.actor for f in changes} == {"tom"}
    assert len({f.detail["change"] for f in changes}) == 1
    assert not of_interference(facts)


def test_a_strangers_resize_in_the_audit_log_is_about_the_workload():
    (found,) = of_interference(matched([edited("kubectl"), *asked("mallory", PATCH)], PLAYERS, TARGETS))
    assert (found.detail["who"], found.detail["target"]) == ("mallory", *TARGETS)


def test_a_request_for_another_pod_is_not_taken_for_it():
    other = replace(edited("kubectl"), id="change/other")
    other = replace(other, detail={**other.detail, "pod": "worker-abc-2", "change": "Pod/worker-abc-2@x-2"})
    facts = matched([other, *asked("tom@example.com", PATCH)], PLAYERS, TARGETS)
    assert next(f for f in facts if f.id == "change/other").actor == ""


def test_c10_a_resize_of_a_neighbours_pod_is_no_interference():
    neighbours = edited("kubectl", name="api-db-sfnfx", owner=("Job", "api-db"))
    assert neighbours.detail["target"] == "Job/api-db"
    assert not of_interference(matched([neighbours], PLAYERS, TARGETS))


def test_an_image_that_is_changed_in_a_pod_is_a_change_too_and_not_of_the_cause():
    now = resizable(image="app:2", generation=2, managers=({"manager": "kubectl-set", "time": "2026-11-23T12:00:07Z"},))
    (fact,) = pod_edits.facts_of(resizable(), now, receipt(7.6))
    assert (fact.detail["field"], fact.detail["manager"]) == ("spec.containers[worker].image", "kubectl-set")
    assert not is_cause(fact, drill_plan())


def test_what_the_kubelet_writes_of_a_pod_is_no_change_of_it():
    kubelet = {"manager": "kubelet", "subresource": "status", "time": "2026-11-23T12:00:07Z"}
    assert pod_edits.facts_of(resizable(), resizable(managers=(kubelet,)), receipt(7.6)) == ()
    both = (resized("alice", 6), kubelet)
    (fact,) = pod_edits.facts_of(resizable(), resizable("80Mi", generation=2, managers=both), receipt(7.6))
    assert fact.detail["manager"] == "alice"


def test_who_resizes_twice_within_a_second_is_named_all_the_same():
    entry = (resized("alice", 7),)
    before, after = resizable("80Mi", generation=2, managers=entry), resizable("90Mi", generation=3, managers=entry)
    (fact,) = pod_edits.facts_of(before, after, receipt(7.6))
    assert fact.detail["manager"] == "alice"


def test_another_pod_of_the_same_name_was_not_changed():
    made_again = resizable("80Mi")
    made_again["metadata"]["uid"] = "another"
    assert pod_edits.facts_of(resizable(), made_again, receipt(7.6)) == ()


@pytest.mark.parametrize(
    ("sub", "body"),
    [("", {"metadata": {"labels": {"a": "b"}}}), ("", None), ("status", None), ("ephemeralcontainers", None)],
    ids=["a label", "whatever", "its status", "a debugging container"],
)
def test_what_changes_nothing_of_a_pods_containers_is_no_change(sub: str, body: object):
    assert asked("tom@example.com", body, sub) == ()


def gone(name: str, owner: tuple[str, str] = ("ReplicaSet", "worker-abc")) -> tuple[Fact, ...]:
    return pods.facts_of("DELETED", pod(name, owner=owner), receipt(8))


def deleted(name: str, verb: str = "delete", sub: str = "") -> tuple[Fact, ...]:
    return audit.facts_of([line(verb, "pods", name=name, sub=sub, user="mallory", start=7)], "shop")


@pytest.mark.parametrize(("verb", "sub"), [("delete", ""), ("create", "eviction")])
def test_c10_pods_of_a_neighbour_that_somebody_removes_are_no_interference(verb: str, sub: str):
    theirs = [*deleted("api-db-sfnfx", verb, sub), *gone("api-db-sfnfx", ("Job", "api-db"))]
    ours = [*deleted("worker-abc-1", verb, sub), *gone("worker-abc-1")]
    assert not of_interference(matched(theirs, PLAYERS, TARGETS))
    (found,) = of_interference(matched(ours, PLAYERS, TARGETS))
    assert found.detail["target"] == "Deployment/worker"


def test_pods_that_nobody_has_seen_may_be_the_targets():
    assert of_interference(matched(deleted("who-knows"), PLAYERS, TARGETS))

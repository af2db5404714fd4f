from typing import Any

import pytest
from tests.signals.builders import between, death, pod, receipt, recorded

from kubedrill.core.evidence.facts import FactKind
from kubedrill.plugins.sources import pods
from kubedrill.plugins.sources.pod_fields import is_ready, workload_of

WAITING = {"waiting": {"reason": "CrashLoopBackOff"}}


def kinds(facts):
    return [f.kind for f in facts]


def test_an_oom_kill_is_placed_within_the_second_that_the_kubelet_tells():
    (kill,) = pods.facts_of("MODIFIED", pod(state=death(7)), receipt(8.3))
    assert kill.kind is FactKind.POD_OOM_KILLED
    assert kill.at == between(7, 8)
    assert kill.detail["exitCode"] == 137
    assert kill.detail["target"] == "Deployment/worker"


def test_the_same_death_seen_first_in_state_and_then_in_last_state_is_one_fact():
    (first,) = pods.facts_of("MODIFIED", pod(state=death(7)), receipt(8.3))
    (again,) = pods.facts_of("MODIFIED", pod(last=death(7), restarts=1), receipt(9.0))
    assert first.id == again.id


def test_a_death_while_waiting_again_is_the_second_though_the_restart_count_is_the_same():
    (first,) = pods.facts_of("MODIFIED", pod(last=death(7, "aaa"), restarts=1), receipt(9.0))
    again = pods.facts_of("MODIFIED", pod(state=WAITING, last=death(11, "bbb"), restarts=1), receipt(12.0))
    assert kinds(again) == [FactKind.POD_OOM_KILLED, FactKind.POD_CRASH_LOOPING]
    assert again[0].id != first.id


def test_a_re_list_after_a_restart_tells_of_the_same_kill():
    (live,) = pods.facts_of("MODIFIED", pod(state=death(7)), receipt(7.4))
    (relisted,) = pods.facts_of("ADDED", pod(state=death(7)), receipt(300.0, since=100.0))
    assert relisted.id == live.id
    assert relisted.at == between(7, 8)


def test_an_exit_for_another_reason_is_no_oom_kill():
    assert pods.facts_of("MODIFIED", pod(state=death(7, reason="Error", code=1)), receipt(8.0)) == ()


def test_a_crash_loop_began_between_the_last_death_and_its_sighting():
    *_, loop = pods.facts_of("MODIFIED", pod(state=WAITING, last=death(7), restarts=3), receipt(9.2))
    assert loop.kind is FactKind.POD_CRASH_LOOPING
    assert loop.at == between(7, 9.2)
    assert loop.detail["restartCount"] == 3


def unpulled(reason: str) -> dict[str, Any]:
    spec = {"containers": [{"name": "sidecar", "image": "proxy:2"}, {"name": "worker", "image": "app:nope"}]}
    return pod(state={"waiting": {"reason": reason}}) | {"spec": spec}


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"])
def test_an_image_that_cant_be_pulled_is_told_as_the_pod_asks_for_it(reason: str):
    (fact,) = pods.facts_of("MODIFIED", unpulled(reason), receipt(9.2))
    assert (fact.kind, fact.at) == (FactKind.IMAGE_NOT_PULLED, between(8.2, 9.2))
    assert (fact.detail["container"], fact.detail["image"], fact.detail["reason"]) == ("worker", "app:nope", reason)
    assert fact.detail["target"] == "Deployment/worker"


def test_an_image_that_is_tried_again_and_again_is_one_fact():
    (first,) = pods.facts_of("MODIFIED", unpulled("ErrImagePull"), receipt(9.2))
    (again,) = pods.facts_of("MODIFIED", unpulled("ImagePullBackOff"), receipt(20.0))
    assert first.id == again.id


@pytest.mark.parametrize("reason", ["ContainerCreating", "PodInitializing", "CreateContainerConfigError"])
def test_a_container_that_waits_for_something_else_lacks_no_image(reason: str):
    assert pods.facts_of("MODIFIED", unpulled(reason), receipt(9.2)) == ()


def test_a_pod_whose_spec_does_not_tell_the_image_is_no_poison():
    (fact,) = pods.facts_of("ADDED", pod(state={"waiting": {"reason": "ErrImagePull"}}), receipt(9.2))
    assert fact.detail["image"] == ""


def test_a_pod_that_was_never_ready_does_not_become_unready():
    assert pods.facts_of("ADDED", pod(ready=False), receipt(1.0)) == ()


def test_readiness_comes_and_goes_with_its_own_stamps():
    ready = pod(ready=True, since=3)
    (up,) = pods.facts_of("MODIFIED", ready, receipt(3.5))
    (down,) = pods.facts_of("MODIFIED", pod(ready=False, since=9), receipt(9.2), before=ready)
    assert (up.kind, up.at) == (FactKind.POD_READY, between(3, 3.5))
    assert (down.kind, down.at) == (FactKind.POD_UNREADY, between(9, 9.2))


def test_a_deleted_pod_is_gone_and_its_last_kill_is_still_told():
    facts = pods.facts_of("DELETED", pod(state=death(7)), receipt(8.5))
    assert kinds(facts) == [FactKind.POD_OOM_KILLED, FactKind.POD_GONE]


def test_a_pod_on_its_way_out_is_not_ready():
    assert not is_ready(pod(ready=True, deleting=True))


def test_a_pod_belongs_to_the_workload_behind_its_replica_set():
    assert workload_of(pod()) == "Deployment/worker"
    assert workload_of(pod(owner=("StatefulSet", "db"))) == "StatefulSet/db"


def test_a_replica_set_that_is_nobodys_is_its_own_workload():
    assert workload_of(pod(owner=("ReplicaSet", "lonely"))) == "ReplicaSet/lonely"


def test_a_recorded_pod_that_was_killed_twice_tells_of_both_kills():
    facts = pods.facts_of("ADDED", recorded("pod-oom-killed-twice.json"), receipt(0))
    assert kinds(facts) == [FactKind.POD_OOM_KILLED] * 2
    assert len({f.id for f in facts}) == 2
    assert {f.detail["target"] for f in facts} == {"Deployment/worker"}

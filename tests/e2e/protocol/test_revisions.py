"""What a workload's controller keeps of the fault goes, too, or `rollout undo` would bring it back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.e2e.protocol.lab import (
    REPLACING,
    Lab,
    WallClock,
    changes,
    drill,
    ends,
    kubectl,
    memory_of,
    until,
    workload,
)

from kubedrill.core.paths import ApiPath
from kubedrill.protocol.outcomes import Reversal


async def owned_by(lab: Lab, plural: str, uid: str) -> list[dict[str, Any]]:
    root = "/api/v1" if plural == "pods" else "/apis/apps/v1"
    answer = await lab.kube.get(ApiPath(f"{root}/namespaces/{lab.namespace}/{plural}"))
    return [
        item
        for item in answer.body["items"]
        if any(o["uid"] == uid for o in item["metadata"].get("ownerReferences", ()))
    ]


async def count_of(lab: Lab, plural: str, uid: str, count: int) -> list[dict[str, Any]]:
    async def so() -> list[dict[str, Any]] | None:
        found = await owned_by(lab, plural, uid)
        return found if len(found) == count else None

    return await until(so)


def limit_of(pod: dict[str, Any]) -> str:
    return str(pod["spec"]["containers"][0]["resources"]["limits"]["memory"])


async def test_the_faulted_replica_set_is_removed_and_rollout_undo_brings_nothing_back(lab: Lab):
    target = await lab.made(workload("Deployment", "rolled", replicas=1, strategy=REPLACING))
    uid = (await lab.read(target))["metadata"]["uid"]
    await count_of(lab, "replicasets", uid, 1)
    injected = await lab.inject(drill(), target)
    await count_of(lab, "replicasets", uid, 2)

    await lab.put_back(injected)

    (kept,) = await owned_by(lab, "replicasets", uid)
    assert memory_of(kept) == ("128Mi", "64Mi")
    said = kubectl("rollout", "undo", "-n", lab.namespace, f"deployment/{target.name}", succeeds=False)
    assert "no rollout history found" in said
    assert memory_of(await lab.read(target)) == ("128Mi", "64Mi")


async def test_older_revisions_of_the_owner_stay_even_with_the_same_value(lab: Lab):
    small = {"limits": {"memory": "32Mi"}, "requests": {"memory": "32Mi"}}
    target = await lab.made(workload("Deployment", "history", small))
    uid = (await lab.read(target))["metadata"]["uid"]
    await lab.set_memory(target, "128Mi", "64Mi")
    old = await count_of(lab, "replicasets", uid, 2)
    older = {r["metadata"]["name"] for r in old}
    # creation times are whole seconds: the fault is to come in a later one
    last = max(datetime.fromisoformat(r["metadata"]["creationTimestamp"]) for r in old)

    async def later() -> bool | None:
        return lab.clock.now() > last + timedelta(seconds=1) or None

    await until(later)

    await lab.put_back(await lab.inject(drill(), target))

    assert {r["metadata"]["name"] for r in await owned_by(lab, "replicasets", uid)} == older


async def test_while_pods_of_the_fault_are_leaving_it_is_told_that_the_fields_are_back(lab: Lab):
    target = await lab.made(workload("Deployment", "leaving", replicas=1, strategy=REPLACING))
    uid = (await lab.read(target))["metadata"]["uid"]
    injected = await lab.inject(drill(), target)
    await count_of(lab, "replicasets", uid, 2)
    # the controller is held back: a paused rollout keeps the pods of the fault
    await lab.merged(target, {"spec": {"paused": True}})

    outcome = await lab.revert(injected)

    assert (outcome.state, outcome.reason, outcome.restored) == (Reversal.RETRY, "PodsLeaving", True)
    assert memory_of(await lab.read(target)) == ("128Mi", "64Mi")
    await lab.merged(target, {"spec": {"paused": False}})
    await lab.put_back(injected)


async def test_a_workload_that_never_gets_well_does_not_keep_the_faulted_replica_set(lab: Lab):
    # with this strategy the controller waits for a new pod that never gets ready
    target = await lab.made(workload("Deployment", "ill", replicas=1))
    uid = (await lab.read(target))["metadata"]["uid"]
    await count_of(lab, "replicasets", uid, 1)
    injected = await lab.inject(drill(), target)
    await count_of(lab, "replicasets", uid, 2)
    assert (await lab.revert(injected)).reason == "PodsLeaving"

    lab.clock = WallClock(ahead=timedelta(minutes=2))
    outcome = await lab.put_back(injected)

    assert set(ends(outcome).values()) == {"Restored"}
    (kept,) = await owned_by(lab, "replicasets", uid)
    assert memory_of(kept) == ("128Mi", "64Mi")


async def test_a_stateful_sets_broken_pod_is_replaced_and_its_faulted_revision_removed(lab: Lab):
    target = await lab.made(workload("StatefulSet", "stuck-set", replicas=1), quiet=False)
    uid = (await lab.read(target))["metadata"]["uid"]
    await count_of(lab, "pods", uid, 1)
    # the first pod never starts, so its controller would never replace it by itself
    injected = await lab.inject(drill(), target, unstick={"app": target.name})
    await count_of(lab, "controllerrevisions", uid, 2)
    (pod,) = await owned_by(lab, "pods", uid)
    path = ApiPath(f"/api/v1/namespaces/{lab.namespace}/pods/{pod['metadata']['name']}")
    await lab.kube.call("DELETE", path)

    async def faulted() -> dict[str, Any] | None:
        found = await owned_by(lab, "pods", uid)
        return found[0] if found and limit_of(found[0]) == "32Mi" else None

    broken = await until(faulted)

    await lab.put_back(injected)

    async def replaced() -> dict[str, Any] | None:
        found = await owned_by(lab, "pods", uid)
        return found[0] if found and found[0]["metadata"]["uid"] != broken["metadata"]["uid"] else None

    pod = await until(replaced)
    assert limit_of(pod) == "128Mi"
    (revision,) = await owned_by(lab, "controllerrevisions", uid)
    assert memory_of(revision["data"]) == ("128Mi", "64Mi")


async def test_a_pod_behind_its_sets_own_partition_is_replaced_after_the_undo(lab: Lab):
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    manifest = workload("StatefulSet", "behind", replicas=1, podManagementPolicy="Parallel", updateStrategy=strategy)
    # changed before its first status, a set was seen (one time in three) not to replace its pod at all
    target = await lab.made(manifest)
    uid = (await lab.read(target))["metadata"]["uid"]
    await count_of(lab, "pods", uid, 1)
    # the partition is lowered for the fault: with its own no controller would ever replace the pod
    fields = changes(updateStrategy__rollingUpdate__partition=0)
    injected = await lab.inject(drill(), target, *fields)
    await until(lambda: with_limit(lab, uid, "32Mi"))

    await lab.put_back(injected)

    await until(lambda: with_limit(lab, uid, "128Mi"))


async def with_limit(lab: Lab, uid: str, limit: str) -> bool | None:
    """Whether a set's only pod has this limit."""
    found = await owned_by(lab, "pods", uid)
    return True if [limit_of(pod) for pod in found] == [limit] else None


async def test_a_target_that_keeps_its_faulted_template_keeps_its_revision(lab: Lab):
    big = {"limits": {"memory": "256Mi"}, "requests": {"memory": "256Mi"}}
    target = await lab.made(workload("Deployment", "keeps", big))
    uid = (await lab.read(target))["metadata"]["uid"]
    injected = await lab.inject(drill(), target, *changes())
    await lab.set_memory(target, limit="64Mi")
    revisions = {r["metadata"]["name"] for r in await count_of(lab, "replicasets", uid, 3)}

    await lab.put_back(injected)

    left = {r["metadata"]["name"] for r in await owned_by(lab, "replicasets", uid)}
    assert len(revisions - left) == 1, "only the one with both of our values goes"

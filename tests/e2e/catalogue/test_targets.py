"""Targets that are gone, sick or replaced: an undo needs no healthy one, and knows another one by its UID."""

from __future__ import annotations

import json
from typing import Any

from tests.e2e.catalogue.stage import Enactment, in_play, known_failure, over_and_deleted, target
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.run import Run
from tests.faultmatrix.shapes import GOOD

from kubedrill.core.paths import ApiPath
from kubedrill.kube.client import MERGE_PATCH

RESTARTED = "kubectl.kubernetes.io/restartedAt"


async def pods(run: Run) -> list[dict[str, Any]]:
    """The target's pods."""
    path = f"/api/v1/namespaces/{run.slot.target}/pods"
    found = await run.slot.must("GET", path, query=[("labelSelector", "app=web")])
    return list(found.body["items"])


def waiting(pod: dict[str, Any]) -> str:
    """Why the pod's container waits; empty when it runs."""
    (container,) = pod["status"]["containerStatuses"]
    return str((container["state"].get("waiting") or {}).get("reason", ""))


async def all_crashing(run: Run) -> list[str]:
    """Stopped when every pod is in CrashLoopBackOff. Gives what they waited for."""
    await in_play(run)
    reasons = [waiting(pod) for pod in await pods(run)]
    await run.stop()
    await over_and_deleted(run)
    return reasons


@known_failure("chaos-mesh#4829", story=all_crashing)
async def test_target_in_a_crash_loop_is_put_back(enacted: Enactment):
    """Chaos Mesh 4829: recovery failed because the target was in CrashLoopBackOff, which is what the fault had put it
    into. Here the undo writes the declared state, and asks for no healthy pod.
    """
    assert set(enacted.saw) == {"CrashLoopBackOff"}
    assert set(enacted.ends.values()) == {"Restored"}
    assert enacted.values() == [GOOD, FAULTED, GOOD]


async def restarted_in_play(run: Run) -> dict[str, Any]:
    """A player's `kubectl rollout restart` in play. Gives the target at the end."""
    await in_play(run)
    note = {"spec": {"template": {"metadata": {"annotations": {RESTARTED: "2026-01-01T00:00:00Z"}}}}}
    await run.slot.must(
        "PATCH", run.slot.path_of("Deployment", "web"), note, MERGE_PATCH, query=[("fieldManager", "kubectl-rollout")]
    )
    await run.stop()
    await over_and_deleted(run)
    return await target(run)


@known_failure("litmus-go#591", story=restarted_in_play, expect={"value": GOOD})
async def test_target_that_was_restarted_in_the_middle_is_put_back_and_stays_restarted(enacted: Enactment):
    """Litmus 591: after the target had been restarted in the middle, nothing was recovered any more. Here the undo is
    of fields of the workload, whatever its pods are by then, and the restart stays as the player's.
    """
    assert set(enacted.ends.values()) == {"Restored"}
    assert enacted.saw["spec"]["template"]["metadata"]["annotations"] == {RESTARTED: "2026-01-01T00:00:00Z"}


async def made_anew_in_play(run: Run) -> dict[str, Any]:
    """The target is deleted and comes back under its name. Gives the new one at the end."""
    await in_play(run)
    await run.do("recreate-target")
    await run.stop()
    await over_and_deleted(run)
    return await target(run)


@known_failure("chaos-mesh#4911", story=made_anew_in_play, expect={"value": GOOD})
async def test_target_made_anew_under_its_name_is_another_one_and_never_written(enacted: Enactment):
    """Chaos Mesh 4911: an experiment that was kept went on with the UIDs of targets that had been rolled away. Here the
    UID is a precondition of each write: the old target is gone, the new one has its creator's writes alone.
    """
    assert set(enacted.ends.values()) == {"Gone"}
    uid, old = enacted.saw["metadata"]["uid"], enacted.run.witness.of("target", "web")[0].uid
    assert enacted.values(uid=old) == [GOOD, FAULTED]
    assert enacted.values(uid=uid) == [GOOD]
    assert enacted.saw["metadata"]["generation"] == 1
    assert "manager-" not in json.dumps(enacted.saw["metadata"]["managedFields"])


async def pods_deleted_in_play(run: Run) -> list[str]:
    """Every pod that was hit is deleted by force. Gives their UIDs."""
    await in_play(run)
    hit = await pods(run)
    for pod in hit:
        path = ApiPath(f"/api/v1/namespaces/{run.slot.target}/pods/{pod['metadata']['name']}")
        await run.slot.kube.call("DELETE", path, {"gracePeriodSeconds": 0})
    await run.stop()
    await over_and_deleted(run)
    return [pod["metadata"]["uid"] for pod in hit]


@known_failure("chaosblade#368", story=pods_deleted_in_play)
async def test_target_pods_that_were_deleted_hold_up_neither_undo_nor_drill(enacted: Enactment):
    """ChaosBlade 368: with the pods that it had hit deleted, an experiment could not be destroyed and stayed. Here what
    is undone is the workload's, so no pod has to be found again.
    """
    assert enacted.saw
    assert set(enacted.ends.values()) == {"Restored"}
    assert enacted.run.phase() == "Gone"

"""Somebody's admission refuses the undo, its clean-up, or the pods that come back: each is told as what it is.

The policies are real ones, in the target namespace of the slot alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from tests.e2e.catalogue.stage import WITHIN, Enactment, in_play, known_failure, over_and_deleted, target
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.run import Run
from tests.faultmatrix.shapes import GOOD

from kubedrill.core.paths import ApiPath
from kubedrill.kube.client import MERGE_PATCH

GROUP: Final = "/apis/admissionregistration.k8s.io/v1"
FREEZE: Final = "change freeze: not until Monday"
NO_DELETES: Final = "nothing is deleted here"
REPLICA_SETS: Final = "/apis/apps/v1/namespaces/{}/replicasets"


async def refused(run: Run) -> Any:
    """A change freeze begins in play; the drill is stopped; the freeze ends when it was told to be stuck."""
    await in_play(run)
    async with policy(run, "UPDATE", "deployments", "object.spec.template == oldObject.spec.template", FREEZE):
        change = {"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}}
        await in_force(run, "PATCH", run.slot.path_of("Deployment", "web"), change)
        await run.stop()
        while_frozen = await said(run, "Stalled", "True")
        limit = (await target(run))["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"]
    run.healed_at = time.monotonic()
    await over_and_deleted(run)
    return limit, while_frozen


@known_failure("policies#1032", "frsca#425", story=refused)
async def test_a_change_freeze_in_the_middle_of_a_drill_is_stuck_and_restored_when_it_ends(enacted: Enactment):
    """Kyverno policies#1032 and frsca#425 show freezes that answer 422 with one cause that names no field; it was read
    as a player's edit, the fault stayed for ever, and the drill said Restored. Here it is Stalled with the freeze's own
    words, the record stays, and all is restored when the freeze ends.
    """
    limit, frozen = enacted.saw
    conditions = {c["type"]: c for c in frozen["status"]["conditions"]}
    assert limit == FAULTED
    assert conditions["Restored"]["status"] == "False"
    assert FREEZE in conditions["Stalled"]["message"]
    assert FREEZE in frozen["status"]["message"]
    assert enacted.values() == [GOOD, FAULTED, GOOD]
    assert set(enacted.ends.values()) == {"Restored"}


async def kept_revision(run: Run) -> Any:
    """Deletes are forbidden; the drill is stopped, ends with a note, and the admin does what the note says."""
    await in_play(run)
    sets = REPLICA_SETS.format(run.slot.target)
    async with policy(run, "DELETE", "replicasets", "false", NO_DELETES):
        found = (await run.slot.must("GET", sets)).body["items"]
        await in_force(run, "DELETE", f"{sets}/{found[0]['metadata']['name']}")
        await run.stop()
        await said(run, "Restored", "True")
        said_after = time.monotonic() - run.ended_at
        await run.until(run.ended, 2 * WITHIN, "over")
    for one in (await run.slot.must("GET", sets)).body["items"]:
        limits = one["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
        if limits["memory"] == FAULTED:
            await out_of_force(run, "DELETE", f"{sets}/{one['metadata']['name']}")
    await over_and_deleted(run)
    return said_after


@known_failure("policies#46", story=kept_revision)
async def test_a_clean_up_that_is_forbidden_is_a_note_and_no_fault(enacted: Enactment):
    """Kyverno policies#46 forbids deletes; the fields were back and the pods ready, and the drill said for ever that
    faults were on. Here Restored is said at once, the drill ends after a minute, and a note names the revision that
    is left and who refused.
    """
    assert enacted.saw < 20
    restore = enacted.status["restore"]
    assert restore["complete"] is True
    assert set(enacted.ends.values()) == {"Restored"}
    (note,) = restore["notes"]
    assert NO_DELETES in note
    assert "rollout undo" in note


async def no_pods(run: Run) -> Any:
    """A quota is used up in play; the drill is stopped; the quota goes when the drill has ended."""
    await in_play(run)
    quotas = f"/api/v1/namespaces/{run.slot.target}/resourcequotas"
    await run.slot.must(
        "POST",
        quotas,
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "full"}, "spec": {"hard": {"pods": "0"}}},
    )
    await run.stop()
    await run.until(run.ended, 2 * WITHIN, "over")
    short = await said(run, "WorkloadsReady", "False")
    await run.slot.must("DELETE", f"{quotas}/full")
    well = await said(run, "WorkloadsReady", "True")
    await over_and_deleted(run)
    return short["status"], well["status"]


@known_failure("ckad-crash-course#7", story=no_pods)
async def test_pods_that_a_quota_refuses_are_told_apart_from_the_undo_that_went_through(enacted: Enactment):
    """In ckad-crash-course#7 a quota refuses pods, never the workload; nobody said that the workload was not well. Here
    the fields are Restored, WorkloadsReady is False with the quota's words, and True once the pods may come.
    """
    short, well = enacted.saw
    conditions = {c["type"]: c for c in short["conditions"]}
    assert conditions["Restored"]["status"] == "True"
    assert "0 of 1 pods ready" in conditions["WorkloadsReady"]["message"]
    assert "exceeded quota" in conditions["WorkloadsReady"]["message"]
    assert well["verdict"] == short["verdict"] == "Stopped"
    assert well["restore"]["workloads"] == [{"target": "Deployment/web", "wanted": 1, "ready": 1, "message": ""}]


async def said(run: Run, kind: str, status: str) -> dict[str, Any]:
    """The Drill, once a condition has that status."""
    until = time.monotonic() + WITHIN
    while time.monotonic() < until:
        drill = await run.slot.drill(run.name) or {}
        told = (drill.get("status") or {}).get("conditions") or ()
        if any((c["type"], c["status"]) == (kind, status) for c in told):
            return drill
        await asyncio.sleep(0.2)
    raise AssertionError(f"{kind} was not {status} within {WITHIN:.0f} s")


@asynccontextmanager
async def policy(run: Run, operation: str, plural: str, expression: str, message: str) -> AsyncIterator[None]:
    """A ValidatingAdmissionPolicy for the operator and for people, in the slot's target namespace."""
    name = f"{run.slot.target}-{plural}"
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": [operation], "resources": [plural]}
    others = "!request.userInfo.username.matches('^system:(serviceaccount:kube-system:|kube-)')"
    validations = [{"expression": expression, "message": message}]
    spec = {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": validations,
        "matchConditions": [{"name": "others", "expression": others}],
    }
    where = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": run.slot.target}}}
    bound = {"policyName": name, "validationActions": ["Deny"], "matchResources": where}
    wanted = {"validatingadmissionpolicies": spec, "validatingadmissionpolicybindings": bound}
    for resource, body in wanted.items():
        await run.slot.must("POST", f"{GROUP}/{resource}", {"metadata": {"name": name}, "spec": body})
    try:
        yield
    finally:
        for resource in wanted:
            await run.slot.kube.call("DELETE", ApiPath(f"{GROUP}/{resource}/{name}"))


async def in_force(run: Run, method: str, path: str, body: Any = None) -> None:
    """Waits until the policy refuses a dry run."""
    await _answered(run, method, path, body, ok=False, query=[("dryRun", "All")])


async def out_of_force(run: Run, method: str, path: str) -> None:
    """Does it, once no policy refuses it any more."""
    await _answered(run, method, path, None, ok=True, query=())


async def _answered(run: Run, method: str, path: str, body: Any, *, ok: bool, query: Any) -> None:
    content = MERGE_PATCH if body else "application/json"
    until = time.monotonic() + WITHIN
    while (await run.slot.kube.call(method, ApiPath(path), body, content_type=content, query=query)).ok is not ok:
        assert time.monotonic() < until, f"{method} {path} is still {'refused' if ok else 'allowed'}"
        await asyncio.sleep(0.1)

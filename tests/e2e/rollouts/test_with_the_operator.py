"""Whole drills by the operator as it is installed, on a Deployment of three, with its real controllers.

The field case: a runtime that adapts its heap to the limit. The plan said "1 of 3"; all three pods were replaced.
"""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.faultmatrix import shapes
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.matrix import Matrix
from tests.faultmatrix.plan import Expect, Plan
from tests.faultmatrix.run import Result, Run
from tests.faultmatrix.services import ALERT

FIRST_SLOT = 60
WITHIN = 60.0
NO_EFFECT = "48Mi"
TRIO = "trio"


@dataclass
class Drilled:
    """What came of a drill: what the oracles found, the Drill's status, and what its story noted."""

    result: Result
    status: dict[str, Any]
    noted: dict[str, Any] = field(default_factory=dict)


def plan(name: str, limit: str, verdict: str, **spec: Any) -> Plan:
    """A drill that announces one of three pods."""
    target = {"kind": "Deployment", "name": TRIO}
    fault = {"name": "limit", "memoryLimit": {"target": target, "limit": limit, "affected": 1}}
    scenario = {"title": name, "expectedAlerts": [{"name": ALERT}], "faults": [fault]}
    return Plan(name=name, drill={"scenario": scenario} | spec, expect=Expect(verdict=(verdict,), restored_within=30))


async def trio(run: Run) -> dict[str, Any]:
    """The Deployment, settled."""
    wanted = shapes.workload("Deployment", run.slot.target, TRIO)
    wanted["spec"]["replicas"] = 3
    path = run.slot.path_of("Deployment", TRIO)
    await run.slot.must("POST", path.rpartition("/")[0], wanted)
    done = await kubectl("-n", run.slot.target, "rollout", "status", f"deployment/{TRIO}", "--timeout=60s")
    assert done[0] == 0, done[1]
    return dict((await run.slot.must("GET", path)).body)


async def spec(run: Run) -> dict[str, Any]:
    found = await run.slot.must("GET", run.slot.path_of("Deployment", TRIO))
    return dict(found.body["spec"])


async def pods(run: Run) -> set[str]:
    """The UIDs of its pods."""
    path = f"/api/v1/namespaces/{run.slot.target}/pods"
    found = await run.slot.must("GET", path, query=[("labelSelector", f"app={TRIO}")])
    return {item["metadata"]["uid"] for item in found.body["items"]}


async def kubectl(*arguments: str) -> tuple[int, str]:
    """What a player types."""
    done = await asyncio.to_thread(subprocess.run, ["kubectl", *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


async def over(run: Run) -> None:
    await run.until(lambda: run.ended() and run.closed(), WITHIN, "over, put back and closed")
    await run.remember()
    await run.delete()
    await run.until(lambda: run.phase() == "Gone", WITHIN, "gone")
    await run.slot.gone(run.slot.path_of("Deployment", TRIO))


async def without_effect(run: Run, noted: dict[str, Any]) -> None:
    """Nobody does anything; the pods that served before are counted until it is put back."""
    before, served = await trio(run), await pods(run)
    await run.apply()
    noted["replaced"] = 0
    while run.phase() in ("", "Pending", "Preflight", "Armed"):
        noted["replaced"] = max(noted["replaced"], len(served - await pods(run)))
        await asyncio.sleep(0.1)
    noted["ended"] = run.phase()
    await run.until(run.closed, WITHIN, "put back")
    noted["back"] = await spec(run) == before["spec"]
    await over(run)


async def rolled_back(run: Run, noted: dict[str, Any]) -> None:
    """A player rolls back in play, and looks until it is done. Only then is the drill stopped."""
    before = await trio(run)
    await run.apply()
    await run.until(run.in_play, WITHIN, "in play")
    where = ("-n", run.slot.target, "rollout")
    noted["held"] = (await spec(run))["minReadySeconds"]
    noted["undo"] = await kubectl(*where, "undo", f"deployment/{TRIO}")
    noted["status"] = await kubectl(*where, "status", f"deployment/{TRIO}", "--timeout=90s")
    noted["own strategy"] = await is_again(run, before["spec"])
    noted["phase"] = run.phase()
    await run.stop()
    await over(run)


async def is_again(run: Run, wanted: dict[str, Any]) -> bool:
    """Whether the target comes to be as it was within ten seconds: a rollback may be through before it is let go."""
    for _ in range(100):
        if await spec(run) == wanted:
            return True
        await asyncio.sleep(0.1)
    return False


async def scaled(run: Run, noted: dict[str, Any]) -> None:
    """A player scales up in play: the added healthy pods serve, and no more of the three are replaced."""
    await trio(run)
    served = await pods(run)
    await run.apply()
    await run.until(run.in_play, WITHIN, "in play")
    await kubectl("-n", run.slot.target, "scale", f"deployment/{TRIO}", "--replicas=6")
    wait = ("wait", f"deployment/{TRIO}", "--for=jsonpath={.status.readyReplicas}=4", "--timeout=60s")
    noted["ready"] = await kubectl("-n", run.slot.target, *wait)
    noted["replaced"] = len(served - await pods(run))
    await kubectl("-n", run.slot.target, "scale", f"deployment/{TRIO}", "--replicas=3")
    await run.stop()
    await over(run)


STORIES = {
    "without-effect": (plan("without-effect", NO_EFFECT, "Error", armWithin="20s"), without_effect),
    "rolled-back": (plan("rolled-back", FAULTED, "Stopped"), rolled_back),
    "scaled": (plan("scaled", FAULTED, "Stopped"), scaled),
}


async def all_of_them(folder: Path) -> dict[str, Drilled]:
    """The drills, side by side, each in a slot of its own."""
    async with Matrix(len(STORIES), folder, FIRST_SLOT) as matrix:

        async def one(name: str) -> Drilled:
            wanted, story = STORIES[name]
            noted: dict[str, Any] = {}
            run, result = await matrix.enact(wanted, lambda run: story(run, noted))
            return Drilled(result, run.status, noted)

        return dict(zip(STORIES, await asyncio.gather(*map(one, STORIES)), strict=True))


@pytest.fixture(scope="module")
def drilled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Drilled]:
    return asyncio.run(all_of_them(tmp_path_factory.mktemp("blast")))


@pytest.mark.parametrize("name", STORIES)
def test_no_oracle_finds_anything(drilled: dict[str, Drilled], name: str):
    assert drilled[name].result.findings == []


def test_a_limit_that_does_not_bite_takes_one_of_three_and_is_put_back_when_that_is_clear(drilled: dict[str, Drilled]):
    one = drilled["without-effect"]
    assert one.noted == {"replaced": 1, "ended": "Recovering", "back": True}
    assert "no effect seen: limit" in one.status["message"]


def test_a_rollback_in_play_completes_while_the_drill_goes_on(drilled: dict[str, Drilled]):
    noted = drilled["rolled-back"].noted
    assert noted["held"] > 180
    assert noted["status"][0] == 0, noted["status"][1]
    assert noted["own strategy"]
    assert noted["phase"] == "InPlay"


def test_what_was_released_ends_as_restored(drilled: dict[str, Drilled]):
    fields = drilled["rolled-back"].status["restore"]["fields"]
    assert {f["outcome"] for f in fields} == {"Restored", "Untouched"}
    assert {f["path"].rpartition("/")[2] for f in fields if f["outcome"] == "Restored"} >= {
        "minReadySeconds",
        "maxUnavailable",
        "maxSurge",
    }


def test_a_scale_up_in_play_serves_and_replaces_no_more_pods(drilled: dict[str, Drilled]):
    noted = drilled["scaled"].noted
    assert noted["ready"][0] == 0, noted["ready"][1]
    assert noted["replaced"] == 1

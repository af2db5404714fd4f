"""A drill that is only to be planned is tried with a dry run, its plan is stored, and nothing of it is touched."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from tests.faults.builders import deployment
from tests.giving_up.lab import DRILL, Lab, standing
from tests.shell.test_a_held_drill_holds_no_watch import EVERYTHING, REVIEWS
from tests.shell.test_operations_are_planned_when_they_are_carried_out import SQUEEZE, fit
from tests.undo.builders import TARGET

from kubedrill.api.drill import FINALIZER
from kubedrill.core.machine.phases import Phase
from kubedrill.core.plan.codec import digest_of, plan_from_json

REFUSES = {
    "kind": "Status",
    "reason": "Forbidden",
    "message": "ValidatingAdmissionPolicy 'freeze' denied request: no changes on Fridays",
}
DRY = ("dryRun", "All")


class Dry:
    """The API server's answers to dry runs: what would become of the object, or somebody refuses."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.tried, self.refuses = lab, 0, False

    def answering(self, request: web.Request) -> web.Response | None:
        if request.path == REVIEWS:
            return web.json_response(EVERYTHING, status=201)
        if DRY not in request.query.items():
            return None
        self.tried += 1
        if self.refuses:
            return web.json_response(REFUSES, status=403)
        after = copy.deepcopy(self.lab.cluster.objects[TARGET.path])
        (container,) = after["spec"]["template"]["spec"]["containers"]
        container["resources"]["limits"]["memory"] = "64Mi"
        return web.json_response(after)


@pytest.fixture
async def lab(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lab]:
    async with standing(monkeypatch, desired="Plan", scenario=SQUEEZE) as lab:
        fit(lab, monkeypatch)
        workload = deployment(status={"readyReplicas": 5})
        workload["metadata"] |= {"uid": "u1", "managedFields": []}
        lab.cluster.put(TARGET.path, workload)
        lab.cluster.drill_now["metadata"]["finalizers"] = []
        yield lab


@pytest.fixture
def dry(lab: Lab) -> Dry:
    dry = Dry(lab)
    lab.cluster.answering = dry.answering
    return dry


def touched(lab: Lab) -> list[tuple[str, str]]:
    """What was written besides the status, the plan, Events, reviews and dry runs."""
    told = ("/status", "/configmaps", "/events", REVIEWS, TARGET.path)
    return [write for write in lab.cluster.writes if not write[1].endswith(told)]


def checks(lab: Lab) -> dict[str, Any]:
    return {check["name"]: check for check in lab.cluster.status["rehearsal"]["checks"]}


async def test_its_plan_is_stored_and_named_and_nothing_is_touched(lab: Lab, dry: Dry):
    before = copy.deepcopy(lab.cluster.objects[TARGET.path])
    await lab.goes_on(30)
    status = lab.cluster.status
    (at,) = (path for path in lab.cluster.objects if "-plan-" in path)
    text = lab.cluster.objects[at]["data"]["plan"]
    assert (lab.state.phase, status["plan"]["hash"]) == (Phase.HELD, digest_of(text))
    assert plan_from_json(text).title == "A storm"
    assert dry.tried
    assert lab.cluster.objects[TARGET.path] == before
    assert touched(lab) == []
    assert FINALIZER not in lab.cluster.drill_now["metadata"]["finalizers"]


async def test_what_each_fault_would_do_is_told(lab: Lab, dry: Dry):
    await lab.goes_on(5)
    (fault,) = lab.cluster.status["rehearsal"]["faults"]
    assert fault["name"] == "storm"
    assert any("128Mi → 64Mi; restored to 128Mi" in line for line in fault["does"])
    assert checks(lab)["dry-run"] == {"name": "dry-run", "passed": True, "message": ""}
    assert dry.tried


async def test_what_would_be_refused_is_told_in_the_refusers_words(lab: Lab, dry: Dry):
    dry.refuses = True
    await lab.goes_on(5)
    assert lab.cluster.status["phase"] == "Preflight"
    assert "no changes on Fridays" in checks(lab)["dry-run"]["message"]
    assert "no changes on Fridays" in lab.cluster.status["message"]
    dry.refuses = False
    await lab.goes_on(5)
    assert lab.state.phase is Phase.HELD


async def test_while_it_is_held_it_is_not_tried_again(lab: Lab, dry: Dry):
    await lab.goes_on(5)
    tried = dry.tried
    await lab.goes_on(120)
    assert dry.tried == tried
    assert len([path for path in lab.cluster.objects if "-plan-" in path]) == 1


async def test_in_a_namespace_that_has_not_opted_in_nothing_is_tried(lab: Lab, dry: Dry):
    lab.cluster.objects["/api/v1/namespaces/shop"]["metadata"]["labels"] = {}
    await lab.goes_on(5)
    assert dry.tried == 0
    assert lab.state.phase is Phase.PREFLIGHT
    assert not checks(lab)["opted-in"]["passed"]


async def test_once_it_is_to_run_it_starts(lab: Lab, dry: Dry):
    await lab.goes_on(5)
    drill = lab.cluster.drill_now
    meta = drill["metadata"] | {"finalizers": [FINALIZER], "generation": 2}
    lab.cluster.put(DRILL, {**drill, "metadata": meta, "spec": {**drill["spec"], "desired": "Run"}})
    await lab.goes_on(1)
    assert lab.state.phase is Phase.ARMED
    assert "rehearsal" not in lab.cluster.status
    assert dry.tried

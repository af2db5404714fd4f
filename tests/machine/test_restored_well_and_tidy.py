"""Restored is one thing, well another, tidy a third: each is said when it is so, and none waits for the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.machine.world import World

from kubedrill.api.drill import Desired
from kubedrill.core.machine.phases import TERMINAL, Phase
from kubedrill.core.machine.reducer import Decision, reduce
from kubedrill.core.machine.state import Observation
from kubedrill.core.machine.status import project
from kubedrill.core.machine.waking import LOOK_AGAIN
from kubedrill.core.undo.health import WELL_WITHIN, Health, awaited, health_of

UNWELL = Health("Deployment/limit", 3, 1, "exceeded quota: pods=1")
WELL = Health("Deployment/limit", 3, 3)
STOP = {"desired": Desired.STOP}


def recovering(*, restored: bool, **changes: object) -> tuple[Decision, Observation]:
    """A stopped drill whose record is still open; its fields back or not."""
    world = World()
    world.run(3)
    world.bite()
    world.turn()
    world.turn(**STOP)
    world.records["limit"] = "Reverting"
    look = world.look(**STOP, **changes)
    look = replace(look, records=tuple(replace(r, restored=restored) for r in look.records))
    return reduce(world.stored, look), look


def ended() -> World:
    world = World()
    world.run(3)
    world.bite()
    world.run(10, **STOP)
    assert world.stored.phase in TERMINAL
    return world


def conditions(decision: Decision, seen: Observation, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {c["type"]: c for c in project(decision, seen, before or {})["conditions"]}


def test_fields_that_are_back_are_restored_although_their_pods_are_still_leaving():
    decision, seen = recovering(restored=True, waiting={"undo-limit": "still awaited: web-59d"})

    told = conditions(decision, seen)["Restored"]

    assert (decision.state.phase, told["status"]) == (Phase.RECOVERING, "True")
    assert "still awaited: web-59d" in told["message"]


def test_that_something_is_still_open_is_said_too():
    decision, seen = recovering(restored=True)

    assert project(decision, seen, {})["restore"]["complete"] is False


def test_fields_that_are_not_back_are_not_restored():
    decision, seen = recovering(restored=False)

    assert conditions(decision, seen)["Restored"]["status"] == "False"
    assert decision.state.restored is None


def test_a_workload_whose_pods_are_refused_is_restored_and_not_well():
    """A quota judges pods, never the workload: the undo goes through, and the pods do not come."""
    decision, seen = recovering(restored=True, health=(UNWELL,))

    told = conditions(decision, seen)

    assert told["Restored"]["status"] == "True"
    assert (told["WorkloadsReady"]["status"], told["WorkloadsReady"]["reason"]) == ("False", "PodsNotReady")
    assert "1 of 3 pods ready (exceeded quota: pods=1)" in told["WorkloadsReady"]["message"]
    assert project(decision, seen, {})["restore"]["workloads"] == [
        {"target": "Deployment/limit", "wanted": 3, "ready": 1, "message": "exceeded quota: pods=1"}
    ]


def test_an_ended_drill_goes_on_telling_how_its_workloads_do_until_they_are_well():
    world = ended()
    before = {"phase": world.stored.phase.value, "verdict": "Stopped", "restore": {"complete": True}}
    seen = world.look(health=(UNWELL,))
    decision = reduce(world.stored, seen)

    assert decision.wake_at == seen.now + LOOK_AGAIN
    assert conditions(decision, seen, before)["WorkloadsReady"]["status"] == "False"

    seen = world.look(health=(WELL,))
    decision = reduce(world.stored, seen)
    after = project(decision, seen, before)

    assert decision.wake_at is None
    assert conditions(decision, seen, before)["WorkloadsReady"]["status"] == "True"
    assert (after["verdict"], after["restore"]["complete"]) == ("Stopped", True)


def test_it_does_not_look_for_ever():
    world = ended()
    world.now += WELL_WITHIN

    assert reduce(world.stored, world.look(health=(UNWELL,))).wake_at is None


def test_a_drill_that_touched_no_workload_says_nothing_of_pods():
    decision, seen = recovering(restored=True)

    assert conditions(decision, seen)["WorkloadsReady"]["status"] == "Unknown"


def workload(**status: Any) -> dict[str, Any]:
    spec = {"replicas": 3, "template": {}}
    return {"metadata": {"name": "web", "generation": 2}, "spec": spec, "status": {"observedGeneration": 2} | status}


@pytest.mark.parametrize(
    ("status", "ready"),
    [
        ({"readyReplicas": 3, "updatedReplicas": 3}, 3),
        ({"readyReplicas": 3, "updatedReplicas": 1}, 1),
        ({"readyReplicas": 1, "updatedReplicas": 3}, 1),
        ({"readyReplicas": 3, "updatedReplicas": 3, "observedGeneration": 1}, 0),
        ({}, 0),
    ],
    ids=["all", "two of an older template", "two that are not ready", "not yet seen by its controller", "nothing told"],
)
def test_ready_pods_are_those_of_the_present_template(status: dict[str, Any], ready: int):
    health = health_of("Deployment", workload(**status))

    assert health == Health("Deployment/web", 3, ready)


def test_what_the_controller_complains_of_is_told():
    failing = [
        {"type": "Available", "status": "False", "message": "minimum availability"},
        {"type": "Progressing", "status": "False", "message": "no progress"},
        {"type": "ReplicaFailure", "status": "True", "message": "pods is forbidden: exceeded quota"},
    ]

    health = health_of("Deployment", workload(conditions=failing))

    assert health is not None
    assert health.why == "pods is forbidden: exceeded quota"
    assert awaited([WELL, health]) == "Deployment/web: 0 of 3 pods ready (pods is forbidden: exceeded quota)"


def test_a_service_has_no_pods_of_its_own():
    assert health_of("Service", {"metadata": {"name": "redis"}, "spec": {"ports": []}}) is None

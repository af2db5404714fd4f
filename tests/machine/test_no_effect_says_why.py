"""A drill whose fault had no effect ends in an Error that says why, to whoever reads its status, Event or report."""

from __future__ import annotations

from datetime import timedelta

from tests.machine.world import World

WHY = "container main runs with 64Mi in 1 pod and was not OOM-killed: it uses 57Mi"


def test_the_reason_is_in_the_message():
    world = World()
    world.run(3)
    world.now += timedelta(minutes=4)
    decision = world.run(8, shortfalls={"limit": WHY})
    assert decision.state.verdict is not None
    assert decision.state.verdict.message == f"no effect seen: limit ({WHY})"


def test_a_fault_that_had_its_effect_is_not_named():
    world = World(faults=("limit", "queue"))
    world.run(3)
    world.bite("queue")
    world.now += timedelta(minutes=4)
    decision = world.run(8)
    assert decision.state.verdict is not None
    assert decision.state.verdict.message == "no effect seen: limit"

"""Properties of the reducer, whatever happens in whatever order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import share_of
from tests.machine.world import World, seen

from kubedrill.api.drill import Desired
from kubedrill.api.drill_status import FaultStep
from kubedrill.core.machine.commands import InjectFaults
from kubedrill.core.machine.guards import GUARDS
from kubedrill.core.machine.phases import TABLE, TERMINAL
from kubedrill.core.machine.reducer import reduce
from kubedrill.core.machine.state import State, state_from_wire, state_to_wire

STEPS = st.lists(
    st.sampled_from(["turn", "crash before acting", "half an injection", "bite", "stop", "delete", "wait"]), max_size=25
)


def played(steps: list[str]) -> tuple[World, dict[str, Any]]:
    """A world after these steps, and what is wanted of the drill by then."""
    world = World(faults=("limit", "queue"))
    wanted: dict[str, Any] = {}
    for step in steps:
        if step == "turn":
            world.obey(world.turn(**wanted).commands)
        elif step == "crash before acting":
            world.turn(**wanted)
        elif step == "half an injection":
            names = [n for c in world.turn(**wanted).commands if isinstance(c, InjectFaults) for n in c.faults]
            for name in names[:1]:
                world.intend(name)
        elif step == "bite":
            for name in world.on:
                world.bite(name)
        elif step == "wait":
            world.now += timedelta(minutes=7)
        elif step == "stop":
            wanted["desired"] = Desired.STOP
        else:
            wanted["deleting"] = True
    return world, wanted


@settings(max_examples=share_of(150), deadline=None)
@given(STEPS)
def test_from_any_state_a_stop_leads_to_everything_reverted(steps):
    world, _ = played(steps)
    decision = world.run(14, desired=Desired.STOP)
    assert decision.state.phase in TERMINAL
    assert not world.on
    assert not world.records


@settings(max_examples=share_of(150), deadline=None)
@given(STEPS)
def test_no_fault_is_injected_twice(steps):
    world, wanted = played(steps)
    world.run(5, **wanted)
    assert all(count == 1 for count in world.injections.values())


@settings(max_examples=share_of(100), deadline=None)
@given(STEPS)
def test_nothing_is_commanded_that_is_not_stored_as_started_before(steps):
    world, wanted = played(steps)
    decision = world.turn(**wanted)
    for command in decision.commands:
        if isinstance(command, InjectFaults):
            assert all(decision.state.fault(n).step is FaultStep.STARTED for n in command.faults)


@settings(max_examples=share_of(100), deadline=None)
@given(STEPS)
def test_a_repeated_turn_that_sees_the_same_changes_nothing_but_attempts(steps):
    world, wanted = played(steps)
    world.turn(**wanted)
    once = world.stored
    if any(f.step is FaultStep.STARTED for f in once.faults):
        return  # an attempt that left nothing behind is started anew, with its number
    assert world.turn(**wanted).state == once


@settings(max_examples=share_of(100), deadline=None)
@given(STEPS)
def test_the_stored_state_is_the_state(steps):
    world, _ = played(steps)
    assert state_from_wire(state_to_wire(world.stored)) == world.stored


def with_more(value: Any) -> Any:
    """What a later version may have stored: a field more in every object."""
    if isinstance(value, dict):
        return {"later": 1} | {k: with_more(v) for k, v in value.items()}
    return [with_more(one) for one in value] if isinstance(value, list) else value


@settings(max_examples=share_of(50), deadline=None)
@given(STEPS)
def test_a_later_versions_fields_are_no_reason_not_to_read_a_state(steps):
    world, _ = played(steps)
    wire = state_to_wire(world.stored)
    later = with_more({k: v for k, v in wire.items() if k not in ("scenario", "faults")}) | {
        "scenario": wire["scenario"],
        "faults": [f | {"later": 1} for f in wire["faults"]],
    }
    assert state_from_wire(later) == world.stored


def test_a_state_of_another_version_is_not_guessed_at():
    with pytest.raises(ValueError, match="version 2, and this operator knows 1"):
        state_from_wire(state_to_wire(State()) | {"version": 2})


def test_a_state_from_before_there_were_versions_is_read():
    wire = state_to_wire(State())
    del wire["version"]
    assert state_from_wire(wire) == State()


def test_the_end_absorbs():
    for phase in TERMINAL:
        state = State(phase=phase, since=seen().now)
        assert reduce(state, seen()).state.phase is phase


def test_every_edge_of_the_table_has_a_guard_and_every_guard_an_edge():
    assert {edge.guard for edges in TABLE.values() for edge in edges} == set(GUARDS)

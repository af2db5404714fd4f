"""A rollout is let go exactly when its fault was taken out while the drill is on, and not let go yet."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import share_of
from tests.machine.test_whatever_is_seen import RECORD_STATES, observations, states
from tests.machine.world import World

from kubedrill.api.drill import Desired
from kubedrill.core.machine.commands import Release, Revert
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.reducer import reduce
from kubedrill.core.machine.state import RecordSeen

OUT = RecordSeen("undo-limit", "Injected", ("limit",), "Deployment/limit", held=True, taken_out=True)


def in_play() -> World:
    world = World()
    world.run(3)
    world.bite()
    assert world.run(1).state.phase is Phase.IN_PLAY
    return world


def test_a_fault_that_somebody_took_out_in_play_lets_its_rollout_go_in_one_turn():
    assert Release("undo-limit") in in_play().turn(records=(OUT,)).commands


def test_while_the_effect_is_awaited_it_is_let_go_as_well():
    world = World()
    world.run(3)
    decision = world.turn(records=(OUT,))
    assert decision.state.phase is Phase.ARMED
    assert Release("undo-limit") in decision.commands


def test_a_fault_that_is_in_holds_its_rollout():
    assert Release("undo-limit") not in in_play().turn(records=(replace(OUT, taken_out=False),)).commands


def test_what_was_let_go_is_not_let_go_again():
    assert Release("undo-limit") not in in_play().turn(records=(replace(OUT, held=False),)).commands


def test_after_a_stop_it_is_put_back_instead():
    commands = in_play().turn(records=(OUT,), desired=Desired.STOP).commands
    assert Revert("undo-limit") in commands
    assert Release("undo-limit") not in commands


@settings(deadline=None, max_examples=share_of(60))
@given(states, observations(), st.sampled_from(RECORD_STATES), st.booleans(), st.booleans())
def test_it_is_let_go_exactly_when_it_is_due(state, observation, record_state, held, taken_out):
    record = RecordSeen("undo-limit", record_state, ("limit",), held=held, taken_out=taken_out)
    decision = reduce(state, replace(observation, records=(record,)))
    on = decision.state.phase in (Phase.ARMED, Phase.IN_PLAY)
    due = on and held and taken_out and record_state == "Injected"
    assert (Release("undo-limit") in decision.commands) is due

"""Each status write wakes the drill's own turn: one that says nothing new would go round for ever."""

from __future__ import annotations

from datetime import timedelta

from tests.machine.world import World

from kubedrill.core.machine.status import project, without_nulls, worth_writing


def in_play() -> World:
    """A drill whose fault is in and has bitten."""
    world = World()
    world.run(4)
    world.bite()
    world.run(2)
    return world


def test_the_same_look_again_is_not_written_although_the_api_server_keeps_no_nulls():
    world = in_play()
    seen = world.look()
    kept = without_nulls(project(world.turn(), seen, {}))
    world.now += timedelta(milliseconds=100)
    again = world.look(heard=world.now)
    assert not worth_writing(kept, project(world.turn(heard=world.now), again, kept))


def test_a_new_phase_is_written():
    world = in_play()
    kept = without_nulls(project(world.turn(), world.look(), {}))
    assert worth_writing(kept, {**kept, "phase": "Recovering"})

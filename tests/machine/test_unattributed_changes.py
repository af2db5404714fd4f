"""A change of which nobody knows whose it was is told at once, with the command by which the facilitator says it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.machine.world import fact, world_in

from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.reducer import reduce
from kubedrill.core.machine.status import TELLS_WHOSE, project

ID = "interference/Deployment/limit@7"


def told(after: timedelta) -> list[dict[str, Any]]:
    """What the status shows of a change so long after it."""
    world = world_in(Phase.IN_PLAY)
    change = fact(
        FactKind.INTERFERENCE, world.now, ID, target="Deployment/limit", who="somebody with k9s", by="Unknown"
    )
    world.facts[ID] = change
    world.now += after
    seen = world.look(name="rush")
    shown: list[dict[str, Any]] = project(reduce(world.stored, seen), seen, {})["interference"]
    return shown


def test_it_is_told_with_who_and_when_and_the_command_that_attributes_it():
    (change,) = told(TELLS_WHOSE)
    assert (change["id"], change["who"], change["by"]) == (ID, "somebody with k9s", "Unknown")
    assert change["notBefore"] == change["notAfter"]
    assert change["attribute"] == f"kubectl drill attribute {ID} --drill rush --to PLAYER --evidence 'how you know'"


def test_one_of_a_moment_ago_waits_for_what_tells_whose_it_was():
    """An autoscaler scales first and says so then: its change must never be shown as nobody's for a second."""
    assert told(timedelta(seconds=1)) == []
    assert timedelta(seconds=1) < TELLS_WHOSE <= timedelta(seconds=5)

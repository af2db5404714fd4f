"""`WitnessSeen`: without the witness plain kubectl names nobody by itself, and a facilitator should know it in time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.machine.world import fact, world_in

from kubedrill.core.evidence.facts import Fact, FactKind, Source
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.reducer import reduce
from kubedrill.core.machine.status import project

NOW = world_in(Phase.IN_PLAY).now
ASKED = replace(fact(FactKind.EVIDENCE_READ, NOW, "witness/1", user="alice", pod="a"), source=Source.WITNESS)
DONE = fact(FactKind.TARGET_CHANGED, NOW, "change/1", target="Deployment/limit", change="c", field="f", witnessed=True)
ALONE = fact(FactKind.TARGET_CHANGED, NOW, "change/1", target="Deployment/limit", change="c", field="f")


def condition(*facts: Fact) -> tuple[str, str]:
    world = world_in(Phase.IN_PLAY)
    world.facts |= {one.id: one for one in facts}
    seen = world.look()
    told = {c["type"]: c for c in project(reduce(world.stored, seen), seen, {})["conditions"]}["WitnessSeen"]
    return told["status"], told["reason"]


@pytest.mark.parametrize("told", [ASKED, DONE])
def test_it_is_seen_once_it_told_anything_also_by_what_became_of_it(told: Fact):
    assert condition(told) == ("True", "Told")


def test_a_change_that_it_did_not_tell_is_no_sign_of_it():
    assert condition(ALONE) == ("False", "NothingTold")

"""Between its record and its patch somebody changes the target: the drill ends at once, not when arming times out."""

from __future__ import annotations

from tests.machine.world import World, fact

from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.machine.phases import Phase


def test_an_intended_fault_that_fails_is_put_back_at_once():
    world = World()
    world.run(2)  # preflight, armed, started
    world.records, world.on, world.facts = {"limit": "Intended"}, set(), {}
    world.facts["failed/limit/1"] = fact(
        FactKind.FAULT_FAILED,
        world.now,
        "failed/limit/1",
        fault="limit",
        attempt=world.stored.fault("limit").attempt,
        reason="ChangedMeanwhile",
        message="Deployment/limit was changed by somebody",
    )
    decision = world.turn()
    assert decision.state.phase is Phase.RECOVERING
    assert decision.state.ending is not None
    assert "changed by somebody" in decision.state.ending.message
    world.run(6)
    assert world.stored.phase is Phase.ABORTED
    assert not world.records

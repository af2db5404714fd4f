"""What was settled before the start counts from the first turn after it, not only once the operator was restarted."""

from __future__ import annotations

import pytest
from tests.giving_up.lab import standing

from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.state import FaultState, State

SETTLED = {"target": {"kind": "Deployment", "name": "web"}, "limit": "64Mi", "affected": 2}


async def test_the_number_of_pods_that_nobody_said_is_the_one_that_was_planned(monkeypatch: pytest.MonkeyPatch):
    async with standing(monkeypatch) as lab:
        gatherer, drill = lab.task._turns._observer, lab.cluster.drill_now
        before, _ = await gatherer._planned_drill(drill, State())
        assert before.faults[0].params.affected is None
        after, _ = await gatherer._planned_drill(
            drill, State(Phase.ARMED, faults=(FaultState("storm", settled=SETTLED),))
        )
        assert after.faults[0].params.affected == 2

"""What was settled before the start counts from the first turn after it, not only once the operator was restarted."""

from __future__ import annotations

import pytest
from tests.giving_up.lab import standing

from kubedrill.controller.before_start import planned_drill
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.state import FaultState, State
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.plugins.faults.memory_limit import MemoryLimit


def affected(plan: DrillPlan | None) -> int | None:
    """How many pods the plan's fault is to affect; nothing while nobody has said."""
    assert plan is not None
    params = plan.faults[0].params
    assert isinstance(params, MemoryLimit)
    return params.affected


SETTLED = {"target": {"kind": "Deployment", "name": "web"}, "limit": "64Mi", "affected": 2}


async def test_the_number_of_pods_that_nobody_said_is_the_one_that_was_planned(monkeypatch: pytest.MonkeyPatch):
    async with standing(monkeypatch) as lab:
        sources, drill = lab.task._turns._sources, lab.cluster.drill_now
        before, _ = await planned_drill(sources, drill, State())
        assert affected(before) is None
        armed = State(Phase.ARMED, faults=(FaultState("storm", settled=SETTLED),))
        after, _ = await planned_drill(sources, drill, armed)
        assert affected(after) == 2

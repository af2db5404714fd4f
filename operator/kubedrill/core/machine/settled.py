"""A plan whose faults have the parameters that were settled before the start."""

from __future__ import annotations

from dataclasses import replace

from kubedrill.api.faults import Fault
from kubedrill.core.machine.state import State
from kubedrill.core.plan.drill_plan import DrillPlan


def with_settled(drill_plan: DrillPlan, state: State) -> DrillPlan:
    """The plan with its faults' parameters as they were settled before the start."""
    settled = {f.name: dict(f.settled) for f in state.faults if f.settled}
    faults = tuple(
        Fault.model_validate({"name": f.name, f.kind: settled[f.name]}) if f.name in settled else f
        for f in drill_plan.faults
    )
    return replace(drill_plan, faults=faults)

"""A plan whose faults are as they were settled before the start."""

from __future__ import annotations

import re
from dataclasses import replace

from kubedrill.api.faults import Fault
from kubedrill.core.machine.state import State
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.core.undo.touches import Touches


def with_settled(drill_plan: DrillPlan, state: State) -> DrillPlan:
    """The plan with its faults' parameters, and what they touch, as they were settled before the start.

    Where a kind does not say otherwise a fix is a change of any field that the fault touches.
    """
    settled = {f.name: dict(f.settled) for f in state.faults if f.settled}
    touches = {f.name: f.touches for f in state.faults}
    faults = tuple(
        Fault.model_validate({"name": f.name, f.kind: settled[f.name]}) if f.name in settled else f
        for f in drill_plan.faults
    )
    profiles = tuple(replace(p, cause=p.cause or _any_of(touches.get(p.fault, ()))) for p in drill_plan.profiles)
    return replace(drill_plan, faults=faults, profiles=profiles)


def _any_of(touches: Touches) -> str:
    """Finds any of the touched fields, or what is below one, in a path."""
    paths = sorted({field.path for touch in touches for field in touch.fields})
    return f"^({'|'.join(map(re.escape, paths))})(/|$)" if paths else ""

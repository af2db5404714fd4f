"""A plan whose faults are as they were settled before the start, and the commitment to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from kubedrill.api.drill import Desired
from kubedrill.api.faults import Fault
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.state import FaultState, Observation, PlannedFault, State
from kubedrill.core.plan.codec import digest_of, plan_to_json
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.core.undo.touches import Touches

NOT_STORED: Final = "plan-stored"
"""The check that fails when the plan could not be stored: then nothing may name it."""


def with_settled(drill_plan: DrillPlan, faults: Mapping[str, PlannedFault | FaultState]) -> DrillPlan:
    """The plan with its faults' parameters, and what they touch, as they were settled before the start.

    Where a kind does not say otherwise a fix is a change of any field that the fault touches.
    """
    settled = {name: dict(fault.settled) for name, fault in faults.items() if fault.settled}
    touches = {name: fault.touches for name, fault in faults.items()}
    written = tuple(
        Fault.model_validate({"name": f.name, f.kind: settled[f.name]}) if f.name in settled else f
        for f in drill_plan.faults
    )
    profiles = tuple(replace(p, cause=p.cause or _any_of(touches.get(p.fault, ()))) for p in drill_plan.profiles)
    return replace(drill_plan, faults=written, profiles=profiles)


def as_started(drill_plan: DrillPlan, state: State) -> DrillPlan:
    """The plan of a drill that an earlier version has started: it froze none, and has only its settled faults."""
    return with_settled(drill_plan, {f.name: f for f in state.faults})


def committed(state: State, seen: Observation) -> State:
    """The state on entering Armed: the faults as they are settled, until when, and which plan it is judged by.

    The plan is stored before this state is. `scenario` and the faults' `settled` say the same once more: an operator
    of the version before this one, which may come back, rebuilds the plan of them.
    """
    assert seen.drill_plan is not None  # noqa: S101  nothing is armed without a plan
    plans = seen.plans
    faults = tuple(
        FaultState(f.name, target=plans[f.name].target, settled=plans[f.name].settled, touches=plans[f.name].touches)
        for f in seen.drill_plan.faults
    )
    return replace(
        state,
        faults=faults,
        start_ex=seen.now,
        deadline=seen.now + seen.drill_plan.max_duration,
        scenario=seen.scenario,
        plan=digest_of(plan_to_json(with_settled(seen.drill_plan, plans))),
    )


def previewed(state: State, seen: Observation) -> State:
    """The state of a drill that is only to be planned: it names the plan that is stored, and of which spec that is.

    That is once for each spec when it is first looked at, and once more when all checks pass: what is settled may be
    otherwise at every look, and each plan that is stored stays as long as the drill.
    """
    wanted = seen.desired is Desired.PLAN and state.phase in (Phase.PREFLIGHT, Phase.HELD)
    if not wanted or seen.drill_plan is None or any(check.name == NOT_STORED for check in seen.checks):
        return state
    checked_now = state.phase is Phase.HELD and state.since == seen.now
    if state.planned_for == seen.generation and not checked_now:
        return state
    plan = digest_of(plan_to_json(with_settled(seen.drill_plan, seen.plans)))
    return replace(state, plan=plan, planned_for=seen.generation)


def _any_of(touches: Touches) -> str:
    """Finds any of the touched fields, or what is below one, in a path."""
    paths = sorted({field.path for touch in touches for field in touch.fields})
    return f"^({'|'.join(map(re.escape, paths))})(/|$)" if paths else ""

"""A drill that is only to be planned: what the API server says to its faults, tried with a dry run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from kubedrill.api.drill import Desired
from kubedrill.controller.http_client import Turn, WebClient
from kubedrill.controller.injection_plan import InjectionPlan
from kubedrill.core.machine.phases import UNTOUCHED, Phase
from kubedrill.core.machine.state import CheckResult, Observation, State
from kubedrill.core.plan.drill_plan import Endpoint
from kubedrill.core.undo.record import DrillIdentity
from kubedrill.kube.answers import NoAnswer
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.plugins.channels import looked_at
from kubedrill.plugins.operations.base import Reverters
from kubedrill.plugins.operations.catalogue import kind_of
from kubedrill.protocol.clock import Clock
from kubedrill.protocol.inject import rehearse
from kubedrill.protocol.outcomes import Injection

CHECK: Final = "dry-run"


def is_to_be_rehearsed(state: State, seen: Observation) -> bool:
    """Whether this turn looks at a drill that is only to be planned. While it is Held that was done."""
    planned = state.phase is Phase.HELD and state.planned_for == seen.generation
    return seen.desired is Desired.PLAN and not seen.deleting and state.phase in UNTOUCHED and not planned


async def looked_into(seen: Observation, web: WebClient) -> Observation:
    """What was seen, and what the channels to people look at, asked in the operator's way."""
    if seen.drill_plan is None:
        return seen

    async def ask(endpoint: Endpoint, path: str) -> Any:
        try:
            return await web.fetch(endpoint, path, (), lambda said: said, Turn())
        except Unreachable as silent:
            raise NoAnswer(str(silent)) from silent

    return replace(seen, channels=await looked_at(ask, seen.drill_plan))


async def rehearsed(
    kube: Kube, drill: dict[str, Any], seen: Observation, plan: InjectionPlan, clock: Clock, reverters: Reverters
) -> Observation:
    """What was seen, with one more check: whether every target would take its fault. Nothing is stored or touched.

    In a namespace that has not opted in nothing is tried.
    """
    if not plan.operations or any(check.hard and check.ok is False for check in seen.checks):
        return seen
    meta = drill["metadata"]
    identity = DrillIdentity(meta["uid"], meta["name"], meta["namespace"], drill["spec"]["targetNamespace"])
    refused = await rehearse(kube, identity, plan.operations, clock, reverters=reverters)
    if not refused:
        remarks = await _remarks(plan, reverters)
        return _with(seen, CheckResult(CHECK, ok=True, message="; ".join(remarks)))
    known = all(one.state is not Injection.PENDING for one in refused)
    message = "; ".join(one.message for one in refused)
    return _with(seen, CheckResult(CHECK, False if known else None, refused[0].reason, message))


async def _remarks(plan: InjectionPlan, reverters: Reverters) -> list[str]:
    """What whoever plans the drill should know of what it does, though it can be done."""
    said: list[str] = []
    for operation in (one for operations in plan.operations.values() for one in operations):
        kind = kind_of(operation)
        if kind.remarks is not None and kind.operation in reverters:
            said += await kind.remarks(reverters[kind.operation], operation)
    return said


def _with(seen: Observation, check: CheckResult) -> Observation:
    return replace(seen, checks=(*seen.checks, check))

"""manual: the facilitator does it and undoes it by hand; the drill waits for both words.

The stopwatch beside any other tool, or for what no API reaches.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kubedrill.api.faults import Manual
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.core.undo.operations import Ask, Target
from kubedrill.plugins.faults.base import Effect, FaultKind, Observed, Plan


def targets(params: Manual, namespace: str) -> tuple[Target, ...]:  # noqa: ARG001  the contract's signature
    """Nothing at the API server."""
    return ()


def plan(params: Manual, seen: Observed) -> Plan[Manual]:  # noqa: ARG001  the contract's signature
    """Ask for it."""
    return Plan((Ask(params.do, params.undo),), params)


def effect(name: str, params: Manual, facts: Iterable[Fact]) -> Effect:  # noqa: ARG001  the contract's signature
    """The facilitator confirmed that it is done."""
    done = [
        f.at
        for f in facts
        if f.kind is FactKind.CONFIRMED and f.detail.get("fault") == name and f.detail.get("step") == "Do"
    ]
    if not done:
        return Effect(0, 1, "waiting for the facilitator's word that it is done")
    return Effect(1, 1, "the facilitator confirmed that it is done", min(done))


def describe(params: Manual, plan: Plan[Manual]) -> tuple[str, ...]:
    """What the facilitator is asked, and asked to undo."""
    return (f"manual: the facilitator is asked to: {params.do}", f"and later to: {params.undo}", *plan.notes)


FAULT: Final = FaultKind(kind="manual", targets=targets, plan=plan, effect=effect, describe=describe)

"""manual: the facilitator does it and undoes it by hand; the drill waits for both words.

The stopwatch beside any other tool, or for what no API reaches.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pydantic import Field

from kubedrill.api.base import ApiModel, Text
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.core.undo.operations import Ask, Target
from kubedrill.plugins.faults.base import Effect, FaultKind, Observed, Plan


class Manual(ApiModel):
    """Asks the facilitator to do something, and to undo it; the drill waits for both words."""

    do: Text = Field(description="What the facilitator is asked to do.")
    undo: Text = Field(description="What the facilitator is asked to do to undo it.")


def targets(params: Manual, namespace: str) -> tuple[Target, ...]:  # noqa: ARG001  the contract's signature
    """Nothing at the API server."""
    return ()


def plan(params: Manual, seen: Observed) -> Plan[Manual]:  # noqa: ARG001  the contract's signature
    """Ask for it."""
    return Plan((Ask(params.do, params.undo),), params, "by hand")


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


def asks(params: Manual) -> str:
    """What is to be done."""
    return params.do


FAULT: Final = FaultKind(
    kind="manual",
    params=Manual,
    summary="Ask the facilitator to do it, and to undo it.",
    targets=targets,
    rights=(),
    plan=plan,
    describe=describe,
    effect=effect,
    asks=asks,
    people_only=True,
)

"""The contract of a fault kind: what it needs to see, what it would do, and how its effect looks in facts.

A kind is a module of this package with a constant `FAULT`. It is pure: it plans operations from what was
observed and never carries one out, and it has no undo of its own (`core.undo.patches` derives that from each
operation), so a kind cannot forget it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Generic, TypeVar

from kubedrill.api.base import ApiModel
from kubedrill.core.evidence.facts import Fact, FactKind, Interval
from kubedrill.core.plan.drill_plan import Endpoint
from kubedrill.core.undo.operations import TEMPLATE, FieldChange, Operation, Refusal, SetFields, Target

P = TypeVar("P", bound=ApiModel)


@dataclass(frozen=True, slots=True)
class WorkingSet:
    """What a container really uses, in bytes (the least of its pods); `source` says who measured it."""

    bytes: int
    source: str


@dataclass(frozen=True, slots=True)
class Observed:
    """What was read for one fault before it is planned.

    `objects` holds every target that the kind asked for, as the API server gave it; one that does not exist
    is missing. `working_sets` are by container name, and empty where nothing measures them. `arm_within` is
    the time from the injection in which the fault must be seen to have its effect.
    """

    fault: str
    drill_uid: str
    namespace: str
    alertmanager: Endpoint
    arm_within: timedelta
    objects: Mapping[Target, Mapping[str, Any]] = field(default_factory=dict)
    working_sets: Mapping[str, WorkingSet] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan(Generic[P]):
    """What a fault would do.

    `settled` are the parameters with everything that was left out filled in; `notes` say, for people, what
    was derived and what else they should know.
    """

    operations: tuple[Operation, ...]
    settled: P
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Effect:
    """How far a fault had its effect: `seen` of `wanted` events, and when the last of them happened."""

    seen: int
    wanted: int
    evidence: str
    at: Interval | None = None

    @property
    def complete(self) -> bool:
        """Whether the fault had all of its effect."""
        return self.seen >= self.wanted


@dataclass(frozen=True, slots=True)
class FaultKind(Generic[P]):
    """One kind of fault, as `Fault` names it in the API.

    - `targets(params, namespace)`: what must be read before planning.
    - `plan(params, observed)`: what would be done, or why not.
    - `effect(name, params, facts)`: the effect so far of the fault called `name`; `params` best settled.
    - `describe(params, plan)`: lines for `kubectl drill plan`.
    """

    kind: str
    targets: Callable[[P, str], tuple[Target, ...]]
    plan: Callable[[P, Observed], Plan[P] | Refusal]
    effect: Callable[[str, P, Iterable[Fact]], Effect]
    describe: Callable[[P, Plan[P]], tuple[str, ...]]


def injection(name: str, facts: Iterable[Fact]) -> Interval | None:
    """When the fault called `name` was injected; None when it was not yet."""
    return next((f.at for f in facts if f.kind is FactKind.FAULT_INJECTED and f.detail.get("fault") == name), None)


def nth(intervals: Sequence[Interval], n: int) -> Interval:
    """When the n-th of several events happened: between the n-th least start and the n-th least end.

    Raises:
        IndexError: there are fewer than `n`.
    """
    return Interval(sorted(i.not_before for i in intervals)[n - 1], sorted(i.not_after for i in intervals)[n - 1])


def together(plans: Mapping[str, Plan[Any]]) -> dict[str, Plan[Any]] | Refusal:
    """The plans as the faults of one drill are injected: each field is set by one of them.

    Two faults may hold one workload's rollout in the same way; the second then has nothing to add. Where they
    want it otherwise, or both set one field of the template, they can't be injected together.
    """
    owners: dict[tuple[Target, str], tuple[str, FieldChange]] = {}
    apart: dict[str, Plan[Any]] = {}
    for name, plan in plans.items():
        operations: list[Operation] = []
        for operation in plan.operations:
            if not isinstance(operation, SetFields):
                operations.append(operation)
                continue
            own = []
            for change in operation.changes:
                other, known = owners.setdefault((operation.target, change.path), (name, change))
                if other == name:
                    own.append(change)
                elif known != change or change.path.startswith(TEMPLATE):
                    return Refusal(
                        "FaultsOverlap", f"faults {other} and {name} both set {change.path} of {operation.target}"
                    )
            operations.append(replace(operation, changes=tuple(own)))
        apart[name] = replace(plan, operations=tuple(operations))
    return apart

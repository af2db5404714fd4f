"""The contract of a fault kind: all that the rest of the project must know of it.

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
from kubedrill.core.rights import Right
from kubedrill.core.undo.operations import TEMPLATE, FieldChange, Operation, Refusal, SetFields, Target, objects_of

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
    is missing. `pods` are some of those workloads that the kind looks into. `working_sets` are by container name, and
    empty where nothing measures them. `arm_within` is the time from the injection in which the fault must be seen to
    have its effect. `namespace_label` is the label that names the namespace in this environment's alerts.
    """

    fault: str
    drill_uid: str
    namespace: str
    alertmanager: Endpoint
    arm_within: timedelta
    objects: Mapping[Target, Mapping[str, Any]] = field(default_factory=dict)
    working_sets: Mapping[str, WorkingSet] = field(default_factory=dict)
    namespace_label: str = "namespace"
    pods: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What is there when a fault has had no effect in its time: its targets and pods of theirs.

    What can't be read is missing. `working_sets` are as in `Observed`.
    """

    objects: Mapping[Target, Mapping[str, Any]] = field(default_factory=dict)
    pods: tuple[Mapping[str, Any], ...] = ()
    working_sets: Mapping[str, WorkingSet] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan(Generic[P]):
    """What a fault would do.

    `settled` are the parameters with everything that was left out filled in. For people, `touches` says in a word or
    two what it touches, and `notes` what was derived and what else they should know.
    """

    operations: tuple[Operation, ...]
    settled: P
    touches: str
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


def _none(_: ApiModel) -> tuple[str, ...]:
    return ()


def _into_none(_params: ApiModel, _objects: Mapping[Target, Mapping[str, Any]]) -> tuple[Target, ...]:
    return ()


def _no_reason(_params: ApiModel, _after: Aftermath) -> tuple[str, ...]:
    return ()


def _makes_nothing(_params: ApiModel, _namespace: str) -> tuple[Target, ...]:
    return ()


def _nothing(_: ApiModel) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class FaultKind(Generic[P]):
    """One kind of fault: its module's name in camelCase is what it is called in the API.

    In the API:
    - `params`: the model of its parameters.
    - `summary`: what `kubectl explain` says of it.

    Before the start:
    - `targets(params, namespace)`: what must be read before planning. The workloads among it are watched: a change of
      theirs by somebody is a player's or an interference, and they must be ready again for the drill to have recovered.
    - `makes(params, namespace)`: the objects that it makes, which must not be there. They are watched as well.
    - `measures(params)`: the names of the workloads of whose containers it should know what they use.
    - `looks_into(params, objects)`: the workloads of whose pods it should know something before it plans.
    - `rights`: what the operator must be allowed in the target namespace, to do it and to undo it.
    - `plan(params, observed)`: what would be done, and what that touches in words, or why not.
    - `describe(params, plan)`: lines for `kubectl drill plan`.

    While it is in:
    - `effect(name, params, facts)`: the effect so far of the fault called `name`; `params` best settled.
    - `why_not(params, aftermath)`: why it has had no effect in its time, and what would have one, a sentence each;
      `params` best settled.
    - `cause`: a regular expression that is found in the path of every field of a watched workload, or of what it makes,
      whose change is a fix (`/metadata/name`: the removal). Left out, a fix is a change of any field that its
      operations touch.
    - `announces(params)`: the alerts that it holds up itself.
    - `asks(params)`: what the facilitator has to do by hand for it.
    - `people_only`: nothing in the cluster is broken, so what the players say is all that there is to measure.

    For what people say of it:
    - `component(params)`: what is really broken by it, as players name it. Left out, it is not known.
    - `called`: how it is broken, by the names that people have for that, our own first. A diagnosis that says one of
      them is right; a name of what only shows it (an alert, a long queue) is none of them.
    """

    kind: str
    params: type[P]
    summary: str
    targets: Callable[[P, str], tuple[Target, ...]]
    rights: tuple[Right, ...]
    plan: Callable[[P, Observed], Plan[P] | Refusal]
    describe: Callable[[P, Plan[P]], tuple[str, ...]]
    effect: Callable[[str, P, Iterable[Fact]], Effect]
    why_not: Callable[[P, Aftermath], tuple[str, ...]] = _no_reason
    cause: str = ""
    makes: Callable[[P, str], tuple[Target, ...]] = _makes_nothing
    looks_into: Callable[[P, Mapping[Target, Mapping[str, Any]]], tuple[Target, ...]] = _into_none
    measures: Callable[[P], tuple[str, ...]] = _none
    announces: Callable[[P], tuple[str, ...]] = _none
    asks: Callable[[P], str] = _nothing
    people_only: bool = False
    component: Callable[[P], str] = _nothing
    called: tuple[str, ...] = ()


def injection(name: str, facts: Iterable[Fact]) -> Interval | None:
    """When the fault called `name` was injected; None when it was not yet."""
    return next((f.at for f in facts if f.kind is FactKind.FAULT_INJECTED and f.detail.get("fault") == name), None)


def pods_since(since: Interval, facts: Iterable[Fact]) -> dict[str, Interval]:
    """When each pod was first seen in one of these facts, of those that may be from after an injection."""
    first: dict[str, Interval] = {}
    for fact in facts:
        if fact.at.not_after >= since.not_before:
            pod = str(fact.detail["pod"])
            first[pod] = min(first.get(pod, fact.at), fact.at)
    return first


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
    makers: dict[Target, str] = {}
    apart: dict[str, Plan[Any]] = {}
    for name, plan in plans.items():
        operations: list[Operation] = []
        for operation in plan.operations:
            if not isinstance(operation, SetFields):
                for target in objects_of(operation):
                    other = makers.setdefault(target, name)
                    if other != name:
                        return Refusal("FaultsOverlap", f"faults {other} and {name} both make or remove {target}")
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

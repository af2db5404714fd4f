"""resourceQuota: a quota that leaves no room, as one that was set too low: what runs goes on, no new pod comes.

It shows at the next rollout, restart or eviction; beside a fault that takes pods away it shows at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import Field

from kubedrill.api.base import Amount, ApiModel, ObjectName
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.core.rights import Right
from kubedrill.core.undo.operations import Create, Refusal, Target
from kubedrill.plugins.faults.base import Aftermath, Effect, FaultKind, Observed, Plan, injection

KIND: Final = "ResourceQuota"
USUAL_NAME: Final = "compute-resources"
NO_PODS: Final = {"pods": "0"}


class ResourceQuota(ApiModel):
    """Makes a ResourceQuota in the target namespace that leaves no room for another pod."""

    name: ObjectName | None = Field(
        None, description=f"Name of the quota, as players see it. Derived when left out: {USUAL_NAME}."
    )
    hard: Annotated[dict[str, Amount], Field(min_length=1, max_length=10)] | None = Field(
        None,
        description="Its limits by resource, as quantities in quotes, for example pods or limits.memory. One of them"
        ' must be used up already. Derived when left out: {pods: "0"}.',
    )


def targets(params: ResourceQuota, namespace: str) -> tuple[Target, ...]:  # noqa: ARG001  the contract's signature
    """Nothing that must be there."""
    return ()


def makes(params: ResourceQuota, namespace: str) -> tuple[Target, ...]:
    """The quota."""
    return (Target("", "v1", KIND, "resourcequotas", namespace, params.name or USUAL_NAME),)


def plan(params: ResourceQuota, seen: Observed) -> Plan[ResourceQuota] | Refusal:
    """Make it, if nothing has the name."""
    (quota,) = makes(params, seen.namespace)
    if quota in seen.objects:
        return Refusal("AlreadyThere", f"{quota} is there already: give the fault another name")
    hard = dict(sorted((params.hard or NO_PODS).items()))
    manifest = {"apiVersion": "v1", "kind": KIND, "metadata": {"name": quota.name}, "spec": {"hard": hard}}
    settled = params.model_copy(update={"name": quota.name, "hard": hard})
    said = "pods that run go on; it shows when the next one is to be made"
    return Plan((Create(quota, manifest),), settled, str(quota), (said,))


def effect(name: str, params: ResourceQuota, facts: Iterable[Fact]) -> Effect:
    """The API server counts it as used up, or has refused pods because of it, since the injection."""
    facts, quota = tuple(facts), params.name or USUAL_NAME
    since = injection(name, facts)
    if since is None:
        return Effect(0, 1, "not injected")
    told = [
        f
        for f in facts
        if f.kind in (FactKind.QUOTA_REACHED, FactKind.PODS_REFUSED)
        and f.detail.get("quota") == quota
        and f.at.not_after >= since.not_before
    ]
    if not told:
        return Effect(0, 1, f"quota {quota} still has room")
    first = min(told, key=lambda f: (f.at, f.id))
    return Effect(1, 1, first.evidence, first.at)


def why_not(params: ResourceQuota, after: Aftermath) -> tuple[str, ...]:
    """That it leaves room."""
    name = params.name or USUAL_NAME
    body = next((b for t, b in after.objects.items() if (t.kind, t.name) == ("ResourceQuota", name)), None)
    if body is None:
        return (f"there is no ResourceQuota {name}: somebody has removed it",)
    status = body.get("status") or {}
    used = ", ".join(
        f"{(status.get('used') or {}).get(k, '?')} of {v} {k}" for k, v in (status.get("hard") or {}).items()
    )
    return (f"quota {name} leaves room: {used or 'it was not counted yet'}; ask for less in `hard`",)


def describe(params: ResourceQuota, plan: Plan[ResourceQuota]) -> tuple[str, ...]:  # noqa: ARG001  the contract's
    """One line for what is made, then the notes."""
    hard = ", ".join(f"{resource}: {amount}" for resource, amount in (plan.settled.hard or {}).items())
    return (f"resourceQuota: {plan.settled.name} allows {hard}", *plan.notes)


FAULT: Final = FaultKind(
    kind="resourceQuota",
    params=ResourceQuota,
    summary="Set a quota that leaves no room for another pod.",
    targets=targets,
    makes=makes,
    rights=tuple(Right("", "resourcequotas", verb) for verb in ("get", "list", "watch", "create", "delete")),
    plan=plan,
    describe=describe,
    effect=effect,
    why_not=why_not,
    # Whoever removes the quota repairs it, and so does whoever raises or lifts a limit of it.
    cause=r"^/metadata/name$|^/spec(/hard(/|$)|$)",
    called=("ResourceQuota", "Quota"),
)

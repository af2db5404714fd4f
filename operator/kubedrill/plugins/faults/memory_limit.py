"""memoryLimit: lowers a container's memory limit so that exactly the asked number of pods is OOM-killed.

The kernel kills the application itself, which a memory hog beside it would not achieve reliably. The new
limit goes into the workload's template, so the workload's own rollout decides which pods get it;
`plugins.faults.strategy` makes that rollout reach exactly `affected` pods.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pydantic import Field

from kubedrill.api.base import ApiModel, Memory, Name
from kubedrill.api.faults import WorkloadTarget
from kubedrill.api.quantities import LEAST_MEMORY, format_memory, parse_memory
from kubedrill.core.evidence.facts import Fact, FactKind, Interval
from kubedrill.core.undo.operations import FieldChange, Refusal, SetFields, Target
from kubedrill.plugins.faults import shortfall, strategy
from kubedrill.plugins.faults.base import (
    Aftermath,
    Effect,
    FaultKind,
    Observed,
    Plan,
    WorkingSet,
    injection,
    nth,
    pods_since,
)
from kubedrill.plugins.faults.workload import CONTAINER, RIGHTS_TO_CHANGE, Container, object_of

MEBIBYTE = 1024**2


class MemoryLimit(ApiModel):
    """Lowers a container's memory limit so that the asked number of pods is really OOM-killed."""

    target: WorkloadTarget = Field(description="The workload whose container gets the lower limit.")
    container: Name | None = Field(None, description=CONTAINER)
    limit: Memory | None = Field(
        None,
        description="The limit that the container gets, a quantity such as 64Mi. Derived when left out: half"
        " of the working set that is observed. The request is lowered with it where it must be.",
    )
    affected: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="How many pods must be hit. Derived when left out: as many as the workload's own"
        " strategy replaces while the new ones fail. Where that strategy would not reach the number,"
        " maxUnavailable, maxSurge and minReadySeconds (StatefulSet: partition) are set by the same patch and"
        " restored with it.",
    )


def targets(params: MemoryLimit, namespace: str) -> tuple[Target, ...]:
    """The workload alone: its status counts its pods."""
    return (object_of(params.target, namespace),)


def plan(params: MemoryLimit, seen: Observed) -> Plan[MemoryLimit] | Refusal:
    """The lower limit, the request where it must follow, the strategy where it would hit another number."""
    aim = strategy.aim(params.target, params.container, params.affected, seen)
    if isinstance(aim, Refusal):
        return aim
    target, workload, container, affected = aim.target, aim.workload, aim.container, aim.affected
    pods = shortfall.pods_of(params.target, Aftermath(seen.objects, seen.pods))
    chosen = _limit(params, container, seen.working_sets.get(container.name), _least_limit(pods, container.name))
    if isinstance(chosen, Refusal):
        return chosen
    limit, said = chosen
    rollout = strategy.changes_to_reach(workload, affected, seen.arm_within)
    operation = SetFields(target, (*_resource_changes(container, limit), *rollout), strategy.pods_to_unstick(workload))
    settled = params.model_copy(
        update={"container": container.name, "limit": format_memory(limit), "affected": affected}
    )
    chosen_container = () if params.container else (f"container: {container.name}",)
    notes = (*said, *chosen_container, *strategy.in_words(workload, affected, params.affected, rollout))
    return Plan((operation,), settled, str(target), notes)


def measures(params: MemoryLimit) -> tuple[str, ...]:
    """The workload: half of what it uses is the limit that nobody says, and more than it uses may kill nothing."""
    return (params.target.name,)


def looks_into(params: MemoryLimit, objects: Mapping[Target, Mapping[str, Any]]) -> tuple[Target, ...]:
    """The workload, where its template has no limit: its pods may have one all the same."""
    found = ((t, b) for t, b in objects.items() if (t.kind, t.name) == (params.target.kind, params.target.name))
    return tuple(t for t, b in found if _has_no_limit(b, params.container))


def _has_no_limit(workload: Mapping[str, Any], name: str | None) -> bool:
    containers = (((workload.get("spec") or {}).get("template") or {}).get("spec") or {}).get("containers") or ()
    return any(_memory(c) is None for c in containers if name in (None, c.get("name")))


def effect(name: str, params: MemoryLimit, facts: Iterable[Fact]) -> Effect:
    """`affected` distinct pods of the workload were OOM-killed since the injection.

    More than these are told apart: what a scale-up added, and what came in the place of a pod that is gone.
    """
    facts, wanted = tuple(facts), params.affected or 1
    since = injection(name, facts)
    if since is None:
        return Effect(0, wanted, "not injected")
    killed = pods_since(since, (fact for fact in facts if _is_its_kill(fact, params)))
    in_order = sorted(killed, key=lambda pod: (killed[pod], pod))
    announced, more = in_order[:wanted], in_order[wanted:]
    names = f": {', '.join(sorted(announced))}" if announced else ""
    return Effect(
        len(announced),
        wanted,
        f"{len(announced)} of {wanted} pods of {params.target} OOM-killed{names}{_beside(more, params, facts, since)}",
        nth(list(killed.values()), wanted) if len(killed) >= wanted else None,
    )


def _beside(more: list[str], params: MemoryLimit, facts: Iterable[Fact], since: Interval) -> str:
    """Killed pods beyond the announced ones, in words: why there are any."""
    steps = (
        (f.detail.get("before"), f.detail.get("after"))
        for f in facts
        if f.kind is FactKind.SCALED
        and f.detail.get("target") == str(params.target)
        and f.at.not_after >= since.not_before
    )
    # an autoscaler's own word and the audit log know no number before; the watched write beside them does
    added = sum(max(0, after - before) for before, after in steps if isinstance(before, int) and isinstance(after, int))
    grown = min(len(more), added)
    parts = (
        f" and {grown} more that a scale-up added" if grown else "",
        f" and {len(more) - grown} more in the place of pods that are gone" if len(more) > grown else "",
    )
    return "".join(parts)


def why_not(params: MemoryLimit, after: Aftermath) -> tuple[str, ...]:
    """Why nothing was OOM-killed: no pod got the limit, it is no lower than before, the container lives, or gave up."""
    name, limit = params.container or "", params.limit
    if limit is None:
        return ()

    def is_changed(pod: Mapping[str, Any]) -> bool:
        return _limit_of(pod, name) == parse_memory(limit)

    mine = shortfall.pods_of(params.target, after)
    changed = [pod for pod in mine if is_changed(pod) and not shortfall.is_ending(pod)]
    said = [*shortfall.why_no_pod(params.target, after, is_changed), *_no_lower(mine, name, limit)]
    gave_up = list(shortfall.crashes(changed, name))
    if gave_up:
        said += [*gave_up[:3], "it was not the kernel's doing: with a much lower `limit` it can't get that far"]
    alive = sum(shortfall.is_running(pod, name) for pod in changed)
    if alive and not gave_up:
        said.append(_survives(name, limit, alive, after.working_sets.get(name)))
    return tuple(said)


def _survives(name: str, limit: str, pods: int, used: WorkingSet | None) -> str:
    runs = f"container {name} runs with {limit} in {pods} pod{'s' * (pods > 1)} and was not OOM-killed"
    if used is None:
        lower = format_memory(_half(parse_memory(limit)))
        return f"{runs}; nothing measures what it uses: ask for a lower `limit`, such as {lower}"
    return f"{runs}: it uses {_used(used)}; ask for a `limit` below that, such as {format_memory(_half(used.bytes))}"


def _no_lower(pods: Iterable[Mapping[str, Any]], name: str, limit: str) -> Iterator[str]:
    """A LimitRange or a policy gives pods a limit that no template shows: the fault's may be higher."""
    least = _least_limit(pods, name)
    if least is not None and least < parse_memory(limit):
        yield (
            f"{limit} is more than the {format_memory(least)} that its other pods have (from a LimitRange or a"
            f" policy, not from its template): ask for a `limit` below {format_memory(least)}"
        )


def _least_limit(pods: Iterable[Mapping[str, Any]], name: str) -> int | None:
    return min((found for pod in pods if (found := _limit_of(pod, name)) is not None), default=None)


def _limit_of(pod: Mapping[str, Any], name: str) -> int | None:
    containers = (pod.get("spec") or {}).get("containers") or ()
    found = next((_memory(c) for c in containers if c.get("name") == name), None)
    try:
        return parse_memory(found) if found is not None else None
    except ValueError:
        return None


def _memory(container: Mapping[str, Any]) -> str | None:
    value = ((container.get("resources") or {}).get("limits") or {}).get("memory")
    return None if value is None else str(value)


def _is_its_kill(fact: Fact, params: MemoryLimit) -> bool:
    """A pod is known by its owner: `api-db-sfnfx` of the Job api-db is called like a pod of the Deployment api."""
    if fact.kind is not FactKind.POD_OOM_KILLED or fact.detail.get("target") != str(params.target):
        return False
    container = fact.detail.get("container")
    return container in (params.container or container, None)


def describe(params: MemoryLimit, plan: Plan[MemoryLimit]) -> tuple[str, ...]:
    """One line for what is done, then the notes."""
    settled = plan.settled
    what = f"memoryLimit: container {settled.container} of {params.target} gets {settled.limit}"
    return (f"{what}; {settled.affected} of its pods will be OOM-killed", *plan.notes)


def _limit(
    params: MemoryLimit, container: Container, used: WorkingSet | None, of_pods: int | None
) -> tuple[int, tuple[str, ...]] | Refusal:
    """The new limit in bytes and what to say about it. `of_pods` is what pods have that the template has not."""
    wanted, said = None, ""
    if params.limit is not None:
        wanted = parse_memory(params.limit)
        if used and wanted >= used.bytes:
            said = f"{params.limit} is not below what is used now ({_used(used)}): who uses more is killed"
    elif used:
        wanted = _half(used.bytes)
        said = f"limit {format_memory(wanted)}: half of what is used now ({_used(used)})"
    elif container.limit is not None:
        wanted = _half(parse_memory(container.limit))
        said = f"limit {format_memory(wanted)}: half of {container.limit} (no usage metric found);"
        said += " the container may survive it, then set `limit`"
    if wanted is None:
        return Refusal(
            "LimitUnknown",
            f"nothing measures what container {container.name} uses, and it has no limit: say which it gets",
        )
    if container.limit is not None and wanted >= parse_memory(container.limit):
        return Refusal(
            "LimitNotLower",
            f"{format_memory(wanted)} is not below the limit that {container.name} has, {container.limit}",
        )
    if of_pods is not None and wanted >= of_pods:
        return Refusal(
            "LimitNotLower",
            f"{format_memory(wanted)} is not below the limit that pods of {params.target} have,"
            f" {format_memory(of_pods)} (from a LimitRange or a policy, not from its template)",
        )
    return wanted, (said,) if said else ()


def _half(count: int) -> int:
    """Half of it in whole mebibytes, LEAST_MEMORY at least."""
    return max(parse_memory(LEAST_MEMORY), count // 2 // MEBIBYTE * MEBIBYTE)


def _used(used: WorkingSet) -> str:
    return f"{used.bytes / MEBIBYTE:.0f}Mi by {used.source}"


def _resource_changes(container: Container, limit: int) -> tuple[FieldChange, ...]:
    root = container.path
    guards = ((f"{root}/name", container.name),)
    changes = [FieldChange(f"{root}/resources/limits/memory", format_memory(limit), guards)]
    # The API refuses a limit below the request, so the request follows, and only then.
    if container.request is not None and parse_memory(container.request) > limit:
        changes.append(FieldChange(f"{root}/resources/requests/memory", format_memory(limit), guards))
    return tuple(changes)


FAULT: Final = FaultKind(
    kind="memoryLimit",
    params=MemoryLimit,
    summary="Lower a container's memory limit until pods are really OOM-killed.",
    targets=targets,
    rights=RIGHTS_TO_CHANGE,
    plan=plan,
    describe=describe,
    effect=effect,
    why_not=why_not,
    looks_into=looks_into,
    # Whoever gives it more of anything repairs it; what holds its rollout is no part of the cause.
    cause="resources",
    measures=measures,
    component=lambda params: params.target.name,
    called=("MemoryLimit", "Memory", "OutOfMemory", "OOM", "OOMKilled", "OOMKill"),
)

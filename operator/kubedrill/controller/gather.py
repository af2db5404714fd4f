"""Makes the Observation of a turn: reads what the drill's phase needs, and nothing more.

Before the start, everything around the target (`before_start`); while it is on, the watches and the monitoring; while
it is put back, only records, so that a stop is not held up by a slow Prometheus. It keeps nothing: what is to be known
again is its source's, or stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from kubedrill.api.drill import ACCEPTS_UNVERIFIED, FINALIZER, Desired
from kubedrill.controller.before_start import LOOK_BACK, before_start, planned_drill
from kubedrill.controller.drill_sources import DrillSources
from kubedrill.controller.injection_plan import InjectionPlan, has_unrecorded
from kubedrill.controller.preflight_inputs import planned, read_targets
from kubedrill.controller.recorded_facts import own_writes, recorded_facts, without_own_removals
from kubedrill.controller.reporting import read_revision
from kubedrill.controller.shortfalls import shortfalls
from kubedrill.core.evidence.attribution import undisturbed
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.core.evidence.timestamps import Received
from kubedrill.core.machine.desired import desired_of, stop_because
from kubedrill.core.machine.effect_guards import has_passed_without_effect, without_effect
from kubedrill.core.machine.expiry import ttl_of
from kubedrill.core.machine.kept import imported_mark
from kubedrill.core.machine.phases import TERMINAL, UNTOUCHED, Phase
from kubedrill.core.machine.state import Observation, RecordSeen, State
from kubedrill.core.machine.unverified import LOOKED_AT, missing
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.core.undo.health import Health, health_of
from kubedrill.core.undo.operations import Ask, Refusal
from kubedrill.core.undo.record import OutsideGroup, RecordState
from kubedrill.kube.client import Unreachable
from kubedrill.kube.together import together
from kubedrill.plugins.channels import spoken
from kubedrill.plugins.channels.base import Hearing
from kubedrill.plugins.faults import of_drill
from kubedrill.plugins.faults.base import Effect
from kubedrill.plugins.sources import of_kind
from kubedrill.plugins.sources.base import How, ImportScope
from kubedrill.protocol.seen import records_seen
from kubedrill.protocol.traces import traces_of

MEASURED = frozenset({Phase.ARMED, Phase.IN_PLAY})
AFTERWARDS = frozenset({Phase.RECOVERING, Phase.HOT_WASH, *TERMINAL})
News = dict[str, Fact]
"""Facts that are not stored yet, by id. A turn that fails leaves them to the next."""


async def gather(
    sources: DrillSources,
    drill: dict[str, Any],
    state: State,
    news: News,
    *,
    stuck: Mapping[str, str],
    waiting: Mapping[str, str],
    cannot_go_on: str = "",
) -> Observation:
    """Everything that this turn needs to know. New facts are put into `news`.

    When the drill can't go on that is only what its records tell, and what was undone by hand.

    Raises:
        Unreachable: the API server did not answer, or not what was asked.
        RecordTrouble: the undo records can't be listed.
        EvidenceRefused: the evidence can't be read.
    """
    (drill_plan, refusal) = await _read(sources, drill, state, least=bool(cannot_go_on))
    if refusal is not None and state.start_ex and state.phase not in TERMINAL:
        cannot_go_on = refusal.message  # what it is judged by is lost: what its records tell is what is left
    own, watches = sources.records.mine, sources.watches
    watches.own = own_writes(own.values(), watches.own)
    _take(news, recorded_facts((r.record for r in own.values()), sources.clock.error))
    seen = _as_it_stands(sources, drill, state, drill_plan, refusal)
    seen = replace(seen, stuck=dict(stuck), waiting=dict(waiting))
    uid, listing = drill["metadata"]["uid"], sources.records.listing
    if state.phase in LOOKED_AT:
        others = (r for r in listing.readable if r.record.drill.uid != uid)
        lost = missing(state, seen.records)
        seen = replace(seen, traces=await traces_of(sources.kube.restoring, lost, others))
    if cannot_go_on:
        return replace(seen, cannot_go_on=cannot_go_on, facts=await _undone_by_hand(sources, drill))
    if state.phase is Phase.HOT_WASH or state.phase in TERMINAL:
        revision, mark = await read_revision(sources.kube, drill)
        seen = replace(seen, reported=revision, report_import=mark)
    stopping = seen.deleting or seen.desired is Desired.STOP
    if drill_plan is None:
        return seen
    if state.start_ex and state.phase in AFTERWARDS and not seen.deleting:
        seen = replace(seen, health=await _health(sources, drill_plan))
    if state.phase in UNTOUCHED and not stopping:
        return await before_start(sources, drill, drill_plan, listing, seen)
    return await _during(sources, drill, drill_plan, state, seen, news)


def _as_it_stands(
    sources: DrillSources,
    drill: Mapping[str, Any],
    state: State,
    drill_plan: DrillPlan | None,
    refusal: Refusal | None,
) -> Observation:
    """What the Drill and its records say."""
    meta, spec = drill["metadata"], drill["spec"]
    notes = meta.get("annotations") or {}
    return Observation(
        now=sources.clock.now(),
        drill_plan=drill_plan,
        refusal=refusal,
        desired=desired_of(drill),
        stop_because=stop_because(drill),
        deleting=bool(meta.get("deletionTimestamp")),
        finalizer=FINALIZER in meta.get("finalizers", []),
        generation=int(meta.get("generation", 0)),
        records=_records_seen(sources, meta["uid"], state),
        imported=imported_mark(meta),
        accepted=notes.get(ACCEPTS_UNVERIFIED, ""),
        ttl=ttl_of(spec),
        unread=sources.evidence.unread,
        name=meta["name"],
    )


async def _read(
    sources: DrillSources, drill: dict[str, Any], state: State, *, least: bool
) -> tuple[DrillPlan | None, Refusal | None]:
    """The plan, once the undo records and the evidence were read, too; `least`: all records, and nothing else."""
    if least:
        await sources.records.list_all()
        return None, None
    plan, _, _ = await together(
        _planned(sources, drill, state), _list_records(sources, drill, state), sources.evidence.load()
    )
    return plan


def _look_that_counts(sources: DrillSources, drill: Mapping[str, Any], state: State) -> Observation | None:
    """The whole look of a moment ago. It counts only while nothing was touched."""
    generation = int(drill["metadata"].get("generation", 0))
    return sources.look.of(generation, sources.clock.now()) if state.phase in UNTOUCHED else None


async def _planned(
    sources: DrillSources, drill: dict[str, Any], state: State
) -> tuple[DrillPlan | None, Refusal | None]:
    """What the drill is judged by: what was just checked, or what is derived now."""
    kept = _look_that_counts(sources, drill, state)
    return (kept.drill_plan, None) if kept else await planned_drill(sources, drill, state)


async def _list_records(sources: DrillSources, drill: Mapping[str, Any], state: State) -> None:
    """Lists the undo records that matter to a turn, unless the whole look of a moment ago still counts.

    A record that another drill has stored since is a lock of its own, and is asked for again before the first
    patch (`protocol.exclusion`).
    """
    if not _look_that_counts(sources, drill, state):
        await sources.records.list_for(drill, state)


async def _undone_by_hand(sources: DrillSources, drill: Mapping[str, Any]) -> frozenset[Fact]:
    """What the facilitator has confirmed, read anew: no watch is needed to end a drill."""
    groups = [group for one in sources.records.mine.values() for group in one.record.groups]
    if not any(isinstance(group, OutsideGroup) and isinstance(group.operation, Ask) for group in groups):
        return frozenset()
    made = datetime.fromisoformat(drill["metadata"]["creationTimestamp"])
    receipt = Received(sources.clock.now(), made, sources.clock.error)
    hearing = Hearing(drill["metadata"]["name"], (), made, control=True)
    confirmed: set[Fact] = set()
    for objects in spoken():
        answer = await sources.kube.restoring.get(objects.where.of(sources.control))
        for item in answer.body.get("items") or ():
            with suppress(KeyError, ValueError, TypeError, AttributeError, OverflowError):  # a poison word is none
                confirmed.update(f for f in objects.read(item, receipt, hearing) if f.kind is FactKind.CONFIRMED)
    return frozenset(confirmed)


async def _during(
    sources: DrillSources,
    drill: dict[str, Any],
    drill_plan: DrillPlan,
    state: State,
    seen: Observation,
    news: News,
) -> Observation:
    measured = state.phase in MEASURED and not (seen.deleting or seen.desired is Desired.STOP)
    imported = seen.imported != state.imported
    monitoring, watches, evidence = sources.monitoring, sources.watches, sources.evidence
    if state.phase not in TERMINAL or imported:
        await sources.watch(drill, drill_plan, state)
        watches.hear(drill_plan.players)
        if state.start_ex and (measured or monitoring.last is None):
            await _measure(sources, drill_plan, state.start_ex, news)
    if state.phase is Phase.ARMED and has_unrecorded(state, sources.records.mine.values()):
        await _plan_again(sources, drill, drill_plan)
    injected = {r.record.subject for r in sources.records.mine.values() if r.record.state is RecordState.INJECTED}
    _take(news, without_own_removals(sources.inbox.drain(), injected))
    if state.phase in TERMINAL and imported:
        _take(news, await _imported(sources, drill_plan))
    if state.phase in MEASURED:
        effects = _effects(drill_plan, state, [*evidence.facts, *news.values()])
        _take(news, of_drill.effective(effects))
        seen = replace(seen, effects=of_drill.so_far(effects))
    probe = monitoring.last
    facts = sources.known.of(evidence.facts, news.values(), state.start_ex, drill_plan)
    known = replace(seen, facts=facts, drill_plan=drill_plan)
    if state.phase is Phase.ARMED or (state.phase is Phase.IN_PLAY and has_passed_without_effect(known)):
        seen = replace(seen, shortfalls=await shortfalls(sources, drill_plan, known))
    # the records once more, for the watches stand now: somebody may have taken a fault out while there were none
    return replace(
        seen,
        facts=facts,
        series={**probe.steady, "impact": probe.impact} if probe else {},
        heard=watches.heard,
        unchecked=probe.unchecked if probe and measured else {},
        records=_records_seen(sources, drill["metadata"]["uid"], state),
    )


def _effects(drill_plan: DrillPlan, state: State, known: Collection[Fact]) -> dict[str, Effect]:
    """How far the faults have come that were not seen to have all of their effect.

    Play may have begun with the alert. What is seen after somebody changed the target may be that change's doing.
    """
    missing = without_effect((fault.name for fault in drill_plan.faults), known)
    if missing and state.phase is Phase.IN_PLAY:
        known = undisturbed(known)
    return of_drill.effects((fault for fault in drill_plan.faults if fault.name in missing), known)


def _records_seen(sources: DrillSources, uid: str, state: State) -> tuple[RecordSeen, ...]:
    """The undo records, each beside its target; those that can't be read, too."""
    records = sources.records
    targets = {name: sources.watches.workload(one.record.subject) for name, one in records.mine.items()}
    return records_seen(records.listing, uid, state, targets)


async def _measure(sources: DrillSources, drill_plan: DrillPlan, start: datetime, news: News) -> None:
    probe = await sources.monitoring.measure(drill_plan, start - LOOK_BACK)
    if probe is not None:
        _take(news, probe.facts)
        await sources.evidence.memory.remember(sources.watches.remembered)


async def _health(sources: DrillSources, drill_plan: DrillPlan) -> tuple[Health, ...]:
    """How the workloads do that the faults have touched; nothing of what can't be read now."""
    try:
        found = await read_targets(sources.kube, drill_plan)
    except Unreachable:
        return ()
    told = (health_of(target.kind, body) for target, body in found.items())
    return tuple(sorted((h for h in told if h is not None), key=lambda h: h.target))


async def _plan_again(sources: DrillSources, drill: Mapping[str, Any], drill_plan: DrillPlan) -> None:
    """What the faults do to what is there now, with the parameters as they were settled before the start.

    That was looked at then, and may have changed since: the injection has waited, or the operator was restarted.
    """
    objects = await read_targets(sources.kube, drill_plan)
    _, refusals, operations = planned(drill_plan, drill["metadata"]["uid"], objects, {})
    sources.planning.injection = InjectionPlan(operations, refusals)


async def _imported(sources: DrillSources, drill_plan: DrillPlan) -> tuple[Fact, ...]:
    """What the facilitator has brought since the drill ended."""
    own = frozenset({f"system:serviceaccount:{sources.control}:kubedrill"})
    scope = ImportScope(drill_plan.target_namespace, own, sources.clock.error)
    texts = {source: await sources.evidence.imported(source.name) for source in of_kind(How.IMPORT)}
    return tuple(
        fact
        for source, found in texts.items()
        for fact in source.imports([line for text in found for line in text.splitlines()], scope)
    )


def _take(news: News, facts: Iterable[Fact]) -> None:
    news.update((f.id, f) for f in facts)

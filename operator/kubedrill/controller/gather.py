"""Makes the Observation of a turn: reads what the drill's phase needs, and nothing more.

Before the start, everything around the target; while it is on, the watches and the monitoring; while it is
put back, only records, so that a stop is not held up by a slow Prometheus.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from kubedrill.api.drill import ACCEPTS_UNVERIFIED, EVIDENCE_MARK, FINALIZER, Desired
from kubedrill.controller.gathering import FactInbox, MonitoringProbe, NamespaceWatches, Probe, Scope
from kubedrill.controller.gathering.known_facts import KnownFacts
from kubedrill.controller.gathering.own_records import records_for_a_turn
from kubedrill.controller.http_client import WebClient
from kubedrill.controller.injection_plan import InjectionPlan, has_unrecorded
from kubedrill.controller.planning import DrillPlanning
from kubedrill.controller.preflight_inputs import look_around, planned, read_targets, surroundings
from kubedrill.controller.recorded_facts import own_writes, recorded_facts, without_own_removals
from kubedrill.controller.reporting import read_revision
from kubedrill.controller.settings import OperatorSettings
from kubedrill.core.evidence.facts import Fact, FactKind
from kubedrill.core.evidence.timestamps import Received
from kubedrill.core.machine.desired import desired_of, stop_because
from kubedrill.core.machine.expiry import ttl_of
from kubedrill.core.machine.phases import TERMINAL, UNTOUCHED, Phase
from kubedrill.core.machine.state import Observation, RecordSeen, State
from kubedrill.core.machine.unverified import LOOKED_AT, missing
from kubedrill.core.plan.derive import AlertRule
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.core.plan.preflight import preflight
from kubedrill.core.undo.health import Health, health_of
from kubedrill.core.undo.operations import Ask, Refusal
from kubedrill.core.undo.record import OutsideGroup, RecordState
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.clock import ServerClock
from kubedrill.plugins.channels import spoken
from kubedrill.plugins.channels.base import Hearing
from kubedrill.plugins.faults import of_drill
from kubedrill.plugins.sources import of_kind
from kubedrill.plugins.sources.base import How, ImportScope, OwnWrites
from kubedrill.protocol.seen import records_seen
from kubedrill.protocol.traces import traces_of
from kubedrill.store.evidence_log import Evidence
from kubedrill.store.undo_records import Listing, StoredRecord, list_records

PROBE_EVERY = timedelta(seconds=0.9)
LOOK_BACK = timedelta(seconds=60)
FRESH = timedelta(milliseconds=500)
MEASURED = frozenset({Phase.ARMED, Phase.IN_PLAY})
AFTERWARDS = frozenset({Phase.RECOVERING, Phase.HOT_WASH, *TERMINAL})


class Gatherer:
    """The eyes of one drill."""

    def __init__(
        self,
        kube: Kube,
        clock: ServerClock,
        settings: OperatorSettings,
        evidence: Evidence,
        inbox: FactInbox,
        watches: NamespaceWatches,
        planning: DrillPlanning,
    ) -> None:
        self._planning = planning
        self._kube, self._clock, self._settings = kube, clock, settings
        self._evidence, self._inbox = evidence, inbox
        self._cluster = watches
        self._web = WebClient()
        self._monitoring = MonitoringProbe(self._web.fetch, clock)
        self._probe: Probe | None = None
        self._probed: datetime | None = None
        self.records: dict[str, StoredRecord] = {}
        self.injection = InjectionPlan()
        self.raw: dict[str, Fact] = {}
        self._known = KnownFacts()
        self._before_seen: Observation | None = None
        self._kept = self._listing = Listing()

    async def observe(
        self,
        drill: dict[str, Any],
        state: State,
        stuck: Mapping[str, str],
        waiting: Mapping[str, str],
        *,
        cannot_go_on: str = "",
    ) -> Observation:
        """Everything that this turn needs to know. New facts are left in `raw` until they are stored.

        When the drill can't go on that is only what its records tell, and what was undone by hand.
        """
        meta, spec = drill["metadata"], drill["spec"]
        (drill_plan, refusal), listing = await self._read(drill, state, least=bool(cannot_go_on))
        if refusal is not None and state.start_ex and state.phase not in TERMINAL:
            cannot_go_on = refusal.message  # what it is judged by is lost: what its records tell is what is left
        self.records = {r.record.name: r for r in listing.of(meta["uid"]).readable}
        self._listing = listing
        self._cluster.own = own_writes(self.records.values(), self._cluster.own)
        self._take(recorded_facts((r.record for r in self.records.values()), self._clock.error))
        seen = Observation(
            now=self._clock.now(),
            drill_plan=drill_plan,
            refusal=refusal,
            desired=desired_of(drill),
            stop_because=stop_because(drill),
            deleting=bool(meta.get("deletionTimestamp")),
            finalizer=FINALIZER in meta.get("finalizers", []),
            generation=int(meta.get("generation", 0)),
            records=self._records_seen(meta["uid"], state),
            stuck=dict(stuck),
            waiting=dict(waiting),
            imported=(meta.get("annotations") or {}).get(EVIDENCE_MARK, ""),
            accepted=(meta.get("annotations") or {}).get(ACCEPTS_UNVERIFIED, ""),
            ttl=ttl_of(spec),
        )
        if state.phase in LOOKED_AT:
            others = (r for r in listing.readable if r.record.drill.uid != meta["uid"])
            lost = missing(state, seen.records)
            seen = replace(seen, traces=await traces_of(self._kube.restoring, lost, others))
        if cannot_go_on:
            return replace(seen, cannot_go_on=cannot_go_on, facts=await self._undone_by_hand(drill))
        if state.phase is Phase.HOT_WASH or state.phase in TERMINAL:
            revision, mark = await read_revision(self._kube, drill)
            seen = replace(seen, reported=revision, report_import=mark)
        stopping = seen.deleting or seen.desired is Desired.STOP
        if drill_plan is None:
            return seen
        if state.start_ex and state.phase in AFTERWARDS and not seen.deleting:
            seen = replace(seen, health=await self._health(drill_plan))
        if state.phase in UNTOUCHED and not stopping:
            return await self._before(drill, drill_plan, listing, seen)
        return await self._during(drill, drill_plan, state, seen, stopping=stopping)

    async def _read(
        self, drill: dict[str, Any], state: State, *, least: bool
    ) -> tuple[tuple[DrillPlan | None, Refusal | None], Listing]:
        """The plan, and the undo records; `least`: all records, and nothing else."""
        if least:
            return (None, None), await list_records(self._kube.restoring, self._settings.namespace)
        plan, stored, _ = await asyncio.gather(
            self._planned_drill(drill, state),
            self._listed(drill, state),
            self._evidence.load(),
        )
        return plan, stored

    async def _undone_by_hand(self, drill: dict[str, Any]) -> frozenset[Fact]:
        """What the facilitator has confirmed, read anew: no watch is needed to end a drill."""
        groups = [group for one in self.records.values() for group in one.record.groups]
        if not any(isinstance(group, OutsideGroup) and isinstance(group.operation, Ask) for group in groups):
            return frozenset()
        control, name = self._settings.namespace, drill["metadata"]["name"]
        made = datetime.fromisoformat(drill["metadata"]["creationTimestamp"])
        receipt = Received(self._clock.now(), made, self._clock.error)
        hearing = Hearing(name, (), made, control=True)
        confirmed: set[Fact] = set()
        for objects in spoken():
            answer = await self._kube.restoring.get(objects.where.of(control))
            for item in answer.body.get("items") or ():
                with suppress(KeyError, ValueError, TypeError, AttributeError, OverflowError):  # a poison word is none
                    confirmed.update(f for f in objects.read(item, receipt, hearing) if f.kind is FactKind.CONFIRMED)
        return frozenset(confirmed)

    async def close(self) -> None:
        """Ends the watches and connections."""
        await self._cluster.stop()
        await self._web.close()

    async def _planned_drill(self, drill: dict[str, Any], state: State) -> tuple[DrillPlan | None, Refusal | None]:
        return await self._planning.planned(drill, state, self._probe.rules if self._probe else {}, self._rules_for)

    async def _rules_for(self, drill_plan: DrillPlan) -> Mapping[str, AlertRule]:
        return (await self._monitoring.probe(drill_plan, self._clock.now() - LOOK_BACK)).rules

    async def _listed(self, drill: Mapping[str, Any], state: State) -> Listing:
        """The undo records that matter to a turn; those of a moment ago while that whole look still counts.

        It counts only while nothing was touched. A record that another drill has stored since is a lock of its
        own, and is asked for again before the first patch (`protocol.exclusion`).
        """
        if state.phase not in UNTOUCHED or not self._is_fresh(int(drill["metadata"].get("generation", 0))):
            self._kept = await records_for_a_turn(self._kube.restoring, self._settings.namespace, drill, state)
        return self._kept

    def _is_fresh(self, generation: int) -> bool:
        """Whether the last look before the start was taken a moment ago, of this very spec."""
        kept = self._before_seen
        return bool(kept and kept.generation == generation and self._clock.now() - kept.now < FRESH)

    async def _before(
        self, drill: dict[str, Any], drill_plan: DrillPlan, listing: Listing, seen: Observation
    ) -> Observation:
        now, control = self._clock.now(), self._settings.namespace
        kept = self._before_seen
        if kept and self._is_fresh(seen.generation):
            # the turn that set the finalizer has looked a moment ago, and this is what is started
            if kept.drill_plan is not None:
                self._planning.is_started_as(kept.drill_plan)
            return replace(
                seen, drill_plan=kept.drill_plan, checks=kept.checks, plans=kept.plans, scenario=kept.scenario
            )
        watching = asyncio.ensure_future(self._watch_or_not(drill, drill_plan, held=seen.desired is Desired.HOLD))
        # The API server, Prometheus and the watches tell of different things: none waits for another.
        probe, used, found = await asyncio.gather(
            self._monitoring.probe(drill_plan, now - LOOK_BACK),
            self._monitoring.working_sets(drill_plan),
            look_around(self._kube, control, drill_plan),
        )
        self._probe = probe
        if not drill_plan.impact.query and probe.rules:
            derived, _ = await self._planned_drill(drill, State())
            drill_plan = derived or drill_plan
        read = surroundings(found, control, drill, drill_plan, listing, probe, used, now)
        checks = preflight(drill_plan, read.around)
        if not any(c.hard and c.ok is False for c in checks):
            await watching  # where nothing may be read, the lists are not waited for
        self.injection = InjectionPlan(read.operations)
        own = self._cluster.own
        self._cluster.own = OwnWrites(own.managers | read.managers, own.values)
        looked = replace(seen, drill_plan=drill_plan, checks=checks, plans=read.plans, scenario=self._planning.scenario)
        self._before_seen = looked
        return looked

    async def _during(
        self, drill: dict[str, Any], drill_plan: DrillPlan, state: State, seen: Observation, *, stopping: bool
    ) -> Observation:
        measured = state.phase in MEASURED and not stopping
        if state.phase not in TERMINAL or seen.imported != state.imported:
            await self._watch(drill, drill_plan, state)
            self._cluster.hear(drill_plan.players)
            if state.start_ex and (measured or self._probe is None):
                await self._measure(drill_plan, state)
        if state.phase is Phase.ARMED and has_unrecorded(state, self.records.values()):
            await self._plan_again(drill, drill_plan)
        injected = {r.record.subject for r in self.records.values() if r.record.state is RecordState.INJECTED}
        self._take(without_own_removals(self._inbox.drain(), injected))
        if state.phase in TERMINAL and seen.imported != state.imported:
            self._take(await self._imported(drill_plan))
        if state.phase is Phase.ARMED:
            self._take(of_drill.effective(drill_plan.faults, [*self._evidence.facts, *self.raw.values()]))
        facts = self._known.of(self._evidence.facts, self.raw.values(), state.start_ex, drill_plan)
        series = {**self._probe.steady, "impact": self._probe.impact} if self._probe else {}
        unchecked = self._probe.unchecked if self._probe and measured else {}
        # once more, for the watches stand now: somebody may have taken a fault out while there were none
        return replace(
            seen,
            facts=facts,
            series=series,
            heard=self._cluster.heard,
            unchecked=unchecked,
            records=self._records_seen(drill["metadata"]["uid"], state),
        )

    def _records_seen(self, uid: str, state: State) -> tuple[RecordSeen, ...]:
        """The undo records, each beside its target; those that can't be read, too."""
        targets = {name: self._cluster.workload(one.record.subject) for name, one in self.records.items()}
        return records_seen(self._listing, uid, state, targets)

    async def _watch_or_not(self, drill: dict[str, Any], drill_plan: DrillPlan, *, held: bool) -> None:
        """Watches from just before the start on. A drill that is held may be so for days, and holds no watch."""
        if held:
            await self._cluster.stop()
        else:
            await self._watch(drill, drill_plan, State())

    async def _watch(self, drill: dict[str, Any], drill_plan: DrillPlan, state: State) -> None:
        if self._cluster.are_on:
            return  # what the workloads looked like before a restart is asked for once, not at every turn
        if self._cluster.is_started:
            return
        made = datetime.fromisoformat(drill["metadata"]["creationTimestamp"])
        begun = state.start_ex or self._clock.now()
        scope = Scope(drill["metadata"]["name"], self._settings.namespace, made, begun)
        remembered = await self._evidence.memory.remembered() if state.start_ex else ()
        await self._cluster.start(drill_plan, scope, remembered, state.heard)

    async def _measure(self, drill_plan: DrillPlan, state: State) -> None:
        now = self._clock.now()
        if self._probed is None or now - self._probed >= PROBE_EVERY:
            start = state.start_ex or now
            self._probe, self._probed = await self._monitoring.probe(drill_plan, start - LOOK_BACK), now
            self._take(self._probe.facts)
            await self._evidence.memory.remember(self._cluster.remembered)

    async def _health(self, drill_plan: DrillPlan) -> tuple[Health, ...]:
        """How the workloads do that the faults have touched; nothing of what can't be read now."""
        try:
            found = await read_targets(self._kube, drill_plan)
        except Unreachable:
            return ()
        told = (health_of(target.kind, body) for target, body in found.items())
        return tuple(sorted((h for h in told if h is not None), key=lambda h: h.target))

    async def _plan_again(self, drill: dict[str, Any], drill_plan: DrillPlan) -> None:
        """What the faults do to what is there now, with the parameters as they were settled before the start.

        That was looked at then, and may have changed since: the injection has waited, or the operator was restarted.
        """
        objects = await read_targets(self._kube, drill_plan)
        _, refusals, operations = planned(drill_plan, drill["metadata"]["uid"], objects, {})
        self.injection = InjectionPlan(operations, refusals)

    async def _imported(self, drill_plan: DrillPlan) -> tuple[Fact, ...]:
        """What the facilitator has brought since the drill ended."""
        own = frozenset({f"system:serviceaccount:{self._settings.namespace}:kubedrill"})
        scope = ImportScope(drill_plan.target_namespace, own, self._clock.error)
        texts = {source: await self._evidence.imported(source.name) for source in of_kind(How.IMPORT)}
        return tuple(
            fact
            for source, found in texts.items()
            for fact in source.imports([line for text in found for line in text.splitlines()], scope)
        )

    def _take(self, facts: Iterable[Fact]) -> None:
        self.raw |= {f.id: f for f in facts}

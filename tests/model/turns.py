"""A turn of the operator as the model runs it: the controller's own, from the read of the Drill to the last command.

What is decided, what is stored before what, which plan is committed to and carried out and what is done are the real
code. Made up is only what is around a drill: its checks all pass, nobody watches or measures, its report is written at
once. Every turn begins with nothing in mind but `Memory`, which stands for the inner state of a drill's task.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

from tests.machine.world import FIT, START, drill_plan
from tests.model.people import AFTER, BEFORE, CONTROL, StillClock, change

from kubedrill.api.drill import FINALIZER
from kubedrill.api.faults import Fault
from kubedrill.controller.drill_sources import DrillSources
from kubedrill.controller.execute import Executor
from kubedrill.controller.gathering import FactInbox
from kubedrill.controller.injection_plan import InjectionPlan
from kubedrill.controller.planning import DrillPlanning
from kubedrill.controller.settings import OperatorSettings
from kubedrill.controller.status_writer import StatusRefused
from kubedrill.controller.turn import Turns
from kubedrill.core.evidence.facts import Fact
from kubedrill.core.machine.commands import WriteReport
from kubedrill.core.machine.desired import desired_of
from kubedrill.core.machine.phases import TERMINAL, Phase
from kubedrill.core.machine.reducer import Decision
from kubedrill.core.machine.state import Observation, PlannedFault, State, state_to_wire
from kubedrill.core.machine.unverified import LOOKED_AT, missing
from kubedrill.core.plan.codec import digest_of, plan_from_json, plan_to_json
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.core.undo.record import DrillIdentity, RecordState
from kubedrill.core.undo.touches import planned_touches
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.informers import Informers
from kubedrill.protocol.objects import Inconclusive
from kubedrill.protocol.seen import records_seen
from kubedrill.protocol.traces import traces_of
from kubedrill.store.drill_parts import EvidenceRefused
from kubedrill.store.undo_records import RecordError, StoredRecord

TROUBLE = (Unreachable, RecordError, Inconclusive, EvidenceRefused, StatusRefused)
"""What ends a turn that is then tried again."""
_texts: dict[str, str] = {}
"""The text of each plan, by its digest."""
plan_of = functools.lru_cache(maxsize=1_000)(plan_from_json)


@dataclass(frozen=True, slots=True)
class Memory:
    """What a drill's task keeps in mind between two turns: facts, and the plan that it was judged by last, as text."""

    facts: frozenset[Fact] = frozenset()
    plan: str = ""

    def __bool__(self) -> bool:
        return bool(self.facts or self.plan)


NOTHING = Memory()


async def turn(kube: Kube, name: str, uid: str, memory: Memory) -> Memory:
    """One turn; what is kept in mind after it.

    Unlike the controller's, the task of an ended drill is woken by every change: a record that turns up late is seen.
    """
    taken = TurnFromMemory(kube, name, uid, memory)
    with suppress(*TROUBLE):
        await taken.once()
    return taken.memory()


class TurnFromMemory(Turns):
    """The controller's turn, of a task that has only that in mind."""

    def __init__(self, kube: Kube, name: str, uid: str, memory: Memory) -> None:
        clock, settings, known = cast("ServerClock", StillClock()), OperatorSettings(CONTROL), FactInbox()
        super().__init__(kube, clock, settings, name, uid, known, lambda: None, Informers(kube, clock))
        known.add(memory.facts)
        self._facts = memory.facts
        self._plans = PlanningFromMemory(kube, DrillIdentity(uid, name, CONTROL), memory.plan)
        self._sources = replace(self._sources, planning=self._plans)
        self._actor = ReportlessExecutor(kube, clock, settings)

    def memory(self) -> Memory:
        return Memory(self._facts | frozenset(self._inbox.drain()), self._plans.known)


class PlanningFromMemory(DrillPlanning):
    """Plans are frozen, read and compared by the real code; until its start, a drill's plan is that of its targets."""

    def __init__(self, kube: Kube, drill: DrillIdentity, known: str) -> None:
        super().__init__(kube, drill)
        self._known = known
        if known:
            self._frozen = digest_of(known), plan_of(known)

    @property
    def known(self) -> str:
        if self._frozen is None or (self._known and self._frozen[0] == digest_of(self._known)):
            return self._known
        if self._frozen[0] not in _texts:
            _texts[self._frozen[0]] = plan_to_json(self._frozen[1])
        return _texts[self._frozen[0]]

    async def _derive(self, drill: Mapping[str, Any], *_around: object) -> DrillPlan:
        return drill_plan(tuple(drill["spec"]["targets"]))


class ReportlessExecutor(Executor):
    """Carries out all commands but the report's."""

    async def carry_out(self, drill: dict[str, Any], decision: Decision, *seen: Any) -> tuple[tuple[Fact, ...], bool]:
        commands = tuple(c for c in decision.commands if not isinstance(c, WriteReport))
        return await super().carry_out(drill, replace(decision, commands=commands), *seen)


async def what_is_stored(
    sources: DrillSources,
    drill: dict[str, Any],
    state: State,
    _news: object,
    *,
    stuck: Mapping[str, str],
    waiting: Mapping[str, str],
    **_: str,
) -> Observation:
    """In the place of `gather`: a drill's plan, its undo records, and its targets where a turn has to look at them."""
    plan, refusal = await sources.planning.planned(drill, state, {}, _no_rules)
    listing = await sources.records.list_all()
    faults, name = plan.faults if plan else (), drill["metadata"]["name"]
    sources.planning.injection = InjectionPlan({f.name: (change(f.name, made_of(f, name)),) for f in faults})
    watching = {one.record.name: await _watched(sources.kube, one, state) for one in sources.records.mine.values()}
    found = records_seen(listing, drill["metadata"]["uid"], state, watching)
    others = [one for one in listing.readable if one.record.drill.uid != drill["metadata"]["uid"]]
    traces = await traces_of(sources.kube, missing(state, found), others) if state.phase in LOOKED_AT else {}
    seen = replace(observed(drill, state), drill_plan=plan, refusal=refusal, records=found, traces=traces)
    seen = replace(seen, stuck=dict(stuck), waiting=dict(waiting))
    if refusal and state.start_ex and state.phase not in TERMINAL:
        return replace(seen, cannot_go_on=refusal.message)
    return replace(seen, facts=frozenset(sources.inbox.drain()))


async def _watched(kube: Kube, stored: StoredRecord, state: State) -> dict[str, Any] | None:
    """A record's target, as the operator's watch tells of it while the drill is on."""
    record = stored.record
    if record.target is None or record.state is not RecordState.INJECTED or state.phase is not Phase.ARMED:
        return None
    answer = await kube.get(record.target.path)
    return answer.body if answer.ok else None


def machine_alone(decision: Decision, _seen: Observation, _before: Mapping[str, Any]) -> dict[str, Any]:
    """The status without what is told to people: nobody acts upon that, and it is half of the work of a turn."""
    return {"machine": state_to_wire(decision.state)}


async def _no_rules(_plan: DrillPlan) -> dict[str, Any]:
    return {}


def observed(drill: dict[str, Any], state: State) -> Observation:
    """What is seen of a drill all of whose checks pass, and whose report is written at once.

    An attempt takes a minute, so that a drill that can't be injected ends by its time.
    """
    metadata, spec = drill["metadata"], drill["spec"]
    now = START + max((f.attempt for f in state.faults), default=0) * timedelta(minutes=1)
    return Observation(
        now=now,
        desired=desired_of(drill),
        checks=FIT,
        deleting="deletionTimestamp" in metadata,
        finalizer=FINALIZER in metadata.get("finalizers", ()),
        plans={fault: planned(metadata["name"], fault) for fault in spec["targets"]},
        reported=1 if state.phase is Phase.HOT_WASH else 0,
    )


def made_of(fault: Fault, drill: str) -> int:
    """What a fault makes of its target's field: as the plan has it, once it is settled."""
    params: Any = fault.params
    return params.affected or AFTER[drill]


def planned(drill: str, fault: str) -> PlannedFault:
    """What the preflight has planned, when the field was as it was before."""
    operation = change(fault, AFTER[drill])
    return PlannedFault(
        f"Deployment/{fault}",
        {"target": {"kind": "Deployment", "name": fault}, "affected": AFTER[drill]},
        touches=planned_touches([operation], {operation.target: {"spec": {"minReadySeconds": BEFORE}}}),
    )

"""What one drill's turns ask. Each source keeps what is its own; `gather` keeps nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from kubedrill.controller.gathering import FactInbox, MonitoringProbe, NamespaceWatches, Scope
from kubedrill.controller.gathering.known_facts import KnownFacts
from kubedrill.controller.gathering.own_records import OwnRecords
from kubedrill.controller.http_client import WebClient
from kubedrill.controller.planning import DrillPlanning
from kubedrill.core.machine.state import Observation, State
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.kube.client import Kube
from kubedrill.kube.clock import ServerClock
from kubedrill.store.evidence_log import Evidence

FRESH: Final = timedelta(milliseconds=500)


class LastLook:
    """What was seen before the start, for a moment: the turn that set the finalizer is followed by another at once."""

    def __init__(self) -> None:
        self._seen: Observation | None = None

    def keep(self, seen: Observation) -> Observation:
        """Keeps what was seen now."""
        self._seen = seen
        return seen

    def of(self, generation: int, now: datetime) -> Observation | None:
        """What was seen a moment ago, of this very spec."""
        kept = self._seen
        return kept if kept and kept.generation == generation and now - kept.now < FRESH else None


@dataclass(frozen=True, slots=True)
class DrillSources:
    """The sources of one drill. `control` is the namespace in which it lives."""

    kube: Kube
    clock: ServerClock
    control: str
    evidence: Evidence
    inbox: FactInbox
    watches: NamespaceWatches
    planning: DrillPlanning
    records: OwnRecords
    web: WebClient
    monitoring: MonitoringProbe
    look: LastLook = field(default_factory=LastLook)
    known: KnownFacts = field(default_factory=KnownFacts)

    async def watch(self, drill: dict[str, Any], drill_plan: DrillPlan, state: State) -> None:
        """Has the watches on, from just before the start."""
        if self.watches.is_started:
            return
        made = datetime.fromisoformat(drill["metadata"]["creationTimestamp"])
        begun = state.start_ex or self.clock.now()
        remembered = await self.evidence.memory.remembered() if state.start_ex else ()
        scope = Scope(drill["metadata"]["name"], self.control, made, begun)
        # until the first lists are whole nothing is noted as heard: then all since the start may have been missed
        await self.watches.start(drill_plan, scope, remembered, state.heard or state.start_ex)

    async def close(self) -> None:
        """Ends the watches and connections."""
        await self.watches.stop()
        await self.web.close()

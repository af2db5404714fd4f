"""A drill played from a script, turn by turn, as the operator does: its status and its reports as they were stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from tests.machine.world import World, fact

from kubedrill.api.drill import Desired
from kubedrill.controller.reporting import record_of
from kubedrill.core.evidence.facts import Fact, FactKind, Source
from kubedrill.core.machine.commands import WriteReport
from kubedrill.core.machine.phases import TERMINAL, Phase
from kubedrill.core.machine.reducer import Decision
from kubedrill.core.machine.state import Observation
from kubedrill.core.machine.status import project, without_nulls
from kubedrill.core.measure.results import DrillRecord

DRILL: Mapping[str, Any] = {
    "metadata": {"name": "storm", "namespace": "drills", "uid": "d1234567-89ab"},
    "spec": {"targetNamespace": "shop", "players": [{"name": "alice", "role": "L1"}], "scenario": {"title": "A drill"}},
}


@dataclass
class Played:
    """A world with a Drill in it: each turn stores a status, and reports as they are commanded."""

    world: World = field(default_factory=World)
    status: dict[str, Any] = field(default_factory=dict)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    records: list[DrillRecord] = field(default_factory=list)
    looks: dict[str, Any] = field(default_factory=dict)

    @property
    def drill(self) -> dict[str, Any]:
        """The Drill as the API server holds it."""
        return {**DRILL, "status": self.status}

    def turn(self) -> Decision:
        """One turn: decide, store the status, then do what was commanded."""
        seen: Observation = self.world.look(**self.looks)
        decision = self.world.turn(**self.looks)
        self.status = without_nulls(project(decision, seen, self.status))
        self.statuses.append(self.status)
        if any(isinstance(command, WriteReport) for command in decision.commands):
            self.records.append(record_of(self.drill, decision, seen))
        self.world.obey(decision.commands)
        for name, state in self.world.records.items():
            if state == "Reverted":
                at = self.world.now + timedelta(seconds=1)  # a restore takes its time
                told = fact(FactKind.FAULT_REVERTED, at, f"reverted/{name}", fault=name, wrote=True)
                self.world.facts.setdefault(told.id, told)
        return decision

    def pass_time(self, seconds: float, until: Callable[[], bool] = lambda: False, step: float = 5) -> None:
        """Turns, some seconds apart, or until something is so."""
        for _ in range(round(seconds / step)):
            self.world.now += timedelta(seconds=step)
            self.turn()
            if until():
                return

    def arm(self) -> None:
        """The fault is in."""
        self.pass_time(4, step=1)
        assert self.world.stored.phase is Phase.ARMED

    def page(self) -> None:
        """The fault has its effect, and ten seconds later the alert fires."""
        self.world.bite()
        self.pass_time(10)
        self.happens(FactKind.ALERT_FIRING, source=Source.PROMETHEUS, alert="Errors")
        self.turn()

    def happens(self, kind: FactKind, by: str = "", source: Source = Source.PLAYER_ACTION, **detail: Any) -> Fact:
        """Something is seen, now."""
        seen = fact(kind, self.world.now, f"{kind}/{len(self.world.facts)}", **detail)
        seen = replace(seen, actor=by, source=source, evidence=f"{kind} seen")
        self.world.facts[seen.id] = seen
        return seen

    def end(self) -> None:
        """Turns until it is over, and some more: what is told at its end stays."""
        for _ in range(1000):
            if self.world.stored.phase in TERMINAL:
                break
            self.pass_time(20, step=20 if self.world.stored.phase is Phase.IN_PLAY else 1)
        assert self.world.stored.phase in TERMINAL
        self.pass_time(3, step=1)

    def stop(self) -> None:
        """The facilitator stops it."""
        self.looks = {"desired": Desired.STOP, "stop_because": "a real incident"}
        self.end()

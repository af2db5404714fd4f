"""Builders for the reducer: a small drill, what is seen of it, and a world that obeys its commands."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from kubedrill.api.drill import DrillSpec
from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.machine.commands import (
    AddFinalizer,
    CloseRecord,
    Command,
    InjectFaults,
    RemoveFinalizer,
    Revert,
    WriteReport,
)
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.reducer import Decision, reduce
from kubedrill.core.machine.state import CheckResult, Observation, PlannedFault, RecordSeen, State
from kubedrill.core.machine.unverified import UNREADABLE
from kubedrill.core.plan.derive import derive
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.core.undo.operations import Target
from kubedrill.core.undo.record import FieldUndo
from kubedrill.core.undo.touches import Touch, Touches
from kubedrill.plugins.faults.of_drill import profile

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FIT = (CheckResult("all", ok=True),)


@functools.cache
def drill_plan(faults: tuple[str, ...] = ("limit",)) -> DrillPlan:
    """A drill of one alert and as many faults as are named, each on a workload of its own."""
    spec = DrillSpec.model_validate(
        {
            "targetNamespace": "shop",
            "players": [{"name": "alice", "role": "L1"}],
            "scenario": {
                "title": "A drill",
                "expectedAlerts": [{"name": "Errors"}],
                "faults": [{"name": f, "memoryLimit": {"target": {"kind": "Deployment", "name": f}}} for f in faults],
            },
        }
    )
    assert spec.scenario is not None
    return derive(spec, spec.scenario, profile)


def fact(kind: FactKind, at: datetime, fact_id: str, **detail: object) -> Fact:
    """A fact at an instant."""
    return Fact(kind, Interval.at(at), Source.OPERATOR, fact_id, detail=detail)


def seen(**changes: object) -> Observation:
    """A drill that may start: everything checked, the finalizer set."""
    design = drill_plan()
    plain = Observation(
        now=START,
        drill_plan=design,
        finalizer=True,
        checks=FIT,
        plans={f.name: PlannedFault(f"Deployment/{f.name}", {}) for f in design.faults},
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def touched(name: str) -> Touches:
    """What a fault touches: one field of its Deployment, 1 before and 2 after."""
    target = Target("apps", "v1", "Deployment", "deployments", "shop", name)
    return (Touch(target, (FieldUndo("/spec/minReadySeconds", 1, 2),)),)


@dataclass
class World:
    """What the commands touch: records, faults that are on, a Drill with its finalizer. It keeps count.

    `unread` are the records that can't be read now, `blind` tells that targets can't be read.
    """

    faults: tuple[str, ...] = ("limit",)
    now: datetime = START
    records: dict[str, str] = field(default_factory=dict)
    on: set[str] = field(default_factory=set)
    facts: dict[str, Fact] = field(default_factory=dict)
    injections: dict[str, int] = field(default_factory=dict)
    finalizer: bool = False
    gone: bool = False
    reported: int = 0
    stored: State = field(default_factory=State)
    unread: set[str] = field(default_factory=set)
    blind: bool = False

    def look(self, **changes: object) -> Observation:
        """What is seen of this world now."""
        design = drill_plan(self.faults)
        return replace(
            seen(
                now=self.now,
                drill_plan=design,
                finalizer=self.finalizer,
                facts=frozenset(self.facts.values()),
                records=tuple(self._seen(n, s) for n, s in self.records.items()),
                reported=self.reported,
                traces={n: None if self.blind else n in self.on for n in self.faults},
                plans={
                    f.name: PlannedFault(f"Deployment/{f.name}", {}, touches=touched(f.name)) for f in design.faults
                },
            ),
            **changes,  # type: ignore[arg-type]
        )

    def _seen(self, name: str, state: str) -> RecordSeen:
        if name in self.unread:
            return RecordSeen(f"undo-{name}", UNREADABLE, (), why="it is damaged")
        return RecordSeen(
            f"undo-{name}", state, (name,), f"Deployment/{name}", fingerprint=f"1-{name}", touches={name: touched(name)}
        )

    def turn(self, **changes: object) -> Decision:
        """One turn up to the stored state; its commands are not carried out yet."""
        decision = reduce(self.stored, self.look(**changes))
        self.stored = decision.state
        return decision

    def obey(self, commands: Iterable[Command]) -> None:
        """Carries commands out."""
        for command in commands:
            match command:
                case AddFinalizer():
                    self.finalizer = True
                case RemoveFinalizer():
                    self.finalizer, self.gone = False, True
                case InjectFaults(faults=names):
                    for name in names:
                        self.intend(name)
                        self.inject(name)
                case Revert(record=record):
                    self.put_back(record.removeprefix("undo-"))
                case CloseRecord(record=record):
                    del self.records[record.removeprefix("undo-")]
                case WriteReport(revision=revision):
                    self.reported = revision
                case _:
                    pass

    def intend(self, name: str) -> None:
        """Stores the undo record of a fault."""
        self.records.setdefault(name, "Intended")

    def inject(self, name: str) -> None:
        """Touches the target, once for each record that is Intended."""
        if self.records.get(name) == "Intended":
            self.on.add(name)
            self.injections[name] = self.injections.get(name, 0) + 1
            self.records[name] = "Injected"
        self.facts[f"injected/{name}"] = fact(FactKind.FAULT_INJECTED, self.now, f"injected/{name}", fault=name)

    def put_back(self, name: str) -> None:
        """Reverts a record."""
        if name in self.records:
            self.on.discard(name)
            self.records[name] = "Reverted"

    def bite(self, name: str = "limit") -> None:
        """The fault is seen to have its effect."""
        self.facts[f"effective/{name}"] = fact(FactKind.FAULT_EFFECTIVE, self.now, f"effective/{name}", fault=name)

    def run(self, turns: int = 12, **changes: object) -> Decision:
        """Turns until nothing changes any more, or as many as said."""
        decision = self.turn(**changes)
        for _ in range(turns):
            self.obey(decision.commands)
            self.now += timedelta(seconds=1)
            decision = self.turn(**changes)
        return decision


def world_in(phase: Phase) -> World:
    """A drill whose fault is in, Armed or InPlay."""
    world = World()
    world.run(3)
    if phase is Phase.IN_PLAY:
        world.bite()
        world.turn()
    assert world.stored.phase is phase
    assert world.on == {"limit"}
    return world

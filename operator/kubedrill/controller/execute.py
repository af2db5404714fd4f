"""Carries out what the machine commands. Every command may come twice: each of them makes twice be once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from kubedrill.controller.deliveries import give
from kubedrill.controller.failpoints import STARTED_WRITTEN, pause_at
from kubedrill.controller.injection_plan import InjectionPlan
from kubedrill.controller.reporting import write_report
from kubedrill.controller.settings import OperatorSettings
from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.machine.commands import (
    AddFinalizer,
    CloseRecord,
    Command,
    DeleteDrill,
    Deliver,
    InjectFaults,
    Release,
    RemoveFinalizer,
    Revert,
    Sustain,
    WriteReport,
)
from kubedrill.core.machine.desired import is_ending
from kubedrill.core.machine.reducer import Decision
from kubedrill.core.machine.state import Observation, State, state_from_wire
from kubedrill.core.plan.preflight import PASSING
from kubedrill.core.undo.operations import Enqueue
from kubedrill.core.undo.record import DrillIdentity, OutsideGroup
from kubedrill.kube.client import Answer, Kube, Unreachable
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.refusals import is_refusal, words
from kubedrill.plugins.operations.catalogue import all_reverters
from kubedrill.protocol.drills import add_finalizer, delete_drill, drill_path, remove_finalizer
from kubedrill.protocol.inject import inject, sustain
from kubedrill.protocol.orphans import revert_orphan
from kubedrill.protocol.outcomes import Injection, InjectionOutcome, Reversal
from kubedrill.protocol.release import RELEASED, release
from kubedrill.protocol.revert import revert
from kubedrill.protocol.revert_tracker import RevertTracker
from kubedrill.store import undo_records
from kubedrill.store.undo_records import RecordError, StoredRecord

LOG = logging.getLogger(__name__)
OPERATOR = "Operator"
INJECTION = "injection"


class Executor:
    """Carries out the commands of one drill."""

    def __init__(self, kube: Kube, clock: ServerClock, settings: OperatorSettings) -> None:
        self._kube, self._clock, self._settings = kube, clock, settings
        self.reverters = all_reverters(kube, clock.now)
        self._plan = InjectionPlan()
        self._injecting = ""
        self._answered: dict[str, Any] | None = None
        self.refusals: dict[str, str] = {}
        self.undoing = RevertTracker()

    def plan(self, plan: InjectionPlan) -> None:
        """What the faults are to do, planned in this very turn where they have no undo record yet."""
        self._plan = plan

    def answered(self) -> dict[str, Any] | None:
        """The Drill as the last command was answered with it, once: as good as a read while it is new."""
        answered, self._answered = self._answered, None
        return answered

    def waiting(self, now: datetime) -> dict[str, str]:
        """What the injection, the undos and whatever is refused beside them wait for, where it is not stuck."""
        injecting = {INJECTION: self._injecting} if self._injecting else {}
        return self.undoing.waiting(now) | injecting | self.refusals

    async def carry_out(
        self, drill: dict[str, Any], decision: Decision, seen: Observation, stored: Mapping[str, StoredRecord]
    ) -> tuple[tuple[Fact, ...], bool]:
        """Carries out all commands, the reverts at once: one that is stuck holds up no other.

        Returns:
            The outcomes as facts, and whether another turn should follow at once.
        """
        done = await asyncio.gather(
            *(self._one(command, drill, decision, seen, stored) for command in decision.commands),
            return_exceptions=True,
        )
        facts: list[Fact] = []
        again = False
        for command, result in zip(decision.commands, done, strict=True):
            if isinstance(result, BaseException):
                if not isinstance(result, Unreachable | RecordError):
                    raise result
                LOG.warning("%s: %s", command, result)
                if isinstance(command, CloseRecord):
                    self.undoing.troubled(command.record, "NotClosed", str(result)[:500], self._clock.now())
                continue
            facts += result[0]
            again = again or result[1]
        return tuple(facts), again

    async def _one(
        self,
        command: Command,
        drill: dict[str, Any],
        decision: Decision,
        seen: Observation,
        stored: Mapping[str, StoredRecord],
    ) -> tuple[tuple[Fact, ...], bool]:
        match command:
            case AddFinalizer():
                answer = await add_finalizer(self._kube.restoring, drill)
                self._answered = answer.body if answer.ok else None
                return (), self._taken("finalizer", "the finalizer can't be added", answer)
            case RemoveFinalizer() | DeleteDrill():
                return (), await self._let_go(command, drill)
            case InjectFaults(faults=faults):
                return await self._inject(faults, drill, decision.state, stored)
            case Sustain(record=name):
                return await self._sustain(stored.get(name))
            case Release(record=name):
                return (), await self._release(stored.get(name))
            case Revert(record=name):
                return await self._revert(stored.get(name), seen)
            case CloseRecord(record=name):
                return (), await self._close(stored.get(name))
            case Deliver(inject=name):
                return await self._deliver(name, drill, seen), False
            case WriteReport(revision=revision):
                return (), await write_report(self._kube, drill, decision, seen, revision, self._clock.now())

    async def _let_go(self, command: RemoveFinalizer | DeleteDrill, drill: dict[str, Any]) -> bool:
        """Whether our finalizer, or an ended Drill itself, could be taken away."""
        if isinstance(command, DeleteDrill):
            answer = await delete_drill(self._kube, drill)
            return self._taken("deletion", "it can't be deleted although its ttlAfterFinished is over", answer)
        answer = await remove_finalizer(self._kube.restoring, drill)
        return self._taken("finalizer", "the finalizer can't be removed", answer)

    def _taken(self, what: str, trouble: str, answer: Answer) -> bool:
        """Whether a write was done; one that is refused is told until it goes through."""
        if answer.ok:
            self.refusals.pop(what, None)
        elif is_refusal(answer):
            self.refusals[what] = f"{trouble}: {words(answer)}"
        return answer.ok

    async def _inject(
        self, faults: Iterable[str], drill: dict[str, Any], state: State, stored: Mapping[str, StoredRecord]
    ) -> tuple[tuple[Fact, ...], bool]:
        assert state.deadline is not None  # noqa: S101  set on entering Armed
        wanted, refused = self._plan.of(faults, stored.values())
        failing = {fault: why for fault, why in refused.items() if why.reason not in PASSING}
        if failing:
            return tuple(_failed(f, state, r.reason, r.message, self._clock) for f, r in failing.items()), True
        if refused:
            self._injecting = "; ".join(f"fault {fault}: {why.message}" for fault, why in refused.items())
            return (), False
        hook = pause_at(self._settings.pause_at)
        await hook(STARTED_WRITTEN)
        outcome = await inject(
            self._kube,
            identity(drill),
            wanted,
            state.deadline,
            self._clock,
            reverters=self.reverters,
            on=hook,
            wanted=lambda: self._still_armed(drill, state),
        )
        pending = outcome.state is Injection.PENDING and outcome.why
        self._injecting = pending.message if pending else ""
        return tuple(failures(outcome, state, self._clock)), outcome.state is not Injection.PENDING

    async def _still_armed(self, drill: dict[str, Any], state: State) -> bool:
        """Whether the drill is still where this injection was decided: asked when its record stands."""
        meta = drill["metadata"]
        answer = await self._kube.get(drill_path(meta["namespace"], meta["name"]))
        if answer.status == 404 or (answer.ok and answer.body["metadata"]["uid"] != meta["uid"]):
            return False
        if not answer.ok:
            raise Unreachable(f"whether the drill is still armed can't be read: {answer.status} {answer.message}")
        now = state_from_wire((answer.body.get("status") or {}).get("machine"))
        same = now.phase is state.phase and _attempts(now) == _attempts(state)
        return same and not is_ending(answer.body)

    async def _sustain(self, stored: StoredRecord | None) -> tuple[tuple[Fact, ...], bool]:
        if stored is None:
            return (), False
        await sustain(stored, self.reverters)
        return await self._pushed(stored), False

    async def _pushed(self, stored: StoredRecord) -> tuple[Fact, ...]:
        """How many fake jobs are in by now, as the queue itself says."""
        found = []
        for group in stored.record.groups:
            if isinstance(group, OutsideGroup) and isinstance(group.operation, Enqueue):
                asked = self._clock.now()
                pushed = await self.reverters[Enqueue].count(group)
                if pushed:
                    found.append(
                        Fact(
                            FactKind.JOBS_PUSHED,
                            _between(asked, self._clock),
                            Source.OPERATOR,
                            f"pushed/{group.fault}/{pushed}",
                            evidence=f"{pushed} fake jobs were pushed",
                            detail={"fault": group.fault, "pushed": pushed},
                        )
                    )
        return tuple(found)

    async def _release(self, stored: StoredRecord | None) -> bool:
        """Lets a rollout go, if that is due; whether it has. One that can't be is told as a stuck undo."""
        if stored is None or not self.undoing.is_due(_releasing(stored), self._clock.now()):
            return False
        outcome = await release(self._kube, stored.ref)
        self.undoing.tried(_releasing(stored), outcome, self._clock.now())
        if outcome.reason == RELEASED:
            LOG.info("%s: somebody has taken the fault out, its rollout is let go", stored.record.subject)
        return outcome.reason == RELEASED

    async def _revert(self, stored: StoredRecord | None, seen: Observation) -> tuple[tuple[Fact, ...], bool]:
        if stored is None:
            return (), False
        confirmed = frozenset(
            str(f.detail.get("fault"))
            for f in seen.facts
            if f.kind is FactKind.CONFIRMED and f.detail.get("step") == "Undo"
        )
        return (), await self.put_back(stored, confirmed)

    async def put_back(self, stored: StoredRecord, confirmed: frozenset[str] = frozenset()) -> bool:
        """Puts back what a record tells of, if that is due; whether it is."""
        name = stored.record.name
        self.undoing.done(_releasing(stored))  # what is put back needs no release any more
        if not self.undoing.is_due(name, self._clock.now()):
            return False
        outcome = await revert(
            self._kube,
            stored,
            OPERATOR,
            self._clock,
            confirmed,
            reverters=self.reverters,
            on=pause_at(self._settings.pause_at),
        )
        self.undoing.tried(name, outcome, self._clock.now())
        return outcome.state is Reversal.REVERTED

    async def put_back_orphan(self, stored: StoredRecord) -> bool:
        """Puts back what is left of a drill whose Drill is gone; whether its record is closed."""
        return await revert_orphan(self._kube, stored, OPERATOR, self._clock, self.reverters, self.undoing)

    async def _close(self, stored: StoredRecord | None) -> bool:
        if stored is None or not await undo_records.close(self._kube.restoring, stored):
            return False
        self.undoing.done(stored.record.name)
        return True

    async def _deliver(self, name: str, drill: dict[str, Any], seen: Observation) -> tuple[Fact, ...]:
        assert seen.drill_plan is not None  # noqa: S101  an inject is delivered in play
        inject_at = next(i for i in seen.drill_plan.injects if i.name == name)
        return await give(
            self._kube, self._clock, drill["metadata"]["uid"], seen.drill_plan.target_namespace, inject_at
        )


def _attempts(state: State) -> dict[str, int]:
    return {f.name: f.attempt for f in state.faults}


def _releasing(stored: StoredRecord) -> str:
    """Under which name it is kept in mind how the release of a record stands."""
    return f"{stored.record.name} (release)"


def identity(drill: Mapping[str, Any]) -> DrillIdentity:
    """Whose records they are."""
    meta = drill["metadata"]
    return DrillIdentity(meta["uid"], meta["name"], meta["namespace"], drill["spec"]["targetNamespace"])


def failures(outcome: InjectionOutcome, state: State, clock: ServerClock) -> Iterable[Fact]:
    """The faults that could not be injected. That one is in, its undo record tells."""
    for target in outcome.targets:
        if target.state not in (Injection.INJECTED, Injection.PENDING):
            yield from (_failed(fault, state, target.reason, target.message, clock) for fault in target.faults)


def _failed(fault: str, state: State, reason: str, message: str, clock: ServerClock) -> Fact:
    attempt = state.fault(fault).attempt
    at = Interval.at(clock.now(), clock.error)
    return Fact(
        FactKind.FAULT_FAILED,
        at,
        Source.OPERATOR,
        f"failed/{fault}/{attempt}",
        evidence=message,
        detail={"fault": fault, "attempt": attempt, "reason": reason, "message": message},
    )


def _between(sent: datetime, clock: ServerClock) -> Interval:
    return Interval(sent - clock.error, clock.now() + clock.error)

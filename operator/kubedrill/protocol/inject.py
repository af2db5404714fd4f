"""Injecting: read, plan, dry run, store the undo, patch, give ownership back, store that it is in.

Each write has a precondition, and every write to a target is preceded by a write of its record by the same
process. So two operators, a restart and a late packet come to one injection at the most; a player who puts
the old value back while the operator is away is not hit twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from kubedrill.core.facts import Interval
from kubedrill.core.operations import Ask, Operation
from kubedrill.core.ownership import entry_of
from kubedrill.core.pointers import read
from kubedrill.core.undo import Landed, after_values, inject_patch, landed
from kubedrill.core.undo_record import (
    UNREACHABLE,
    Again,
    Done,
    DrillIdentity,
    FieldGroup,
    OutsideGroup,
    Progress,
    RecordState,
    UndoRecord,
)
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.protocol import records
from kubedrill.protocol.clock import Clock
from kubedrill.protocol.intents import Intent, by_subject
from kubedrill.protocol.objects import Reply, Unsure, give_back, namespace_uid_of, patch_target, read_target
from kubedrill.protocol.outcomes import (
    FAULT_PATCHED,
    INJECTED_WRITTEN,
    RECORD_WRITTEN,
    At,
    Injection,
    InjectionOutcome,
    TargetInjection,
    Wanted,
    always,
    nothing,
)
from kubedrill.protocol.plan import InjectionEnds, Planner, as_read, refused
from kubedrill.protocol.records import RecordRef, RecordTrouble, StaleRecord, StoredRecord
from kubedrill.protocol.reverters import Reverters

# No injection with less than this left to the deadline: longer than one request can take (15 s).
MARGIN = timedelta(seconds=20)
ROUNDS = 8


async def inject(  # noqa: PLR0913  what, whose, until when, and the world to do it in
    kube: Kube, drill: DrillIdentity, fault_ops: Mapping[str, Sequence[Operation]], deadline: datetime,
    clock: Clock, *, reverters: Reverters | None = None, on: At = nothing, wanted: Wanted = always,
) -> InjectionOutcome:
    """Inject a drill's faults, once, however often it is called and by how many at the same time.

    All undo records are stored before the first target is touched; if one can't be, none is touched by this
    call. Records that are stored by then stay: whoever sees a record that should not be reverts it.

    Args:
        kube: the API server.
        drill: whose faults they are.
        fault_ops: for each fault by name, what it does.
        deadline: when the drill is over at the latest; refused when less than MARGIN is left.
        clock: the API server's time.
        reverters: for operations that are not changes of fields.
        on: called at the named points between the writes.
        wanted: asked once more when all records are stored: an operator that slept through the drill's end
            must not inject when it wakes.

    Returns:
        One result a target; its `state` is Injected only if every target is.
    """
    injector = _Injector(kube, drill, deadline, clock, reverters or {}, on)
    intents = by_subject(drill, fault_ops)
    stored = [(intent, await _ended(intent, injector.store(intent))) for intent in intents]
    if any(isinstance(result, TargetInjection) for _, result in stored):
        return InjectionOutcome(tuple(
            result if isinstance(result, TargetInjection) else _result(
                intent, result[0], Injection.PENDING, "Waiting", "another target is not ready")
            for intent, result in stored
        ))
    if not await wanted():
        return InjectionOutcome(tuple(
            _result(intent, result[0], Injection.ENDED, "NoLongerWanted", "the drill has moved on")
            for intent, result in stored
        ))
    done = []
    for intent, result in stored:
        assert not isinstance(result, TargetInjection)  # noqa: S101  returned above
        done.append((intent, await _ended(intent, injector.carry_out(*result))))
    return InjectionOutcome(tuple(
        result if isinstance(result, TargetInjection) else _result(intent, result[0], Injection.INJECTED)
        for intent, result in done
    ))


async def sustain(stored: StoredRecord, reverters: Reverters) -> timedelta | None:
    """Go on with an injection that takes time (jobs at a rate, an alert to refresh). When to call again."""
    steps = [await _brought_on(stored.record, group, reverters) for group in stored.record.groups]
    return min((step.after for step in steps if isinstance(step, Again)), default=None)


@dataclass(frozen=True, slots=True)
class _Injector:
    kube: Kube
    drill: DrillIdentity
    deadline: datetime
    clock: Clock
    reverters: Reverters
    at: At

    async def store(self, intent: Intent) -> tuple[StoredRecord, bool]:
        """The record of an intent, and whether this call has made it. Nothing is touched yet."""
        planner = Planner(self.kube, self.drill, self.deadline, self.clock, self.reverters)
        namespace_uid = ""
        if intent.target is not None:
            namespace_uid = await namespace_uid_of(self.kube, intent.target.namespace)
            if not namespace_uid:
                raise InjectionEnds(Injection.REFUSED, "TargetMissing",
                                    f"namespace {intent.target.namespace} is not there")
        ref = RecordRef(self.drill.namespace, intent.record_name(namespace_uid))
        for _ in range(ROUNDS):
            stored = await records.read(self.kube, ref)
            if stored is not None:
                return self._ours(stored), False
            self._in_time()
            record = await planner.record_of(intent, ref.name, namespace_uid)
            created = await records.create(self.kube, record)
            if created is not None:
                await self.at(RECORD_WRITTEN)
                return created, True
        raise InjectionEnds(Injection.PENDING, "Conflict", f"{intent.subject}: its record comes and goes")

    async def carry_out(self, stored: StoredRecord, mine: bool) -> tuple[StoredRecord, bool]:
        """Bring a stored intent into the world, once. `mine`: this very call wrote the record last."""
        for _ in range(ROUNDS):
            if stored.record.state is RecordState.INJECTED:
                return stored, mine
            if stored.record.state is not RecordState.INTENDED:
                raise InjectionEnds(Injection.ENDED, "AlreadyReverted", f"{stored.record.subject} is back")
            try:
                if stored.record.target is None:
                    return await self._outside(stored), True
                stored = await self._one_round(stored, mine)
                mine = True
            except StaleRecord:
                again = await records.read(self.kube, stored.ref)
                if again is None:
                    raise InjectionEnds(Injection.ENDED, "RecordClosed",
                                        f"{stored.record.subject} is put back") from None
                stored, mine = self._ours(again), False
        raise InjectionEnds(Injection.PENDING, "Conflict", f"{stored.record.subject} is written all the time")

    async def _one_round(self, stored: StoredRecord, mine: bool) -> StoredRecord:
        """Patch if it is certain that nobody has; gives the record Injected, or claimed for a next try."""
        record = stored.record
        seen = await self._read(record)
        if not mine:
            match landed(record, seen):
                case Landed.YES:
                    return await self._finish(stored, record, seen, _since(record, seen, self.clock))
                case Landed.UNKNOWN:
                    raise _undone(record)
                case Landed.NO:
                    self._in_time()
                    stored = await self._claim(stored, seen)
                    record = stored.record
        self._in_time()
        assert record.target is not None  # noqa: S101  told apart by the caller
        sent = self.clock.now()
        patch = inject_patch(record, seen)
        reply, answer = await patch_target(self.kube, record.target, patch, record.manager)
        if reply is Reply.DONE:
            await self.at(FAULT_PATCHED)
            at = Interval(sent - self.clock.error, self.clock.now() + self.clock.error)
            return await self._finish(stored, after_values(record, answer.body), answer.body, at)
        if reply not in (Reply.MOVED, Reply.GONE):
            raise refused(record.subject, reply, answer)
        # A precondition failed, so it was certainly not done by us. If the claim succeeds, nobody else of
        # ours has written the record since, and so nobody has patched.
        seen = await self._read(record)
        if entry_of(seen["metadata"].get("managedFields") or (), record.manager):
            raise StaleRecord(record.name)
        return await self._claim(stored, seen)

    async def _claim(self, stored: StoredRecord, seen: dict[str, Any]) -> StoredRecord:
        """Rewrite the record from a new read, which makes it ours: whoever claimed it before fails at his."""
        record = stored.record
        if seen["metadata"]["uid"] != record.target_uid or any(
            read(seen, path) != value
            for field in record.fields for path, value in (*field.guards, (field.path, field.before))
        ):
            raise _undone(record)
        claimed = replace(as_read(record, seen), attempt=record.attempt + 1, intended_at=self.clock.now())
        return await records.write(self.kube, stored, claimed)

    async def _finish(
        self, stored: StoredRecord, record: UndoRecord, seen: dict[str, Any], at: Interval
    ) -> StoredRecord:
        """No trace on the target, then the record: Injected."""
        await give_back(self.kube, record, seen)
        written = await records.write(self.kube, stored, record.moved_to(RecordState.INJECTED, injected=at))
        await self.at(INJECTED_WRITTEN)
        return written

    async def _outside(self, stored: StoredRecord) -> StoredRecord:
        """An operation outside the API server; its reverter sees to it that twice is once."""
        self._in_time()
        sent = self.clock.now()
        for group in stored.record.groups:
            progress = await _brought_on(stored.record, group, self.reverters)
            if isinstance(progress, Again) and progress.reason == UNREACHABLE:
                raise InjectionEnds(Injection.PENDING, progress.reason, progress.message)
        await self.at(FAULT_PATCHED)
        at = Interval(sent - self.clock.error, self.clock.now() + self.clock.error)
        record = stored.record.moved_to(RecordState.INJECTED, injected=at)
        written = await records.write(self.kube, stored, record)
        await self.at(INJECTED_WRITTEN)
        return written

    async def _read(self, record: UndoRecord) -> dict[str, Any]:
        assert record.target is not None  # noqa: S101  told apart by the caller
        place = await read_target(self.kube, record.target, record.namespace_uid)
        if place.seen is None:
            raise _undone(record)
        return place.seen

    def _ours(self, stored: StoredRecord) -> StoredRecord:
        theirs = stored.record.drill
        if theirs.uid != self.drill.uid:
            raise InjectionEnds(
                Injection.REFUSED, "TargetBusy", f"{stored.record.subject} is the target of drill"
                f" {theirs.namespace}/{theirs.name}, which is not put back yet")
        return stored

    def _in_time(self) -> None:
        left = self.deadline - self.clock.now()
        if left < MARGIN:
            raise InjectionEnds(
                Injection.REFUSED, "TooLate", f"{max(0, round(left.total_seconds()))} s are left to the"
                f" deadline; nothing is injected with less than {MARGIN.seconds} s left")


async def _brought_on(
    record: UndoRecord, group: FieldGroup | OutsideGroup, reverters: Reverters
) -> Progress:
    """An operation outside the API server, brought to where it should be by now."""
    if isinstance(group, FieldGroup) or isinstance(group.operation, Ask):
        return Done()
    return await reverters[type(group.operation)].inject(record, group)


async def _ended(intent: Intent, step: Any) -> Any:
    """A step's result, or the target's result if the injection ends there."""
    try:
        return await step
    except InjectionEnds as ends:
        return TargetInjection(intent.subject, intent.faults, ends.state, ends.reason, ends.message)
    except (Unreachable, Unsure, RecordTrouble) as trouble:
        forbidden = not isinstance(trouble, Unreachable) and trouble.answer.status == 403
        state = Injection.REFUSED if forbidden else Injection.PENDING
        reason = "Forbidden" if forbidden else "Unreachable"
        return TargetInjection(intent.subject, intent.faults, state, reason, str(trouble)[:500])


def _result(
    intent: Intent, stored: StoredRecord, state: Injection, reason: str = "", message: str = ""
) -> TargetInjection:
    record = stored.record
    return TargetInjection(intent.subject, intent.faults, state, reason, message, record.injected, stored.ref,
                           record.fields)


def _undone(record: UndoRecord) -> InjectionEnds:
    return InjectionEnds(Injection.UNDONE, "ChangedMeanwhile", f"{record.subject} was changed by somebody"
                         " while the injection was under way; it is not injected (again)")


def _since(record: UndoRecord, seen: dict[str, Any], clock: Clock) -> Interval:
    """When an injection landed of which nobody knows the answer: by our entry's time, else since intended."""
    start, end = record.intended_at - clock.error, clock.now() + clock.error
    entry = entry_of(seen["metadata"].get("managedFields") or (), record.manager)
    if entry is None or "time" not in entry:
        return Interval(start, end)
    second = datetime.fromisoformat(entry["time"])
    # managedFields.time is the API server's own, cut to whole seconds
    known = Interval(start, end).intersection(Interval(second, second + timedelta(seconds=1)))
    return known or Interval(start, end)

"""Planning an injection: what is there now, and what a dry run says that it will become. Touches nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from kubedrill.core.undo.operations import Ask, Refusal, SetFields, Target
from kubedrill.core.undo.patches import after_values, before_values, inject_patch
from kubedrill.core.undo.record import UNREACHABLE, DrillIdentity, OutsideGroup, UndoRecord, manager_name
from kubedrill.core.undo.record_size import too_long
from kubedrill.kube.client import Answer, Kube
from kubedrill.plugins.operations.base import Reverters
from kubedrill.protocol.clock import Clock
from kubedrill.protocol.intents import Intent
from kubedrill.protocol.objects import Reply, patch_target, place_of
from kubedrill.protocol.outcomes import Injection

T = TypeVar("T")


class InjectionEnds(Exception):
    """The injection of a target ends here, for now or for good."""

    def __init__(self, state: Injection, reason: str, message: str) -> None:
        super().__init__(message)
        self.state, self.reason, self.message = state, reason, message


@dataclass(frozen=True, slots=True)
class Planner:
    """Makes undo records out of intents."""

    kube: Kube
    drill: DrillIdentity
    deadline: datetime
    clock: Clock
    reverters: Reverters

    async def record_of(
        self, intent: Intent, name: str, namespace_uid: str = "", answer: Answer | None = None
    ) -> UndoRecord:
        """The record that must be stored before the subject is touched. `answer` is that to a read of the target.

        Raises:
            InjectionEnds: it is refused, by us or by the API server's dry run.
        """
        record = await self._planned(intent, name, namespace_uid, answer)
        if wrong := too_long(record):
            raise InjectionEnds(Injection.REFUSED, "RecordTooLong", wrong)
        return record

    async def _planned(self, intent: Intent, name: str, namespace_uid: str, answer: Answer | None) -> UndoRecord:
        manager = manager_name(self.drill.uid, name)
        record = UndoRecord(
            self.drill,
            name,
            intent.subject,
            intent.outside,
            manager,
            self.deadline,
            self.clock.now(),
            intent.target,
            namespace_uid,
        )
        if intent.target is not None and answer is not None:
            place = place_of(intent.target, answer, namespace_uid)
            if place.seen is None:
                raise InjectionEnds(Injection.REFUSED, "TargetMissing", f"{intent.target} is not there")
            return await self._with_fields(record, intent.target, intent.changes, place.seen)
        return replace(record, groups=tuple([await self._prepared(group) for group in intent.outside]))

    async def _prepared(self, group: OutsideGroup) -> OutsideGroup:
        """An operation that is no change of fields, as it is to be stored."""
        if isinstance(group.operation, Ask):
            return group
        settled = _unless_refused(await self.reverters[type(group.operation)].prepare(group.operation))
        return group if settled is None else replace(group, operation=settled)

    async def _with_fields(
        self, record: UndoRecord, target: Target, changes: tuple[tuple[str, SetFields], ...], seen: dict[str, Any]
    ) -> UndoRecord:
        groups = tuple(_unless_refused(before_values(op, fault, seen)) for fault, op in changes)
        record = as_read(replace(record, groups=groups, target_uid=seen["metadata"]["uid"]), seen)
        twice = [path for path, n in Counter(field.path for field in record.fields).items() if n > 1]
        if twice:
            raise InjectionEnds(Injection.REFUSED, "FieldTwice", f"two faults change {twice[0]} of {target}")
        patch = inject_patch(record, seen)
        reply, answer = await patch_target(self.kube, target, patch, record.manager, dry_run=True)
        if reply in (Reply.MOVED, Reply.GONE):
            raise InjectionEnds(Injection.PENDING, "Conflict", f"{target} changed in the same moment")
        if reply is not Reply.DONE:
            raise refused(target, reply, answer)
        record = after_values(record, answer.body)
        if all(field.before == field.after for field in record.fields):
            raise InjectionEnds(Injection.REFUSED, "NothingToChange", f"{target} already has these values")
        return record


def as_read(record: UndoRecord, seen: dict[str, Any]) -> UndoRecord:
    """The record with what a patch must prove of the object: its version, generation and owners."""
    metadata = seen["metadata"]
    owners = tuple(e for e in metadata.get("managedFields") or () if e.get("manager") != record.manager)
    return replace(
        record,
        resource_version=metadata["resourceVersion"],
        owners=owners,
        generation=int(metadata.get("generation", 0)),
    )


def refused(subject: object, reply: Reply, answer: Answer) -> InjectionEnds:
    """The end that an answer means which is neither a yes nor a conflict."""
    if reply is Reply.BUSY:
        return InjectionEnds(Injection.PENDING, "ServerBusy", f"{subject}: {answer.status} {answer.message}")
    return InjectionEnds(Injection.REFUSED, str(reply), f"{subject}: {answer.message}")


def _unless_refused(planned: T | Refusal) -> T:
    if isinstance(planned, Refusal):
        # what does not answer now may answer in a moment: its Service may be seconds old
        state = Injection.PENDING if planned.reason.endswith(UNREACHABLE) else Injection.REFUSED
        raise InjectionEnds(state, planned.reason, planned.message)
    return planned

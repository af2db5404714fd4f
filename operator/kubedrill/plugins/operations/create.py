"""An object that is made, once, and removed again: found after a crash by its name and by who made it.

Who made it is told by the field manager, which is the record's own. What has the name and is not ours is never touched.

A patch dies with the version of the object that it carries; a request that makes something carries nothing that could
grow old. So it is sent once for each claim of the record, not later than BEGINS_WITHIN after it, and where it was sent
more often, or nobody knows whether it ever arrived, the undo ends only when none can be under way any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from kubedrill.core.evidence.facts import Interval
from kubedrill.core.undo.operations import Create, Refusal, Target
from kubedrill.core.undo.ownership import entry_of
from kubedrill.core.undo.record import (
    BEGINS_WITHIN,
    DRAINING,
    REFUSED,
    UNREACHABLE,
    Again,
    Done,
    OutsideGroup,
    Progress,
    UndoRecord,
)
from kubedrill.kube.client import Answer, Kube, Unreachable
from kubedrill.kube.paths import collection_of
from kubedrill.kube.refusals import is_admission, is_not_found, is_refusal, reason_of, words
from kubedrill.plugins.operations.base import Need, OperationKind, SeenIn

AFTER_OUTAGE: Final = timedelta(seconds=2)
SOON: Final = timedelta(milliseconds=500)
HISTORY_WITHIN: Final = 1
"""Seconds for which the API server is heard about what was there before: it tells what it knows at once."""
COPIED_WITHIN: Final = timedelta(seconds=5)
"""How long after a request a copy of it may come, that somebody on the way sends who has had no answer."""
PREPARES: Final = "manager-prepares"
CHANGED_MEANWHILE: Final = "ChangedMeanwhile"
ALREADY_THERE: Final = "AlreadyThere"
LEAVING: Final = "ObjectLeaving"


@dataclass(frozen=True, slots=True)
class Shown:
    """What the API server shows under the name: the object or None, and the version of the collection then."""

    item: Mapping[str, Any] | None
    version: str

    @property
    def uid(self) -> str:
        """The UID of what is there; empty when nothing is."""
        return str(self.item["metadata"]["uid"]) if self.item else ""


class _Unshown(Exception):
    """The API server did not say what is there."""

    def __init__(self, what: str, answer: Answer | None = None) -> None:
        super().__init__(what)
        self.answer = answer


class CreatedObjects:
    """The reverter of `Create`. `clock` is the reference clock."""

    def __init__(self, kube: Kube, clock: Callable[[], datetime]) -> None:
        self._kube, self._clock = kube, clock

    async def prepare(self, operation: Create) -> Refusal | Create:
        """Whether nothing has the name and the API server would take it; with the version of that look."""
        target = operation.target
        try:
            shown = await _shown(self._kube, target)
            if shown.item is not None:
                return _in_the_way(target)
            answer = await self._post(operation, PREPARES, dry_run=True)
        except (_Unshown, Unreachable) as trouble:
            return Refusal(UNREACHABLE, f"whether {target} can be made is not known: {trouble}"[:500])
        if _exists(answer):
            return _in_the_way(target)
        if not answer.ok:
            refused = is_refusal(answer) or answer.status in (404, 422)
            return Refusal(reason_of(answer) if refused else UNREACHABLE, f"{target} can't be made: {words(answer)}")
        return replace(operation, since=shown.version)

    async def inject(self, record: UndoRecord, group: OutsideGroup) -> Progress | Refusal:
        """Make it, once; Done with its UID."""
        operation = _operation(group)
        if record.injected is not None:
            return Done(f"{operation.target} is there", made=record.made)
        try:
            return await self._made(record, operation)
        except (_Unshown, Unreachable) as trouble:
            return Again(AFTER_OUTAGE, UNREACHABLE, str(trouble)[:500])

    async def count(self, group: OutsideGroup) -> int | None:  # noqa: ARG002  the interface
        """None: it is there or not."""
        return None

    async def seen_in(self, record: UndoRecord, group: OutsideGroup) -> SeenIn | None:
        """The object, if it is there and ours."""
        try:
            operation = _operation(group)
            shown = await _shown(self._kube.restoring, operation.target, operation.since)
        except (_Unshown, Unreachable):
            return None
        if not _is_ours(record, shown):
            return None
        made = datetime.fromisoformat(str((shown.item or {})["metadata"]["creationTimestamp"]))
        known = Interval(record.intended_at, max(self._clock(), record.intended_at))
        return SeenIn(known.intersection(Interval(made, made + timedelta(seconds=1))) or known, shown.uid)

    async def revert(self, record: UndoRecord, group: OutsideGroup) -> Progress:
        """Remove exactly what was made; Done when it is gone and none can come late."""
        operation = _operation(group)
        try:
            return await self._removed(record, group.fault, operation)
        except _Unshown as trouble:
            refused = trouble.answer is not None and is_refusal(trouble.answer)
            return Again(AFTER_OUTAGE, REFUSED if refused else UNREACHABLE, str(trouble)[:500])
        except Unreachable as trouble:
            return Again(AFTER_OUTAGE, UNREACHABLE, str(trouble)[:500])

    async def _made(self, record: UndoRecord, operation: Create) -> Progress | Refusal:
        target = operation.target
        if record.attempt > 1:
            shown = await _shown(self._kube, target, operation.since)
            if shown.item is not None:
                return _found(record, target, shown)
            if await self._was_there(operation):
                said = f"{target} was made, or may have been, and is gone: it is not made again"
                return Refusal(CHANGED_MEANWHILE, said)
        if self._clock() - record.claimed >= BEGINS_WITHIN:
            return Again(AFTER_OUTAGE, UNREACHABLE, f"it took too long to make {target}: it is tried anew")
        answer = await self._post(operation, record.manager)
        if answer.ok:
            return Done(f"{target} was made", made=str(answer.body["metadata"]["uid"]))
        if _exists(answer):
            return _found(record, target, await _shown(self._kube, target, operation.since))
        if is_refusal(answer):
            return Refusal(reason_of(answer), f"{target} can't be made: {words(answer)}")
        return Again(AFTER_OUTAGE, UNREACHABLE, f"{target}: {words(answer)}", answered=answer.status < 500)

    async def _was_there(self, operation: Create) -> bool:
        """Whether anything has had the name since it was planned, or that can't be told: the API server's own history.

        A player may have removed it while nobody looked; then it must not be made a second time.
        """
        target = operation.target
        if not operation.since:
            return True
        path, query = collection_of(target).of(target.namespace), _by_name(target)
        events = self._kube.watch(path, operation.since, query, timeout=HISTORY_WITHIN)
        try:
            async with asyncio.timeout(HISTORY_WITHIN + 2), aclosing(events):
                async for event in events:
                    status = int((event.get("object") or {}).get("code") or 0) if event.get("type") == "ERROR" else 0
                    if status == 429 or status >= 500:
                        raise _Unshown(f"whether {target} was there can't be read now: {status}")
                    if event.get("type") != "BOOKMARK":
                        return True  # something had the name, or the history does not reach back so far
        except TimeoutError as error:
            raise _Unshown(f"whether {target} was there is not told") from error
        return False

    async def _removed(self, record: UndoRecord, fault: str, operation: Create) -> Progress:
        target, kube = operation.target, self._kube.restoring
        shown = await _shown(kube, target, operation.since)
        ours = _is_ours(record, shown)
        if ours or (record.made and record.restored_at is None):
            # A read may be old; what the API server answers to a removal of this very object is not.
            uid = shown.uid if ours else record.made
            answer = await kube.call("DELETE", target.path, {"preconditions": {"uid": uid}})
            gone = is_not_found(answer, target.plural, target.name)
            replaced = answer.status == 409 and not is_admission(answer)
            if not (answer.ok or gone or replaced):
                raise _Unshown(f"{target} can't be removed: {words(answer)}", answer)
            shown = await _shown(kube, target, operation.since)
            if _is_ours(record, shown):
                return Again(SOON, LEAVING, f"{target} is on its way out")
        late = self._late(record, target)
        if late is not None:
            return late
        if shown.item is not None:
            return Done(f"{target} is somebody else's by now, and is left alone", superseded=True)
        if fault in record.restoring:
            return Done(f"{target} was removed")
        was_in = record.made or record.injected is not None
        note = f"{target} was gone already: somebody else had removed it" if was_in else f"{target} was never made"
        return Done(note, untouched=True)

    def _late(self, record: UndoRecord, target: Target) -> Again | None:
        """What is to be waited for: a request of ours that may still be under way, or a copy of one."""
        now = self._clock()
        copied_until = record.injected.not_after + COPIED_WITHIN if record.injected else now
        left = (record.arrives_until if record.loose else copied_until) - now
        if left <= timedelta(0):
            return None
        said = f"{target} is not there; that none of ours comes late is certain in {left.total_seconds():.0f} s"
        return Again(min(left, AFTER_OUTAGE), DRAINING, said, restored=record.injected is not None)

    async def _post(self, operation: Create, manager: str, *, dry_run: bool = False) -> Answer:
        target = operation.target
        query = [("fieldManager", manager), ("fieldValidation", "Strict")]
        query += [("dryRun", "All")] if dry_run else []
        path = collection_of(target).of(target.namespace)
        return await self._kube.call("POST", path, dict(operation.manifest), query=query)


def _operation(group: OutsideGroup) -> Create:
    if not isinstance(group.operation, Create):
        raise TypeError(f"fault {group.fault}: {type(group.operation).__name__} is not for making an object")
    return group.operation


def _by_name(target: Target) -> list[tuple[str, str]]:
    return [("fieldSelector", f"metadata.name={target.name}")]


async def _shown(kube: Kube, target: Target, since: str = "") -> Shown:
    """What has the name now. An answer that is older than `since` shows nothing. Raises _Unshown, Unreachable."""
    answer = await kube.get(collection_of(target).of(target.namespace), query=_by_name(target))
    if not answer.ok:
        raise _Unshown(f"whether {target} is there can't be read: {words(answer)}", answer)
    items = [item for item in answer.body.get("items") or () if item["metadata"]["name"] == target.name]
    version = str((answer.body.get("metadata") or {}).get("resourceVersion", ""))
    if version.isdecimal() and since.isdecimal() and int(version) < int(since):
        raise _Unshown(f"{target} was shown as it was, older than its undo record")
    return Shown(items[0] if items else None, version)


def _is_ours(record: UndoRecord, shown: Shown) -> bool:
    """Whether it is what a request of this record has made: by its UID, or by who made it, as a late copy would."""
    if shown.item is None:
        return False
    made_by_us = entry_of(shown.item["metadata"].get("managedFields") or (), record.manager) is not None
    return made_by_us or shown.uid == record.made


def _found(record: UndoRecord, target: Target, shown: Shown) -> Progress | Refusal:
    if _is_ours(record, shown):
        return Done(f"{target} was made", made=shown.uid)
    if shown.item is None:
        return Again(AFTER_OUTAGE, UNREACHABLE, f"{target} was there and is not shown")
    return _in_the_way(target)


def _in_the_way(target: Target) -> Refusal:
    said = f"{target} is there already, and not by this drill: give the fault another name. Nothing was touched"
    return Refusal(ALREADY_THERE, said)


def _exists(answer: Answer) -> bool:
    return answer.status == 409 and answer.reason == "AlreadyExists"


def _planned(operation: Create, _objects: Mapping[Target, Any]) -> Iterable[str]:
    yield f"{operation.target} is made; removed again, whoever has changed it by then"


def _recorded(operation: Create) -> str:
    return f"{operation.target} was made, and is removed"


def _needs(operation: Create) -> tuple[Need, ...]:
    target = operation.target
    return (Need(target.group, target.plural, ("get", "list", "watch", "create"), ("list", "delete")),)


OPERATION: Final = OperationKind(
    operation=Create, planned=_planned, recorded=_recorded, reverter=CreatedObjects, needs=_needs
)

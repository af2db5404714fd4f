"""What there is to put back in a control namespace, and what of it can't be verified: for `restore` and `doctor`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from kubedrill.api.drill_status import FaultStep
from kubedrill.core.machine.phases import TERMINAL
from kubedrill.core.machine.state import FaultState, State, state_from_wire
from kubedrill.core.undo.genuine import differs, fingerprint
from kubedrill.core.undo.record import RecordState, shown
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.kube.paths import SECRETS
from kubedrill.protocol.drills import drill_path
from kubedrill.store.undo_records import (
    RECORD_TYPE,
    Listing,
    RecordError,
    StoredRecord,
    UnreadableRecord,
    list_records,
)

_RECORD_NAME: Final = re.compile(r"undo-[0-9a-f]{24}")


@dataclass(frozen=True, slots=True)
class Survey:
    """All undo records of a control namespace, its Drills by UID, and Secrets that only bear a record's name."""

    namespace: str
    listing: Listing
    drills: Mapping[str, Mapping[str, Any]]
    impostors: tuple[str, ...] = ()

    @property
    def unreadable(self) -> tuple[UnreadableRecord, ...]:
        """Records that say nothing to this version: what they hold is unknown."""
        return self.listing.unreadable

    @property
    def genuine(self) -> tuple[StoredRecord, ...]:
        """The records that can be carried out."""
        return tuple(one for one in self.listing.readable if not self._differs(one))

    @property
    def foreign(self) -> tuple[StoredRecord, ...]:
        """Records that say something else than when their Drill noted them: they are not carried out."""
        return tuple(one for one in self.listing.readable if self._differs(one))

    def lost(self) -> Iterator[tuple[str, FaultState]]:
        """The UID of each Drill that has not ended, and its faults whose undo record is gone while they may be in."""
        for uid, drill in self.drills.items():
            state = state_of(drill)
            if state.phase not in TERMINAL:
                yield from ((uid, f) for f in state.faults if f.step is FaultStep.UNVERIFIED)

    def overdue(self, now: datetime) -> tuple[StoredRecord, ...]:
        """Records whose deadline is past and that are not put back."""
        return tuple(
            one for one in self.genuine if one.record.state is not RecordState.REVERTED and one.record.deadline < now
        )

    def of(self, name: str) -> Survey:
        """Only what is of one drill, by its name or UID; a record that can't be read by its own name, too."""
        uids = {uid for uid, drill in self.drills.items() if name in (uid, drill["metadata"]["name"])} | {name}
        readable = (
            one for one in self.listing.readable if one.record.drill.uid in uids or one.record.drill.name == name
        )
        unread = (one for one in self.unreadable if one.drill_uid in uids or one.ref.name == name)
        return replace(
            self,
            listing=Listing(tuple(readable), tuple(unread)),
            impostors=(),
            drills={uid: drill for uid, drill in self.drills.items() if uid in uids},
        )

    def told(self) -> Iterator[str]:
        """What is wrong, in lines that say what to do."""
        for unread in self.unreadable:
            yield (
                f"✗ undo record {unread.ref.name} of {self._whose(unread.drill_uid)} can't be read, what it holds is"
                f" unknown: {unread.why}"
            )
            yield from self.known_of(unread.ref.name)
        for one in self.foreign:
            yield (
                f"✗ undo record {one.ref.name} of {one.record.drill.name} says something else than when it was"
                " stored: it is not carried out"
            )
            yield from self.known_of(one.ref.name)
        for uid, fault in self.lost():
            yield f"✗ {self._whose(uid)}: {fault.name}: {fault.message}"
        for name in self.impostors:
            yield (
                f"✗ Secret {name} bears the name of an undo record and is none: what that stands for can't be"
                f" drilled. Delete it: kubectl delete secret {name} -n {self.namespace}"
            )
        if self.unreadable or self.foreign or any(self.lost()):
            yield (
                "What to do is in docs/how-to/break-glass.md: mend the record, or restore by hand, and then"
                " kubectl drill restore NAME --accept-unverified"
            )

    def known_of(self, record: str) -> Iterator[str]:
        """What the Drills have noted of a record: the fields with their values before and after."""
        faults = (f for drill in self.drills.values() for f in state_of(drill).faults if f.record == record)
        for touch in (touch for fault in faults for touch in fault.touches):
            for field in touch.fields:
                where = f"{touch.target} in {touch.target.namespace}"
                yield f"    {where} {field.path}: {shown(field.before)} → {shown(field.after)}"

    def _differs(self, one: StoredRecord) -> bool:
        state = state_of(self.drills.get(one.record.drill.uid, {}))
        noted = {f.record: f.fingerprint for f in state.faults if f.record not in state.closed}
        return differs(fingerprint(one.record), noted.get(one.ref.name, ""))

    def _whose(self, uid: str) -> str:
        drill = self.drills.get(uid)
        return str(drill["metadata"]["name"]) if drill else f"drill {uid or '(unknown)'}"


async def surveyed(kube: Kube, namespace: str) -> Survey:
    """Looks at everything, and touches nothing. Where Drills can't be read, nothing is known from them.

    Raises:
        RecordTrouble: the undo records can't be listed.
    """
    listing = await list_records(kube, namespace)
    return Survey(namespace, listing, await _drills(kube, namespace), await _impostors(kube, namespace))


def state_of(drill: Mapping[str, Any]) -> State:
    """The machine's state in a Drill's status; one that is none tells nothing."""
    try:
        return state_from_wire((drill.get("status") or {}).get("machine"))
    except (KeyError, TypeError, ValueError, AttributeError):
        return State()


async def _drills(kube: Kube, namespace: str) -> dict[str, Mapping[str, Any]]:
    try:
        answer = await kube.get(drill_path(namespace))
    except Unreachable:
        return {}
    items = answer.body.get("items") or () if answer.ok else ()
    return {drill["metadata"].get("uid", drill["metadata"]["name"]): drill for drill in items}


async def _impostors(kube: Kube, namespace: str) -> tuple[str, ...]:
    """Secrets of another type that stand where an undo record would: the lock of something."""
    query = [("fieldSelector", f"type!={RECORD_TYPE}")]
    answer = await kube.get(SECRETS.of(namespace), query=query)
    if not answer.ok:
        raise RecordError("list secrets", answer)
    names = (item["metadata"]["name"] for item in answer.body.get("items") or () if item.get("type") != RECORD_TYPE)
    return tuple(sorted(name for name in names if _RECORD_NAME.fullmatch(name)))

"""When the watchdog acts, and why: for one undo record, and for the Drill that it belongs to.

The watchdog acts where the operator should have acted and has not. It must neither wait for an operator that
will not come, nor cut a drill short because something could not be read: so every rule rests on what was seen
for certain, and what is unknown grants nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from kubedrill.core.undo_record import RecordState, UndoRecord

GRACE: Final = timedelta(seconds=10)
"""How long the operator has for what it must do at once."""
SILENT: Final = timedelta(minutes=2)
"""Operator's silence after which its drills are put back."""
AWAY: Final = timedelta(seconds=15)
"""Operator's silence, three beats, after which nobody else will tell a Drill's end."""


class Standing(StrEnum):
    """What one look at a Drill has told. Gone: the API server knows no such object, or another under its name.

    Unserved: it does not know the kind, because the CRD is gone, or for a moment after its own start.
    """

    THERE = "There"
    GONE = "Gone"
    UNSERVED = "Unserved"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class DrillSight:
    """What is known of a Drill. `deleted_at` is the server's; the durations are counted by whoever looks."""

    standing: Standing
    deleted_at: datetime | None = None
    stopping_for: timedelta | None = None
    unserved_for: timedelta | None = None

    @property
    def gone(self) -> bool:
        """Whether nobody will ever read its status again."""
        return self.standing is Standing.GONE or (self.unserved_for or timedelta(0)) >= GRACE


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision: whether to act, a reason in CamelCase and a sentence for people."""

    granted: bool
    reason: str
    message: str


def may_revert(record: UndoRecord, now: datetime, drill: DrillSight, silence: timedelta | None) -> Ruling:
    """Whether the watchdog puts back what a record tells of.

    Args:
        record: the undo record.
        now: the API server's time.
        drill: what is known of its Drill.
        silence: for how long the operator has not been heard; None when that is unknown.
    """
    if record.state is RecordState.REVERTED:
        return Ruling(False, "Reverted", "it is put back already")
    if drill.gone:
        return _of_absence(drill)
    if now - record.deadline >= GRACE:
        return Ruling(True, "DeadlinePast", f"its deadline was {_ago(now - record.deadline)} ago")
    if _deleted_long_enough(now, drill):
        return Ruling(True, "DrillDeleted", "its Drill is being deleted, and the operator has not put it back")
    if drill.stopping_for is not None and drill.stopping_for >= GRACE:
        return Ruling(True, "StopWanted", f"a stop is wanted for {_ago(drill.stopping_for)}"
                      " and the operator has not put it back")
    if silence is not None and silence >= SILENT:
        return Ruling(True, "OperatorSilent", f"the operator has not been heard for {_ago(silence)}")
    if drill.standing is Standing.UNKNOWN:
        return Ruling(False, "DrillUnknown", "its Drill can't be read; that proves nothing")
    if drill.standing is Standing.UNSERVED:
        return Ruling(False, "DrillsUnserved", "Drills are not served; that may be the API server's start")
    return Ruling(False, "DrillIsOn", "its drill is on, and the operator's business")


def may_close(drill: DrillSight, *, all_reverted: bool, silence: timedelta | None) -> Ruling:
    """Whether a Reverted record may be deleted although its outcome may not stand in the Drill's status.

    `all_reverted` tells whether every record of the Drill is Reverted.
    """
    if drill.gone:
        return _of_absence(drill)
    if drill.deleted_at is None:
        return Ruling(False, "OutcomeUntold", "its outcome is the operator's to tell in the Drill's status")
    if not all_reverted:
        return Ruling(False, "NotAllReverted", "something else of its Drill is not put back yet")
    return _of_silence(silence)


def may_free(now: datetime, drill: DrillSight, *, open_records: int, silence: timedelta | None) -> Ruling:
    """Whether our finalizer may be taken off a Drill: it is being deleted, and nothing of it is left to undo."""
    if not _deleted_long_enough(now, drill):
        return Ruling(False, "NotDeleted", "it is not being deleted, or the operator has its time still")
    if open_records:
        return Ruling(False, "RecordsOpen", f"{open_records} of its undo records are open")
    return _of_silence(silence)


def _of_absence(drill: DrillSight) -> Ruling:
    if drill.standing is Standing.GONE:
        return Ruling(True, "DrillGone", "its Drill is gone")
    return Ruling(True, "DrillsUnserved", "Drills are not served any more, so its Drill is gone")


def _of_silence(silence: timedelta | None) -> Ruling:
    if silence is None or silence < AWAY:
        return Ruling(False, "OperatorHeard", "the operator is there, or it is not known yet whether it is")
    return Ruling(True, "OperatorAway", f"its Drill is being deleted, and the operator is silent for {_ago(silence)}")


def _deleted_long_enough(now: datetime, drill: DrillSight) -> bool:
    return drill.deleted_at is not None and now - drill.deleted_at >= GRACE


def _ago(duration: timedelta) -> str:
    return f"{duration.total_seconds():.0f} s"

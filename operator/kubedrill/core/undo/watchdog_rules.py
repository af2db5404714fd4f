"""When the watchdog acts, and why: for one undo record, and for the Drill that it belongs to.

The watchdog acts where the operator should have acted and has not. It must neither wait for an operator that
will not come, nor cut a drill short because something could not be read: so every rule rests on what was seen
for certain, and what is unknown grants nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from kubedrill.core.undo.genuine import differs, fingerprint
from kubedrill.core.undo.record import RecordState, UndoRecord

GRACE: Final = timedelta(seconds=10)
"""How long the operator has for what it must do at once."""
SILENT: Final = timedelta(minutes=2)
"""Operator's silence after which its drills are put back."""
AWAY: Final = timedelta(seconds=15)
"""Operator's silence, three beats, after which nobody else will tell a Drill's end."""


DIFFERS: Final = "RecordDiffers"


class DrillPresence(StrEnum):
    """What one look at a Drill has told. Gone: the API server knows no such object, or another under its name.

    Unserved: it does not know the kind, because the CRD is gone, or for a moment after its own start.
    """

    THERE = "There"
    GONE = "Gone"
    UNSERVED = "Unserved"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class DrillSeen:
    """What is known of a Drill. `deleted_at` is the server's; the durations are counted by whoever looks.

    `noted` are the fingerprints of its open undo records, as the Drill has noted them when they were stored.
    """

    standing: DrillPresence
    deleted_at: datetime | None = None
    stopping_for: timedelta | None = None
    unserved_for: timedelta | None = None
    noted: Mapping[str, str] = field(default_factory=dict)

    @property
    def gone(self) -> bool:
        """Whether nobody will ever read its status again."""
        return self.standing is DrillPresence.GONE or (self.unserved_for or timedelta(0)) >= GRACE


@dataclass(frozen=True, slots=True)
class Judgement:
    """A decision: whether to act, a reason in CamelCase and a sentence for people."""

    granted: bool
    reason: str
    message: str


def may_revert(record: UndoRecord, now: datetime, drill: DrillSeen, silence: timedelta | None) -> Judgement:
    """Whether the watchdog puts back what a record tells of.

    Args:
        record: the undo record.
        now: the API server's time.
        drill: what is known of its Drill.
        silence: for how long the operator has not been heard; None when that is unknown.
    """
    if record.state is RecordState.REVERTED:
        return Judgement(False, "Reverted", "it is restored already")
    if differs(fingerprint(record), drill.noted.get(record.name, "")):
        return Judgement(False, DIFFERS, "it says something else than when its Drill noted it: it is not carried out")
    if drill.gone:
        return _of_absence(drill)
    if now - record.deadline >= GRACE:
        return Judgement(True, "DeadlinePast", f"its deadline was {_ago(now - record.deadline)} ago")
    if _deleted_long_enough(now, drill):
        return Judgement(True, "DrillDeleted", "its Drill is being deleted, and the operator has not restored it")
    if drill.stopping_for is not None and drill.stopping_for >= GRACE:
        return Judgement(
            True, "StopWanted", f"a stop is wanted for {_ago(drill.stopping_for)} and the operator has not restored it"
        )
    if silence is not None and silence >= SILENT:
        return Judgement(True, "OperatorSilent", f"the operator has not been heard for {_ago(silence)}")
    if drill.standing is DrillPresence.UNKNOWN:
        return Judgement(False, "DrillUnknown", "its Drill can't be read; that proves nothing")
    if drill.standing is DrillPresence.UNSERVED:
        return Judgement(False, "DrillsUnserved", "Drills are not served; that may be the API server's start")
    return Judgement(False, "DrillIsOn", "its drill is in play, and the operator looks after it")


def may_close(drill: DrillSeen) -> Judgement:
    """Whether a Reverted record may be deleted: once its Drill is gone.

    While the Drill is there, its outcome is to stand in the Drill's status first. A record that had gone before
    that would be one that somebody has removed while its fault may be in. So of a Drill that is being deleted, the
    finalizer goes first.
    """
    if drill.gone:
        return _of_absence(drill)
    return Judgement(False, "OutcomeUntold", "the operator has yet to record its outcome in the Drill's status")


def may_free(
    now: datetime, drill: DrillSeen, *, open_records: int, silence: timedelta | None, unverified: int = 0
) -> Judgement:
    """Whether our finalizer may be taken off a Drill: it is being deleted, and nothing of it is left to undo.

    Args:
        now: the API server's time.
        drill: what is known of the Drill.
        open_records: how many of its undo records are not Reverted, those that can't be read among them.
        silence: for how long the operator has not been heard; None when that is unknown.
        unverified: how many of its faults may be in without a record, and nobody has accepted that.
    """
    if not _deleted_long_enough(now, drill):
        return Judgement(False, "NotDeleted", "it is not being deleted, or the operator still has time")
    if open_records:
        return Judgement(False, "RecordsOpen", f"{open_records} of its undo records are open")
    if unverified:
        return Judgement(False, "Unverified", f"the undo records of {unverified} of its faults are gone, not by us")
    return _of_silence(silence)


def _of_absence(drill: DrillSeen) -> Judgement:
    if drill.standing is DrillPresence.GONE:
        return Judgement(True, "DrillGone", "its Drill is gone")
    return Judgement(True, "DrillsUnserved", "Drills are not served any more, so its Drill is gone")


def _of_silence(silence: timedelta | None) -> Judgement:
    if silence is None or silence < AWAY:
        return Judgement(False, "OperatorHeard", "the operator is there, or it is not known yet whether it is")
    return Judgement(
        True, "OperatorAway", f"its Drill is being deleted, and the operator is silent for {_ago(silence)}"
    )


def _deleted_long_enough(now: datetime, drill: DrillSeen) -> bool:
    return drill.deleted_at is not None and now - drill.deleted_at >= GRACE


def _ago(duration: timedelta) -> str:
    return f"{duration.total_seconds():.0f} s"

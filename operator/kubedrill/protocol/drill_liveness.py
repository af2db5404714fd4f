"""What is seen of Drills, look after look, by whoever puts back what the operator has left.

"Gone" is a 404 about that very object, or another UID under its name. A 404 that is not about the object says
that the kind is not served: its CRD is gone, or the API server has just been started; only time tells which,
so that time is counted here. A 403, a 5xx or no answer says nothing at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from kubedrill.api.drill import Desired
from kubedrill.core.evidence.timestamps import instant
from kubedrill.core.machine.desired import desired_of
from kubedrill.core.machine.state import state_from_wire
from kubedrill.core.undo.record import DrillIdentity
from kubedrill.core.undo.watchdog_rules import DrillPresence, DrillSeen
from kubedrill.kube.client import Answer, Kube, Unreachable
from kubedrill.kube.refusals import is_not_found
from kubedrill.protocol.drills import drill_path


def standing_of(drill: DrillIdentity, answer: Answer) -> DrillPresence:
    """What the answer to a GET of a Drill says about it."""
    if answer.ok:
        uid = (answer.body.get("metadata") or {}).get("uid")  # an answer cut to pieces by a proxy has none
        return DrillPresence.UNKNOWN if uid is None else DrillPresence.THERE if uid == drill.uid else DrillPresence.GONE
    if is_not_found(answer, "drills", drill.name):
        return DrillPresence.GONE
    return DrillPresence.UNSERVED if answer.status == 404 else DrillPresence.UNKNOWN


def deleted_at(metadata: Mapping[str, Any]) -> datetime | None:
    """Since when an object is being deleted, by the API server's clock, cut to the second."""
    stamp = metadata.get("deletionTimestamp")
    return instant(stamp) if stamp else None


def noted_in(drill: Mapping[str, Any]) -> Mapping[str, str]:
    """The fingerprints of a Drill's open undo records, by name, as its status has them.

    A status that is none (no operator wrote it) notes nothing.
    """
    try:
        state = state_from_wire((drill.get("status") or {}).get("machine"))
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}
    return {f.record: f.fingerprint for f in state.faults if f.fingerprint and f.record not in state.closed}


class DrillLiveness:
    """The looks of one process. How long something has been so is counted from our own first look at it."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._stopping: dict[str, float] = {}
        self._unserved: dict[str, float] = {}

    async def look(self, kube: Kube, drill: DrillIdentity) -> DrillSeen:
        """One live look at a Drill. No answer leaves it unknown."""
        try:
            answer = await kube.get(drill_path(drill.namespace, drill.name))
        except Unreachable:
            self._unserved.pop(drill.uid, None)
            return DrillSeen(DrillPresence.UNKNOWN)
        return self.sighted(drill, answer)

    def sighted(self, drill: DrillIdentity, answer: Answer) -> DrillSeen:
        """Takes in the answer to a GET of a Drill."""
        standing = standing_of(drill, answer)
        unserved_for = self._counted(self._unserved, drill.uid, holds=standing is DrillPresence.UNSERVED)
        if standing is not DrillPresence.THERE:
            return DrillSeen(standing, unserved_for=unserved_for)
        stops = desired_of(answer.body) is Desired.STOP
        stopping_for = self._counted(self._stopping, drill.uid, holds=stops)
        return DrillSeen(standing, deleted_at(answer.body["metadata"]), stopping_for, noted=noted_in(answer.body))

    def keep(self, uids: Collection[str]) -> None:
        """Forgets all Drills but these."""
        for since in (self._stopping, self._unserved):
            for uid in since.keys() - set(uids):
                del since[uid]

    def _counted(self, since: dict[str, float], uid: str, *, holds: bool) -> timedelta | None:
        if not holds:
            since.pop(uid, None)
            return None
        now = self._monotonic()
        return timedelta(seconds=now - since.setdefault(uid, now))

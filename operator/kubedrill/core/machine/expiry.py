"""When an ended drill is deleted (`spec.ttlAfterFinished`): never before all of it is put back and told.

With the Drill go its status and its evidence; its report stays. So one that is not verified to be restored is kept, and
so is one that no report tells of: people have to look at it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from kubedrill.api.drill_status import FaultStep
from kubedrill.api.durations import askable_duration, parse_duration
from kubedrill.core.machine.phases import TERMINAL
from kubedrill.core.machine.state import Observation, State
from kubedrill.core.undo.health import is_still_told
from kubedrill.core.undo.patches import FieldEnd

AGAIN: Final = timedelta(minutes=1)
"""After what time it is tried again: the report may be readable again, or whoever refused may let the drill go."""
_BACK: Final = frozenset({FaultStep.REVERTED, FaultStep.PLANNED})
_NOT_BACK: Final = frozenset({FieldEnd.CARRIED_OVER, FieldEnd.NOT_RESTORED, FieldEnd.UNVERIFIED})


def ttl_of(spec: Mapping[str, Any]) -> timedelta | None:
    """How long a Drill stays after its end, by its spec as it is now; None: for ever, also when that can't be read."""
    text = spec.get("ttlAfterFinished")
    try:
        return parse_duration(askable_duration(text)) if isinstance(text, str) else None
    except ValueError:
        return None


def expires_at(state: State, ttl: timedelta | None) -> datetime | None:
    """The instant from which on an ended drill may be deleted, by its own state; None: it is kept."""
    if ttl is None or state.phase not in TERMINAL or state.since is None or state.restored is None:
        return None
    back = all(f.step in _BACK for f in state.faults) and all(o.outcome not in _NOT_BACK for o in state.outcomes)
    return state.since + ttl if back and state.reported else None


def is_expired(state: State, seen: Observation) -> bool:
    """Whether its time is over, and nobody has deleted it yet."""
    due = expires_at(state, seen.ttl)
    return due is not None and due <= seen.now and not seen.deleting


def is_done_with(state: State, seen: Observation) -> bool:
    """Whether nothing of it is left to be cleared away or told, and its report is there, with all that was imported."""
    left = seen.records or seen.finalizer or is_still_told(seen.health, state.since, seen.now)
    return not left and bool(seen.reported) and seen.imported == state.imported

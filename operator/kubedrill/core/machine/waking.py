"""When a drill is looked at again although nothing has happened that would wake it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from kubedrill.api.drill import Desired
from kubedrill.core.machine.expiry import AGAIN, is_expired
from kubedrill.core.machine.phases import TERMINAL, Phase
from kubedrill.core.machine.state import Observation, State
from kubedrill.core.undo.health import is_still_told

PROBE: Final = timedelta(seconds=1)
"""How often monitoring is asked while a drill is on: the usual scrape interval of a staging app."""
RETRY: Final = timedelta(seconds=1)
LOOK_AGAIN: Final = timedelta(seconds=2)
"""How often it is looked whether the workloads of an ended drill are well again."""
PREFLIGHT_AGAIN: Final = timedelta(seconds=2)
HELD_AGAIN: Final = timedelta(seconds=30)
"""How often it is looked around a drill that is held, for whoever reads its checks. Its start looks anew, at once."""
PATIENCE: Final = 4
"""Checks that have failed alike for so long are looked at again after a quarter of it, within these two bounds."""
MOST_FAILING: Final = 500


def wake_at(state: State, seen: Observation) -> datetime | None:
    """When to look again at the latest; None: when something happens."""
    if state.phase in TERMINAL:
        # a finalizer that could not be removed would keep the Drill for ever
        if seen.records or seen.finalizer:
            return seen.now + RETRY
        if is_still_told(seen.health, state.since, seen.now):
            return seen.now + LOOK_AGAIN
        return seen.now + AGAIN if is_expired(state, seen) else None
    if state.phase is Phase.PREFLIGHT:
        return seen.now + _patience(state, seen)
    if state.phase is Phase.HELD:
        return seen.now + HELD_AGAIN
    if state.phase in (Phase.RECOVERING, Phase.HOT_WASH):
        return seen.now + RETRY
    return seen.now + PROBE


def noted_failures(state: State, seen: Observation) -> State:
    """The state with which checks fail in the preflight, and since when it is these."""
    if state.phase is not Phase.PREFLIGHT:
        return replace(state, failing="", failing_since=None)
    failing = ", ".join(sorted(f"{c.name} {c.reason}" for c in seen.checks if not c.ok))[:MOST_FAILING]
    if failing == state.failing and state.failing_since is not None:
        return state
    return replace(state, failing=failing, failing_since=seen.now)


def _patience(state: State, seen: Observation) -> timedelta:
    """A drill that is to run is decided within a minute; one that is only held or planned may fail for days."""
    if seen.desired is Desired.RUN or state.failing_since is None:
        return PREFLIGHT_AGAIN
    return min(max(PREFLIGHT_AGAIN, (seen.now - state.failing_since) / PATIENCE), HELD_AGAIN)

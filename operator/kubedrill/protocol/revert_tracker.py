"""How the undos of a drill stand: which are waited for, which are stuck, and when each is tried again.

An undo is stuck when the API server refuses it, or when it has not succeeded for STUCK_AFTER although nothing
that takes its time by nature (jobs that drain, pods that leave, a facilitator who is asked) explains that. It
is kept in memory, so that it is told (metric, Event) even when nothing can be written to the cluster; it is
never given up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from kubedrill.core.undo.record import DRAINING
from kubedrill.protocol.outcomes import Reversal, RevertOutcome
from kubedrill.protocol.outside import AWAITING_CONFIRMATION
from kubedrill.protocol.revert import CLEAN_UP_REFUSED, PODS_LEAVING

EXPECTED: Final = frozenset({DRAINING, PODS_LEAVING, CLEAN_UP_REFUSED, AWAITING_CONFIRMATION})
"""Reasons of an undo that goes on as it should and takes its time."""
STUCK_AFTER: Final = timedelta(seconds=30)
SOON: Final = timedelta(seconds=5)
"""The longest back-off until an undo is stuck: a short outage costs no more than this."""
LONGEST_BACK_OFF: Final = timedelta(seconds=30)
TURNS_FAIL: Final = "TurnsFail"
UNVERIFIED: Final = "UndoUnverified"


@dataclass(frozen=True, slots=True)
class RevertProblem:
    """What is in an undo's way since when; `refused` when trying again alone won't help."""

    reason: str
    message: str
    since: datetime
    refused: bool = False

    def is_stuck(self, now: datetime) -> bool:
        """Whether it has lasted for longer than it is waited for."""
        return self.refused or now - self.since >= STUCK_AFTER

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"


@dataclass(slots=True)
class RevertTracker:
    """The undos of one drill, by the name of their record. Every time is by the reference clock."""

    _troubles: dict[str, RevertProblem] = field(default_factory=dict)
    _held_up: dict[str, RevertProblem] = field(default_factory=dict)
    _expected: dict[str, str] = field(default_factory=dict)
    _tries: dict[str, tuple[datetime, timedelta]] = field(default_factory=dict)
    _told: set[tuple[str, str]] = field(default_factory=set)
    _doubted: frozenset[str] = frozenset()

    def is_due(self, name: str, now: datetime) -> bool:
        """Whether an undo may be tried (again) now."""
        due, _ = self._tries.get(name, (now, timedelta(0)))
        return now >= due

    def tried(self, name: str, outcome: RevertOutcome, now: datetime) -> None:
        """Takes in what a try came to, and settles when the next one is due."""
        if outcome.state is Reversal.REVERTED:
            self.done(name)
        elif outcome.reason in EXPECTED:
            self._troubles.pop(name, None)
            self._expected[name] = outcome.message
            self._tries[name] = (now + outcome.after, timedelta(0))
        else:
            self.troubled(name, outcome.reason, outcome.message, now, refused=outcome.state is Reversal.STALLED)
            longest = LONGEST_BACK_OFF if self._troubles[name].is_stuck(now) else SOON
            _, before = self._tries.get(name, (now, timedelta(0)))
            # what the API server asks for (Retry-After) may be longer than our own back-off
            wait = max(outcome.after, min(before * 2, longest))
            self._tries[name] = (now + wait, wait)

    def troubled(self, name: str, reason: str, message: str, now: datetime, *, refused: bool = False) -> None:
        """Something is in an undo's way: since now, unless something was before."""
        before = self._troubles.get(name)
        self._expected.pop(name, None)
        self._troubles[name] = RevertProblem(reason, message, before.since if before else now, refused)

    def doubted(self, found: Mapping[str, str], now: datetime) -> None:
        """What can't be verified now, by its record or fault, and why; what was doubted before and is not is over."""
        for name in self._doubted - found.keys():
            self.done(name)
        for name, why in found.items():
            self.troubled(name, UNVERIFIED, why, now, refused=True)
        self._doubted = frozenset(found)

    def done(self, name: str) -> None:
        """An undo has succeeded: nothing of it is stuck, and a new trouble is told anew."""
        for known in (self._troubles, self._expected, self._tries):
            known.pop(name, None)
        self._told -= {(n, reason) for n, reason in self._told if n == name}

    def keep(self, names: Iterable[str]) -> None:
        """Forgets all undos but these."""
        for name in {*self._troubles, *self._expected, *self._tries} - set(names):
            self.done(name)

    def held_up(self, names: Iterable[str], message: str, now: datetime) -> None:
        """No turn succeeds, so nobody gets to these undos."""
        for name in names:
            before = self._held_up.get(name)
            self._held_up[name] = RevertProblem(TURNS_FAIL, message, before.since if before else now)

    def proceeds(self) -> None:
        """A turn has succeeded."""
        self._held_up.clear()
        self._told = {(name, reason) for name, reason in self._told if reason != TURNS_FAIL}

    def stuck(self, now: datetime) -> dict[str, str]:
        """The undos that are stuck, and why."""
        return {name: str(trouble) for name, trouble in self._both().items() if trouble.is_stuck(now)}

    def waiting(self, now: datetime) -> dict[str, str]:
        """What the undos wait for that are not stuck."""
        troubles = {name: t.message for name, t in self._troubles.items() if not t.is_stuck(now)}
        return self._expected | troubles

    def untold(self, now: datetime) -> dict[str, RevertProblem]:
        """The stuck undos of which an Event is due: one for each record and reason."""
        return {name: t for name, t in self._both().items() if t.is_stuck(now) and (name, t.reason) not in self._told}

    def told(self, name: str, trouble: RevertProblem) -> None:
        """The Event was sent."""
        self._told.add((name, trouble.reason))

    def _both(self) -> dict[str, RevertProblem]:
        """The trouble of each undo itself comes before that of the turns."""
        return self._held_up | self._troubles

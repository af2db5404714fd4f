"""The inbox of a drill: facts as they come in, each once, until the next turn takes them."""

from __future__ import annotations

from collections.abc import Iterable

from kubedrill.core.evidence.facts import Fact


class FactInbox:
    """Facts not yet taken, without those that were seen before (the same id is the same thing)."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known = set(known)
        self._waiting: list[Fact] = []

    def add(self, facts: Iterable[Fact]) -> bool:
        """Puts facts in. True when any of them is new."""
        before = len(self._waiting)
        for fact in facts:
            if fact.id not in self._known:
                self._known.add(fact.id)
                self._waiting.append(fact)
        return len(self._waiting) > before

    def drain(self) -> tuple[Fact, ...]:
        """Takes everything out, in the order in which it came."""
        taken, self._waiting = tuple(self._waiting), []
        return taken

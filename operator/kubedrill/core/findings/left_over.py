"""What players changed and did not change back: the one place that tells, for findings and for the proof."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kubedrill.core.evidence.attribution import changes_of_players
from kubedrill.core.evidence.facts import Fact, FactKind, in_order

REPLICAS = "/spec/replicas"


@dataclass(frozen=True, slots=True)
class LeftOver:
    """A field that a player changed: as it was before the first of them, and as it was last seen.

    `back` is the change that ended it, where there was one: then it is `before` again. `changes` are all of it.
    """

    target: str
    path: str
    before: str
    after: str
    changes: tuple[Fact, ...]
    back: Fact | None = None

    @property
    def by(self) -> str:
        """Who changed it last, of those who are known."""
        return next(f.actor for f in reversed(self.changes) if f.actor)

    def __str__(self) -> str:
        return f"{field_words(self.path)} of {self.target} is {self.after}, was {self.before}"


def left_over(facts: Iterable[Fact], touched: Iterable[tuple[str, str]] = ()) -> tuple[LeftOver, ...]:
    """Every field that players changed, in the order in which they began to, those too that are as before again.

    `touched` are the targets and paths that the drill itself wrote: what became of these its restore tells. A change
    of which nobody knows what was there before proves nothing.
    """
    known, own = tuple(facts), frozenset(touched)
    begun = dict.fromkeys(where for f in changes_of_players(known) if (where := _where(f)) not in own)
    changes: dict[tuple[str, str], list[Fact]] = {}
    for fact in in_order(known, FactKind.SCALED, FactKind.TARGET_CHANGED):
        if _where(fact) in begun:
            changes.setdefault(_where(fact), []).append(fact)
    found = (_of(*where, tuple(changes.get(where, ()))) for where in begun)
    return tuple(one for one in found if one is not None)


def _of(target: str, path: str, changes: tuple[Fact, ...]) -> LeftOver | None:
    known = [f for f in changes if f.detail.get("before") is not None or f.detail.get("after") is not None]
    start = next((n for n, f in enumerate(known) if f.actor and "before" in f.detail), None)
    if start is None:
        return None
    before, last = str(known[start].detail["before"]), known[-1]
    after = str(last.detail.get("after"))
    return LeftOver(target, path, before, after, changes, last if after == before else None)


def _where(change: Fact) -> tuple[str, str]:
    path = REPLICAS if change.kind is FactKind.SCALED else str(change.detail.get("path", ""))
    return str(change.detail.get("target") or "the workload"), path


def field_words(pointer: str) -> str:
    """`/spec/template/spec/containers/0/resources/limits/memory` as people call it: `limits.memory`."""
    *_, group, name = ["", *pointer.strip("/").split("/")]
    return name if group in ("", "spec", "metadata", "data") else f"{group}.{name}"

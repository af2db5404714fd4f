"""What the witness was told is only asked for: a change counts when the object confirms it.

The API server asks its admission webhooks before it stores a write. What they are told names the user, and is exact,
but the write may still be refused by somebody else, or lose against another one. So an attempt says nothing by itself.
It gives its user to the watched change that it fits: the same object in the same version, with the same values. Where
the attempts of two users fit one change, nobody knows whose it was.

It never says when: between the question and the write there may be other webhooks. The watch says that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from itertools import chain

from kubedrill.core.evidence.facts import Fact, FactKind, FactSet, Interval, Source, in_order

WATCHES = frozenset({Source.TARGET_WATCH, Source.POD_WATCH})
"""Sources that see what became of a write, and not whose request it was."""
SOON = timedelta(seconds=1)
"""How much later than its question a write may be seen that does not say which version it made (`scale`)."""


class Attempt(StrEnum):
    """What is asked for. An update says which version it makes; a scale only the replicas."""

    UPDATE = "update"
    SCALE = "scale"
    DELETE = "delete"


def confirmed(facts: FactSet) -> FactSet:
    """The facts with the users of those changes that attempts explain, and the deletions that were confirmed.

    An attempt that explains one is told by it; the others stay what they are: asked for, and not seen to be done.
    """
    attempts = in_order(facts, FactKind.ATTEMPTED)
    if not attempts:
        return facts
    taken: set[str] = set()
    known: dict[str, Fact] = {}
    for part in chain(_named(facts, attempts, taken), _deletions(facts, attempts, taken)):
        known[part.id] = part
    left = (known.pop(fact.id, fact) for fact in facts if fact.id not in taken)
    return FactSet([*left, *known.values()])


def is_told(fact: Fact) -> bool:
    """Whether the witness told of it: an attempt that was confirmed is told by the change."""
    return fact.source is Source.WITNESS or bool(fact.detail.get("witnessed"))


def _named(facts: FactSet, attempts: tuple[Fact, ...], taken: set[str]) -> Iterator[Fact]:
    """The parts of each change whose user is known, with it; the attempts that tell it are `taken`."""
    writes: dict[str, list[Fact]] = {}
    for fact in in_order(facts, FactKind.TARGET_CHANGED, FactKind.SCALED):
        if fact.source in WATCHES and "autoscaler" not in fact.detail:
            writes.setdefault(str(fact.detail["change"]), []).append(fact)
    for change, parts in writes.items():
        fitting = [attempt for attempt in attempts if _fits(attempt, change, parts)]
        if user := _only_user(fitting):
            taken.update(attempt.id for attempt in fitting)
            told = {"user": user, "witnessed": True}
            yield from (replace(part, detail={**part.detail, **told}) for part in parts)


def _fits(attempt: Fact, change: str, parts: list[Fact]) -> bool:
    """Whether a watched change is what was asked for: all of what changed, in the version that it would make."""
    if attempt.detail.get("verb") not in (Attempt.UPDATE, Attempt.SCALE):
        return False
    asked = {(str(field), str(value)) for field, value in attempt.detail["values"]}
    if not all((str(part.detail["field"]), str(part.detail["after"])) in asked for part in parts):
        return False
    if attempt.detail["verb"] == Attempt.UPDATE:
        return bool(attempt.detail["change"] == change)
    same = attempt.detail["target"] == parts[0].detail["target"]
    return same and _soon(attempt.at).intersection(parts[0].at) is not None


def _soon(asked: Interval) -> Interval:
    return Interval(asked.not_before, asked.not_after + SOON)


def _only_user(attempts: Iterable[Fact]) -> str:
    """The user of all of them; empty where there is none, or more than one."""
    users = {str(attempt.detail["user"]) for attempt in attempts}
    return users.pop() if len(users) == 1 else ""


def _deletions(facts: FactSet, attempts: tuple[Fact, ...], taken: set[str]) -> Iterator[Fact]:
    """The pods that somebody asked to delete, and that are gone since; what the audit log tells is not told again."""
    told = {pod for f in in_order(facts, FactKind.PODS_DELETED) for pod in f.detail.get("pods") or ()}
    for gone in in_order(facts, FactKind.POD_GONE):
        pod, uid = str(gone.detail["pod"]), gone.id.removeprefix("gone/")
        asked = [
            attempt for attempt in attempts if _is_of(attempt, pod, uid) and attempt.at.not_before <= gone.at.not_after
        ]
        user = _only_user(asked)
        if not user or pod in told:
            continue
        taken.update(attempt.id for attempt in asked)
        yield Fact(
            FactKind.PODS_DELETED,
            asked[0].at,
            Source.WITNESS,
            f"deleted/{uid}",
            evidence=f"{user} asked to delete pod {pod}, and it is gone",
            detail={"user": user, "pods": [pod], "change": f"Pod/{pod}@{uid[:8]}-gone", "witnessed": True},
        )


def _is_of(attempt: Fact, pod: str, uid: str) -> bool:
    """Whether it is about this pod: an eviction does not say which one of that name."""
    if attempt.detail.get("verb") != Attempt.DELETE:
        return False
    return attempt.detail["pod"] == pod and attempt.detail["uid"] in ("", uid)

"""Whose word counts for what. A word that does not is kept as one, noted with the reason.

Who says something is bound to who makes the request by a policy (`kubedrill-own-words`); what is left to judge needs to
know who plays. Two laws, for every source of words alike:

- *Nobody is credited by their own word.* A player who may also do what facilitators do attributes nothing to
  themselves, and observes nothing that is theirs or that nobody is named for: that would be their own team's.
- *One engages for one's own role.* That somebody joined as another level is the facilitator's to enter.

Words that are no evidence for anybody (a hint, a manual fault that was done or undone) are never weighed: a fault that
is undone is undone, whoever says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Final

from kubedrill.core.evidence.attribution import who_is
from kubedrill.core.evidence.facts import Fact, FactKind, FactSet, Source
from kubedrill.core.plan.drill_plan import KUBERNETES, Participant

OF_NOBODY: Final = frozenset({FactKind.CONFIRMED, FactKind.HINT_GIVEN, FactKind.NOTED})
UNCOUNTED: Final = "uncounted"
"""In a fact's detail: why it does not count."""
OWN_WORD: Final = "nobody is credited by their own word"


def counted(facts: Iterable[Fact], players: Collection[Participant]) -> FactSet:
    """The facts, those words among them that count for nobody as notes of who said them."""
    given = FactSet.of(facts)
    roles = {player.name: player.role for player in players}
    changed = {fact: note for fact in given if (note := _as_note(fact, players, roles)) is not None}
    return FactSet((given - changed.keys()) | set(changed.values())) if changed else given


def _as_note(fact: Fact, players: Collection[Participant], roles: Mapping[str, str]) -> Fact | None:
    if fact.source is Source.OBSERVER:
        return _of_observer(fact, players)
    if fact.kind is FactKind.ESCALATION_ENGAGED:
        return _engaged(fact, roles)
    return None


def _of_observer(fact: Fact, players: Collection[Participant]) -> Fact | None:
    """What was entered by a player who would be credited by it."""
    if fact.kind in OF_NOBODY:
        return None
    speaker = who_is(KUBERNETES, str(fact.detail.get("user", "")), players).player
    credited = str(fact.detail.get("to", "")) if fact.kind is FactKind.ATTRIBUTED else fact.actor
    return _noted(fact, speaker, "", OWN_WORD) if speaker and credited in ("", speaker) else None


def _engaged(fact: Fact, roles: Mapping[str, str]) -> Fact | None:
    """What a player said of a level that is not theirs."""
    level, role = str(fact.detail.get("level") or "").strip(), roles.get(fact.actor, "").strip()
    if not level or not role or level.casefold() == role.casefold():
        return None
    return _noted(fact, fact.actor, f" as {level}", f"{fact.actor} plays {role}, and one engages for one's own role")


def _noted(fact: Fact, speaker: str, what: str, why: str) -> Fact:
    evidence = f"{fact.evidence.rstrip('.')}. It does not count{what}: {why}"
    return replace(fact, kind=FactKind.NOTED, actor=speaker, evidence=evidence, detail={**fact.detail, UNCOUNTED: why})

"""Whether a diagnosis names what is really broken.

The ground truth is the scenario's; what that leaves out is the fault's own: the component that it breaks, and what
people call what it does. Where neither is known, whatever is named counts, for nothing contradicts it.

A diagnosis is right when what it names is so and it names something: the component, or the way in which it is broken,
in the fields or in the player's own words. Words that name neither are kept, and are no diagnosis: a machine can't
tell a paraphrase from a guess, so the facilitator enters one that was meant rightly.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from kubedrill.core.evidence.facts import Fact, Source
from kubedrill.core.plan.drill_plan import DrillPlan, FaultProfile

OF_FACILITATORS = frozenset({Source.OBSERVER, Source.TRANSCRIPT})
"""Whoever enters these has judged already that the cause was named."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What is really broken, and how: `called` are the names for that, ours first. Either may be unknown."""

    component: str = ""
    called: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " of ".join(part for part in ((self.called or ("",))[0], self.component) if part)


def causes(drill_plan: DrillPlan) -> tuple[Cause, ...]:
    """What a diagnosis may name, one for each fault that has a cause; empty where nobody has said what it is."""
    return ground_truth(drill_plan.profiles, drill_plan.component, drill_plan.fault_class)


def ground_truth(profiles: Iterable[FaultProfile], component: str, fault_class: str) -> tuple[Cause, ...]:
    """The causes of faults, where the scenario says these two; empty for what it leaves out."""
    of_faults = [Cause(p.component, p.called) for p in profiles if p.component or p.called] or [Cause()]
    found = (Cause(component or own.component, _names(fault_class, own.called)) for own in of_faults)
    return tuple(dict.fromkeys(cause for cause in found if cause != Cause()))


def _names(said: str, own: tuple[str, ...]) -> tuple[str, ...]:
    """The scenario's name for how it is broken; where the fault has it among its own, those mean the same."""
    if not said:
        return own
    return tuple(dict.fromkeys((said, *own))) if _plain(said) in map(_plain, own) else (said,)


def names_the_cause(fact: Fact, drill_plan: DrillPlan) -> bool:
    """Whether a fact of kind CauseIdentified names the cause, as far as it is known what that is."""
    component, fault_class, message = (
        str(fact.detail.get(key) or "") for key in ("component", "faultClass", "message")
    )
    named = bool(component or fault_class)
    if fact.source in OF_FACILITATORS and not named:
        return True
    known = causes(drill_plan)
    if not known:
        return named or bool(message.strip())
    return any(_names_it(component, fault_class, message, cause) for cause in known)


def _names_it(component: str, fault_class: str, message: str, cause: Cause) -> bool:
    judged = {_agrees(component, [cause.component]), _agrees(fault_class, cause.called)}
    if False in judged:
        return False
    return True in judged or mentions(message, cause.called or (cause.component,))


def _agrees(said: str, right: Iterable[str]) -> bool | None:
    """Whether what was said is one of the right names; None where nothing was said, or nothing is known."""
    known = {_plain(name) for name in right if name}
    return None if not said or not known else _plain(said.rpartition("/")[2]) in known


def mentions(message: str, names: Iterable[str]) -> bool:
    """Whether a message has one of these names in it, however its words are written and joined."""
    return any(name and _within_words(name).search(message) is not None for name in names)


@lru_cache(maxsize=256)
def _within_words(name: str) -> re.Pattern[str]:
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_]+", name) or [name]
    return re.compile(r"(?<!\w)" + r"[\W_]*".join(map(re.escape, words)) + r"s?(?!\w)", re.IGNORECASE)


def _plain(text: object) -> str:
    return "".join(c for c in str(text).lower() if c.isalnum())

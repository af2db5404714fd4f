"""What a report says otherwise than was said before: what a facilitator attributed, and what evidence came late."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from kubedrill.core.evidence.facts import Fact, FactKind, in_order
from kubedrill.core.measure.results import ObjectiveResult
from kubedrill.core.measure.verdicts import DrillVerdict


def attributions(facts: Iterable[Fact]) -> Iterator[str]:
    """A line for each change whose doing the facilitator has told."""
    for fact in in_order(facts, FactKind.ATTRIBUTED):
        to, why = str(fact.detail.get("to", "")), str(fact.detail.get("evidence", ""))
        yield f"{fact.detail.get('fact', 'a change')} was attributed to {to or 'nobody'}" + (f": {why}" if why else "")


def amendments(
    given: DrillVerdict | None,
    now: DrillVerdict | None,
    before: Mapping[str, str],
    objectives: Iterable[ObjectiveResult],
) -> Iterator[str]:
    """What evidence that came after the end has changed; nothing in the first report, whose verdict is the given one.

    `before` are the objectives' verdicts by name, as the Drill has them.
    """
    if given is None or now is None or given is now:
        return
    changed = [
        f"{o.name} was {before[o.name]} and is {o.verdict}"
        for o in objectives
        if before.get(o.name, o.verdict) != o.verdict
    ]
    with_it = f"With it, {'; '.join(changed)}" if changed else "It changed no objective"
    yield f"Evidence came after the drill had ended. {with_it}. Verdict at its end: {given.verdict}; now: {now.verdict}"

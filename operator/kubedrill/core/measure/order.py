"""What can't have been before what (docs/decisions/0029): the laws of order, in one place.

Nothing of a drill was before its injection. Its trouble is not over before it began, and not well again before it got
better. What people say is about something: said before that, it is early. It is kept and shown as early, and proves
nothing until the facilitator confirms it. All of this is certain or not said: where two intervals overlap, either
order is possible and nothing is early.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from kubedrill.core.evidence.attribution import CHANGES
from kubedrill.core.evidence.facts import Fact, FactKind, FactSet, Interval, first, in_order
from kubedrill.core.measure.results import By, Milestone, MilestoneName

ALERTS: Final = frozenset({FactKind.ALERT_PENDING, FactKind.ALERT_FIRING})
_NOT_BEFORE_THE_INJECTION: Final = (*ALERTS, FactKind.NOTIFIED, FactKind.PAGE_SENT, *CHANGES, FactKind.INTERFERENCE)
ABOUT: Final[Mapping[MilestoneName, MilestoneName]] = {
    MilestoneName.ACKNOWLEDGED: MilestoneName.ALERT_FIRED,
    MilestoneName.SEVERITY_ASSESSED: MilestoneName.ALERT_FIRED,
    MilestoneName.COMMAND_ASSUMED: MilestoneName.ALERT_FIRED,
    MilestoneName.ESCALATION_REQUESTED: MilestoneName.ALERT_FIRED,
    MilestoneName.ESCALATION_ENGAGED: MilestoneName.ALERT_FIRED,
    MilestoneName.CLIENT_NOTIFIED: MilestoneName.ALERT_FIRED,
    MilestoneName.CAUSE_IDENTIFIED: MilestoneName.ALERT_FIRED,
    MilestoneName.FIRST_CONTAINMENT: MilestoneName.INJECTED,
    MilestoneName.FIX_APPLIED: MilestoneName.INJECTED,
    MilestoneName.MITIGATED_DECLARED: MilestoneName.MITIGATED,
    MilestoneName.RESOLVED_DECLARED: MilestoneName.RECOVERED,
    MilestoneName.ALL_CLEAR_SENT: MilestoneName.RECOVERED,
}
"""What each thing that people say and do is about: before that it can't have been meant."""
Reached = Mapping[MilestoneName, Interval]


def of_this_drill(facts: Iterable[Fact]) -> FactSet:
    """The facts without alerts, pages and changes that were over before anything was injected."""
    known = FactSet.of(facts)
    injected = first(known, FactKind.FAULT_INJECTED)
    if injected is None:
        return known
    candidates = in_order(known, *_NOT_BEFORE_THE_INJECTION)
    over = frozenset(f for f in candidates if f.at.not_after < injected.at.not_before)
    if over and of_this_drill not in known.remembered:
        known.remembered[of_this_drill] = FactSet(known - over)
    return known.remembered[of_this_drill] if over else known


def early(name: MilestoneName, at: Interval, reached: Reached) -> str:
    """Why something is early: what it is about came later for certain, or was not seen. Empty where it is not."""
    about = ABOUT.get(name)
    if about is None:
        return ""
    if about not in reached:
        # where nobody saw the injection, as in a transcript, nothing can be before it
        return "" if about is MilestoneName.INJECTED else f"{about} was not seen"
    return f"before {about}" if at.not_after < reached[about].not_before else ""


def is_confirmed(at: Interval, actors: Iterable[str], observed: Iterable[Fact]) -> bool:
    """Whether the facilitator observed the same thing at that time, of one of these players or of nobody named."""
    whose = {"", *actors}
    return any(o.actor in whose and o.at.intersection(at) is not None for o in observed)


def once_begun(at: Interval, begun: Interval | None) -> Interval | None:
    """What is left of an interval from the beginning on; nothing when it was over before that."""
    if begun is None:
        return at
    return Interval(max(at.not_before, begun.not_before), at.not_after) if at.not_after >= begun.not_before else None


def recovered_after_mitigated(
    mitigated: Milestone | None, recovered: Milestone | None, begun: Interval | None, unseen: str
) -> tuple[Milestone, ...]:
    """Both in their order. What is well again has got better before.

    Where nobody saw when, it was between the beginning and the recovery; `unseen` says why no more is known.
    Of a recovery that only a person tells of, a fall that is measured later makes an early word.
    """
    if recovered is None or recovered.by is By.OPERATOR:
        return tuple(m for m in (mitigated, recovered) if m is not None)
    end = recovered.at.not_after
    if mitigated is not None and mitigated.at.not_before <= end:
        return replace(mitigated, at=Interval(mitigated.at.not_before, min(mitigated.at.not_after, end))), recovered
    if mitigated is not None and recovered.declared and not mitigated.declared:
        return mitigated, replace(recovered, early=f"before {MilestoneName.MITIGATED}")
    if begun is None or begun.not_before > end:
        return (replace(recovered, evidence=f"{recovered.evidence}; {unseen}"),)
    told = f"everything was well by then, so it had got better before; {unseen}"
    return replace(
        recovered, name=MilestoneName.MITIGATED, at=Interval(begun.not_before, end), evidence=told
    ), recovered

"""Findings on what nobody did: an alert that nobody answered, a page that nobody got."""

from __future__ import annotations

from collections.abc import Iterator

from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.findings.context import FindingContext, ids
from kubedrill.core.measure.milestone_table import MILESTONES, Charged
from kubedrill.core.measure.results import Finding, MilestoneName, ObjectiveResult, ObjectiveVerdict, Severity


def nobody_acted(case: FindingContext) -> Iterator[Finding]:
    """The alert fired, a limit of the players passed, and nothing is known that any of them did or said."""
    fired = case.milestone(MilestoneName.ALERT_FIRED)
    passed = [o for o in case.objectives if _never_came(o) and _is_of_people(o)]
    if fired is None or not passed or any(f.actor for f in case.facts):
        return
    paged, open_ones = case.milestone(MilestoneName.PAGED), case.of(FactKind.INTERFERENCE)
    known = "is known to have acted" if open_ones else "acted"
    yield Finding(
        "nobody-acted",
        Severity.CRITICAL if paged and not open_ones else Severity.IMPORTANT,
        "No player is known to have acted" if open_ones else "Nobody acted",
        f"The alert fired at {case.clock(fired.at)}, and no player {known} before play ended: no acknowledgement, no"
        f" word, no change. {_why(case, paged is not None, bool(open_ones))}",
        ids(fired, paged, open_ones[:3]),
    )


def _why(case: FindingContext, paged: bool, unattributed: bool) -> str:
    if unattributed:
        return "Somebody changed the target: kubectl drill attribute says whose doing that was."
    if not paged:
        return "No page was seen to go out: check how this alert reaches people before you train them."
    who = ", ".join(p.name for p in case.drill_plan.players) or "anybody"
    return f"A page went out: check that it reaches {who}, and that they know it is theirs to answer."


def nobody_acknowledged(case: FindingContext) -> Iterator[Finding]:
    """Somebody acted, and nobody said that they had it: two may work on it, or each relies on the other."""
    passed = [o for o in case.objectives if o.stop == MilestoneName.ACKNOWLEDGED and _never_came(o)]
    acted = [f for f in case.facts if f.actor]
    fired = case.milestone(MilestoneName.ALERT_FIRED)
    if not passed or not acted or fired is None:
        return
    earliest = min(acted, key=lambda f: (f.at.not_before, f.id))
    yield Finding(
        "nobody-acknowledged",
        Severity.IMPORTANT,
        "Nobody acknowledged the alert",
        f"{earliest.actor} was at work at {case.clock(earliest.at)}, and nobody acknowledged the alert of"
        f" {case.clock(fired.at)}. Whoever has it says so first: others stop looking, and the escalation waits.",
        ids(fired, earliest),
    )


def _never_came(o: ObjectiveResult) -> bool:
    """Its limit is certainly over, and it was not seen."""
    open_ends = o.upper is None and o.lower is not None and o.lower > o.limit
    return open_ends and o.verdict in (ObjectiveVerdict.MISSED, ObjectiveVerdict.INDETERMINATE)


def _is_of_people(o: ObjectiveResult) -> bool:
    kind = MILESTONES[MilestoneName(o.stop.partition("[")[0])]
    return kind.who is Charged.PEOPLE or kind.name in (MilestoneName.MITIGATED, MilestoneName.RECOVERED)

"""Findings that the evidence alone shows, without anybody's opinion: one rule, one function, one stable id.

A rule needs all its halves to be certain; where the order of two things is open it stays silent. Sentences
say what was seen and what to do differently, never who is to blame. What was done is looked at in
`response`, what was said in `communication`, what nobody did in `silence`, what the monitoring did in `monitoring`, and
what the drill did in `effect`.

Some rest on what was not seen, or not before something else. While some of a drill's evidence can't be read they are
not known: what would deny them may stand there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from kubedrill.core.evidence.facts import Fact, FactSet
from kubedrill.core.findings.communication import (
    client_told_us_first,
    engaged_without_taking_lead,
    false_all_clear,
    postmortem_owner_late,
    slow_updates,
    uncounted_word,
    wrong_diagnosis,
    wrong_severity,
)
from kubedrill.core.findings.context import FindingContext
from kubedrill.core.findings.effect import part_of_the_effect
from kubedrill.core.findings.monitoring import (
    alert_about_something_else,
    nobody_was_paged,
    page_came_late,
    rule_changed,
    slow_monitoring,
)
from kubedrill.core.findings.response import (
    before_its_clock,
    first_containment_had_no_effect,
    interference,
    leftovers_of_players,
    scaled_before_diagnosing,
    well_within_the_limits,
)
from kubedrill.core.findings.silence import nobody_acknowledged, nobody_acted
from kubedrill.core.measure.results import Finding, Milestone, ObjectiveResult, Severity
from kubedrill.core.plan.drill_plan import DrillPlan


def findings(
    facts: Iterable[Fact],
    milestones: Iterable[Milestone],
    objectives: Iterable[ObjectiveResult],
    drill_plan: DrillPlan,
    *,
    drill: str = "",
    unread: bool = False,
) -> tuple[Finding, ...]:
    """All findings, the weightiest first. `drill` is its name; `unread`: some of the drill's evidence can't be read."""
    case = FindingContext(FactSet.of(facts), tuple(milestones), tuple(objectives), drill_plan, drill)
    on_absence = [finding for rule in ON_ABSENCE for finding in rule(case)]
    found = [_not_known(on_absence)] if unread and on_absence else [] if unread else on_absence
    found += [finding for rule in ON_WHAT_WAS_SEEN for finding in rule(case)]
    return tuple(sorted(found, key=lambda f: list(Severity).index(f.severity)))


def _not_known(denied_by_nothing_read: list[Finding]) -> Finding:
    """What would be found if nothing else were there, where something else may be."""
    titles = "; ".join(dict.fromkeys(finding.title for finding in denied_by_nothing_read))
    return Finding(
        "not-known",
        Severity.MINOR,
        "What was not seen is not known",
        f"Some of the drill's evidence can't be read, and what would deny this may stand there, so it is not known"
        f" whether it is so: {titles}.",
        tuple(dict.fromkeys(of for finding in denied_by_nothing_read for of in finding.fact_ids)),
    )


Rule = Callable[[FindingContext], Iterator[Finding]]
ON_ABSENCE: Final[tuple[Rule, ...]] = (
    nobody_acted,
    nobody_acknowledged,
    scaled_before_diagnosing,  # nobody had read why
    first_containment_had_no_effect,  # nothing fell after it, or nothing else was done before
    client_told_us_first,  # nobody had told them
    engaged_without_taking_lead,  # they never said so
    slow_monitoring,  # no alert came earlier
    nobody_was_paged,  # nobody was told by another way
    page_came_late,  # nobody was told earlier
    part_of_the_effect,  # nothing more of it was seen
    alert_about_something_else,  # none of its kind fired about the fault
    false_all_clear,  # it had not recovered
    postmortem_owner_late,  # nobody was named earlier
    leftovers_of_players,  # nobody scaled it back
    slow_updates,  # nothing was said between two words
)
ON_WHAT_WAS_SEEN: Final[tuple[Rule, ...]] = (
    wrong_severity,
    wrong_diagnosis,
    uncounted_word,
    interference,
    rule_changed,
    before_its_clock,
    well_within_the_limits,
)

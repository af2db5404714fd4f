"""Findings that the evidence alone shows, without anybody's opinion: one rule, one function, one stable id.

A rule needs all its halves to be certain; where the order of two things is open it stays silent. Sentences
say what was seen and what to do differently, never who is to blame. What was done is looked at in
`response`, what was said in `communication`, what nobody did in `silence`.
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
from kubedrill.core.findings.response import (
    before_its_clock,
    first_containment_had_no_effect,
    interference,
    leftovers_of_players,
    scaled_before_diagnosing,
    slow_monitoring,
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
) -> tuple[Finding, ...]:
    """All findings, the weightiest first."""
    case = FindingContext(FactSet.of(facts), tuple(milestones), tuple(objectives), drill_plan)
    found = [finding for rule in RULES for finding in rule(case)]
    return tuple(sorted(found, key=lambda f: list(Severity).index(f.severity)))


RULES: Final[tuple[Callable[[FindingContext], Iterator[Finding]], ...]] = (
    nobody_acted,
    nobody_acknowledged,
    scaled_before_diagnosing,
    first_containment_had_no_effect,
    client_told_us_first,
    engaged_without_taking_lead,
    slow_monitoring,
    false_all_clear,
    wrong_severity,
    wrong_diagnosis,
    uncounted_word,
    postmortem_owner_late,
    leftovers_of_players,
    interference,
    slow_updates,
    before_its_clock,
    well_within_the_limits,
)

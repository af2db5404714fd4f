"""What alerts are about: trouble from before the drill, or another namespace, is not what the drill broke.

An alert fires when its condition has held for its rule's `for`. So one that fires soon after the injection may tell of
something older, and proves nothing of the fault.
"""

from __future__ import annotations

from dataclasses import dataclass

from kubedrill.core.evidence.facts import Fact, FactKind, FactSet, Source, first, in_order
from kubedrill.core.evidence.rule_changes import USUAL_EVALUATION, other_rules
from kubedrill.core.plan.drill_plan import DrillPlan


@dataclass(frozen=True, slots=True)
class NotThisDrills:
    """Why an alert that fired does not count for the drill. `open`: whether it was about the fault is not known."""

    why: str
    open: bool


def older_alerts(facts: FactSet, drill_plan: DrillPlan) -> frozenset[Fact]:
    """The alerts, pending and firing, whose condition held before anything was injected."""
    injected = first(facts, FactKind.FAULT_INJECTED)
    if injected is None:
        return frozenset()
    if older_alerts not in facts.remembered:
        since = injected.at.not_before
        pending = [f for f in in_order(facts, FactKind.ALERT_PENDING) if f.at.not_after < since]
        firing = in_order(facts, FactKind.ALERT_FIRING)
        by_rule = {f for f in firing if f.at.not_after - drill_plan.timing_of(f.detail.get("alert")).waits < since} | {
            f for f in firing if (began := _pending_before(f, facts)) and began.at.not_after < since
        }
        told_again = {f for f in firing if any(_same_firing(f, one, drill_plan) for one in by_rule)}
        facts.remembered[older_alerts] = frozenset({*pending, *by_rule, *told_again})
    found: frozenset[Fact] = facts.remembered[older_alerts]
    return found


def without_older_alerts(facts: FactSet, drill_plan: DrillPlan) -> FactSet:
    """The facts without alerts about trouble from before the injection."""
    older = older_alerts(facts, drill_plan)
    if older and without_older_alerts not in facts.remembered:
        facts.remembered[without_older_alerts] = FactSet(facts - older)
    found: FactSet = facts.remembered[without_older_alerts] if older else facts
    return found


def _pending_before(fired: Fact, facts: FactSet) -> Fact | None:
    """When the condition of a firing began to hold, as the history tells: an alert is pending until it fires."""
    if fired.source is not Source.PROMETHEUS:
        return None
    told = (
        f
        for f in in_order(facts, FactKind.ALERT_PENDING)
        if f.detail.get("alert") == fired.detail.get("alert")
        and f.detail.get("labels") == fired.detail.get("labels")
        and f.at.not_before <= fired.at.not_before
    )
    return max(told, key=lambda f: f.at.not_before, default=None)


def _same_firing(told: Fact, older: Fact, drill_plan: DrillPlan) -> bool:
    """Whether Alertmanager tells of a firing that the history knows better."""
    alert = told.detail.get("alert")
    if told.source is not Source.ALERTMANAGER or older.source is not Source.PROMETHEUS:
        return False
    apart = abs(told.at.not_before - older.at.not_before)
    return alert == older.detail.get("alert") and apart <= (drill_plan.timing_of(alert).every or USUAL_EVALUATION)


def not_this_drills(alert: str, facts: FactSet, drill_plan: DrillPlan) -> NotThisDrills | None:
    """What to say of an alert that fired about something else, or under another rule could not fire; None: nothing."""
    target = drill_plan.target_namespace
    elsewhere = [f for f in in_order(facts, FactKind.ALERT_ELSEWHERE) if f.detail.get("alert") == alert]
    by_label = next((f for f in elsewhere if f.detail.get("under")), None)
    if by_label is not None:
        namespace, under = by_label.detail.get("namespace"), by_label.detail.get("under")
        return NotThisDrills(
            f"{alert} fires, but about namespace {namespace}: {target} stands in its label {under}. Say so in"
            f" labels.namespace of a DrillEnvironment for {target}",
            open=True,
        )
    changes = other_rules(facts, alert)
    if changes and changes[-1].back is None:
        return NotThisDrills(f"{alert} did not fire: {changes[-1].seen.evidence}", open=True)
    older = older_alerts(facts, drill_plan)
    if any(f.detail.get("alert") == alert for f in in_order(older, FactKind.ALERT_FIRING)):
        return NotThisDrills(f"{alert} fired, but its condition held before the fault was injected", open=True)
    if elsewhere:
        others = ", ".join(dict.fromkeys(str(f.detail.get("namespace")) for f in elsewhere))
        return NotThisDrills(f"{alert} fires, but about namespace {others}, not about {target}", open=False)
    return None

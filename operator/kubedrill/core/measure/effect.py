"""When the faults had their effect: as their kinds see it, or as the alert about it shows (docs/decisions/0036)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from kubedrill.core.evidence.facts import FactKind, FactSet, Interval, in_order
from kubedrill.core.measure.results import By, Milestone, MilestoneName
from kubedrill.core.plan.drill_plan import DrillPlan


def with_effect(known: Iterable[Milestone], facts: FactSet, drill_plan: DrillPlan) -> Iterator[Milestone]:
    """The milestones with the effect as it was had first: seen whole, or shown by the alert before that."""
    known = tuple(known)
    whole, fired = (_named(name, known) for name in (MilestoneName.FAULT_EFFECTIVE, MilestoneName.ALERT_FIRED))
    shown = shown_by_alert(known, facts, drill_plan)
    late = whole is None or (fired is not None and whole.at.not_before > fired.at.not_after)
    if shown is None or not late:
        yield from known
        return
    yield from (m for m in known if m is not whole)
    yield shown


def shown_by_alert(known: Iterable[Milestone], facts: FactSet, drill_plan: DrillPlan) -> Milestone | None:
    """That the faults bit, as the alert that starts the clock shows it; nothing where it shows nothing.

    It fired about the target, for certain after the injection, and of a condition that did not hold before that
    (`known` and `facts` are without older alerts). So by the time at which its rule began to wait there was trouble. An
    alert that the drill itself holds up shows none, and what is done by hand is in once the facilitator says so.
    """
    known = tuple(known)
    injected, fired = (_named(name, known) for name in (MilestoneName.INJECTED, MilestoneName.ALERT_FIRED))
    if injected is None or fired is None or fired.at.not_before < injected.at.not_before:
        return None
    if drill_plan.clock_alert in drill_plan.announces or _is_to_be_done(facts, drill_plan):
        return None
    latest = max(fired.at.not_after - drill_plan.timing_of(drill_plan.clock_alert).waits, injected.at.not_before)
    return replace(
        fired,
        name=MilestoneName.FAULT_EFFECTIVE,
        at=Interval(injected.at.not_before, latest),
        by=By.AUTOMATION,
        evidence=f"{drill_plan.clock_alert} fired about it, so it had had an effect by then: {fired.evidence}",
    )


def _is_to_be_done(facts: FactSet, drill_plan: DrillPlan) -> bool:
    """Whether something is to be done by hand that the facilitator has not confirmed."""
    confirmed = in_order(facts, FactKind.CONFIRMED)
    done = {f.detail.get("fault") for f in confirmed if f.detail.get("step") == "Do"}
    return any(profile.asks and profile.fault not in done for profile in drill_plan.profiles)


def _named(name: MilestoneName, known: Iterable[Milestone]) -> Milestone | None:
    return next((m for m in known if m.name is name and not m.level), None)

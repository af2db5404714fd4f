"""Findings on the monitoring: whether it noticed, whether that was about the fault, and whether anybody was told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from kubedrill.api.durations import format_duration
from kubedrill.core.evidence.alert_onset import not_this_drills
from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.evidence.rule_changes import other_rules
from kubedrill.core.findings.context import FindingContext, ids, whole
from kubedrill.core.measure.alerting import NOT_OF_PEOPLE, SIGNS, of_clock_alert, withheld
from kubedrill.core.measure.results import Finding, MilestoneName, Severity

NOBODY_WAS_PAGED: Final = "nobody-was-paged"
"""The rule of the finding that nobody could know of the alert."""
LATE: Final = 4
"""A page that takes more than this part of the time in which people must answer it has taken it from them."""


def slow_monitoring(case: FindingContext) -> Iterator[Finding]:
    """From effect to alert it took longer than people are given to answer it. In real time: no pace there."""
    began, fired = case.milestone(MilestoneName.FAULT_EFFECTIVE), case.milestone(MilestoneName.ALERT_FIRED)
    limits = [o.within * case.drill_plan.pace for o in case.drill_plan.objectives if o.to == MilestoneName.ACKNOWLEDGED]
    if began is None or fired is None or not limits:
        return
    took = fired.at.not_before - began.at.not_after
    if took <= min(limits):
        return
    waits = case.drill_plan.timing_of(case.drill_plan.clock_alert).waits
    own = f" ({format_duration(waits)} of it is what its rule waits by itself)" if waits else ""
    yield Finding(
        "slow-monitoring",
        Severity.IMPORTANT,
        "Monitoring was slow to notice",
        f"The fault had its effect at {case.clock(began.at)}: the alert came {format_duration(whole(took))}"
        f" later{own}, more than the {format_duration(min(limits))} that people are given to answer it. None of"
        " their times shows that.",
        ids(began, fired),
    )


def nobody_was_paged(case: FindingContext) -> Iterator[Finding]:
    """The alert fired, and something kept Alertmanager from telling anybody."""
    fired, held = case.milestone(MilestoneName.ALERT_FIRED), withheld(case.facts, case.drill_plan)
    if fired is None or held is None:
        return
    acted = any(m.name in SIGNS and m.actor for m in case.milestones)
    so = "Who acted noticed it by themselves" if acted else "That nobody answered it is not held against anybody"
    yield Finding(
        NOBODY_WAS_PAGED,
        Severity.IMPORTANT,
        "Nobody was paged",
        f"{case.drill_plan.clock_alert} fired at {case.clock(fired.at)}, and nobody was paged: {held.evidence}. {so}.",
        ids(fired, held),
    )


def page_came_late(case: FindingContext) -> Iterator[Finding]:
    """Between alert and page went much of the time that people are given to answer. In real time: no pace there."""
    fired = case.milestone(MilestoneName.ALERT_FIRED)
    page = case.milestone(MilestoneName.PAGED) or case.milestone(MilestoneName.NOTIFIED)
    limits = [
        o.within
        for o in case.drill_plan.objectives
        if o.start == MilestoneName.ALERT_FIRED and o.to not in NOT_OF_PEOPLE
    ]
    if fired is None or page is None or not limits:
        return
    took = page.at.not_before - fired.at.not_after
    if took <= min(limits) / LATE:
        return
    routes = of_clock_alert(case.facts, case.drill_plan, FactKind.ALERT_ROUTED)
    waits = max((float(f.detail.get("waits") or 0) for f in routes), default=0.0)
    why = f" Its route waits {format_duration(timedelta(seconds=waits))} at first (group_wait)." if waits else ""
    yield Finding(
        "page-came-late",
        Severity.IMPORTANT,
        "The page came late",
        f"{page.name} came {format_duration(whole(took))} after the alert, of the {format_duration(min(limits))} in"
        f" which it must be answered (real time).{why} Until then nobody was told.",
        ids(fired, page, routes),
    )


def rule_changed(case: FindingContext) -> Iterator[Finding]:
    """Somebody edited or removed the rule of an expected alert while the drill was on."""
    injected = case.milestone(MilestoneName.INJECTED)
    for alert in case.drill_plan.alerts:
        for other in other_rules(case.facts, alert.name):
            if injected is None or other.seen.at.not_after < injected.at.not_before:
                continue
            back = f"until {case.clock(other.back)}" if other.back else "and it was not put back"
            yield Finding(
                "rule-changed",
                Severity.IMPORTANT,
                f"The rule of {alert.name} was changed",
                f"At {case.clock(other.seen.at)} {other.seen.evidence}, {back}. That the alert was silent meanwhile"
                " proves nothing.",
                ids(other.seen),
            )
            break


def alert_about_something_else(case: FindingContext) -> Iterator[Finding]:
    """An expected alert fired, but not about what the drill broke."""
    fired = {m.level or case.drill_plan.clock_alert for m in case.milestones if m.name is MilestoneName.ALERT_FIRED}
    for alert in case.drill_plan.alerts:
        why = None if alert.name in fired else not_this_drills(alert.name, case.facts, case.drill_plan)
        if why is not None:
            told = [f for f in case.of(FactKind.ALERT_ELSEWHERE) if f.detail.get("alert") == alert.name]
            yield Finding(
                "alert-about-something-else",
                Severity.IMPORTANT,
                f"{alert.name} fired about something else",
                f"{why.why}. It did not start the drill's clock.",
                ids(told),
            )

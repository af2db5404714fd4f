"""Why nothing tells whether the impact fell: then nobody is said to have missed it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from kubedrill.core.evidence.facts import Series
from kubedrill.core.plan.drill_plan import DrillPlan

LATE_STEPS: Final = 10
LATE: Final = timedelta(seconds=30)
"""Samples may be as late as this, or ten steps if that is longer: a scrape, an evaluation, a slow answer."""


def why_unmeasured(impact: Series, drill_plan: DrillPlan, since: datetime, until: datetime) -> str:
    """Why the impact's samples can't tell whether it fell between two instants; empty where they can.

    Where nothing is broken in the cluster, what people say is all that there is, and no samples are missing.
    """
    if drill_plan.people_only:
        return ""
    seen = impact.between(since, until).samples
    if not seen:
        return "there was no data of the impact, so that nothing tells whether it fell"
    last = seen[-1].at
    if until - last > max(LATE, LATE_STEPS * impact.step):
        return f"there was no data of the impact from {last:%H:%M:%S} UTC on, so that nothing tells whether it fell"
    if drill_plan.impact.alert and not any(sample.value > 0 for sample in impact.samples):
        return (
            f"the impact was 0 all the time: {drill_plan.impact.alert} fired about something that is not measured in"
            f" {drill_plan.target_namespace}"
        )
    return ""

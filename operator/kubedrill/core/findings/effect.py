"""A finding on the drill itself: that it was played with less trouble than was meant."""

from __future__ import annotations

from collections.abc import Iterator

from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.findings.context import FindingContext, ids
from kubedrill.core.measure.results import Finding, MilestoneName, Severity


def part_of_the_effect(case: FindingContext) -> Iterator[Finding]:
    """Play began with the alert, and of some fault not all of the effect was ever seen."""
    fired, effects = case.milestone(MilestoneName.ALERT_FIRED), case.of(FactKind.FAULT_EFFECTIVE)
    whole = [str(f.detail.get("fault") or "") for f in effects]
    injected = (str(f.detail.get("fault") or "") for f in case.of(FactKind.FAULT_INJECTED))
    partly = dict.fromkeys(name for name in injected if name and name not in whole)
    if fired is None or not partly or "" in whole:
        return
    yield Finding(
        "part-of-the-effect",
        Severity.MINOR,
        "Not all of the effect was seen",
        f"{case.drill_plan.clock_alert} fired at {case.clock(fired.at)}, and play began with it. Not all of the effect"
        f" of {', '.join(partly)} was seen before somebody changed the target, or play ended: there may have been less"
        " trouble than was meant.",
        ids(fired),
    )

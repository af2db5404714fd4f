"""Where the time went: one bar from the fault to recovery, each stretch charged to whom it belongs.

Monitoring is charged for noticing and paging, people for acting, the system for breaking and draining: so
that nobody on call is blamed for a slow alert rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from kubedrill.core.measure.results import DrillRecord, Milestone, MilestoneName
from kubedrill.plugins.reports.wording import span


class Charged(StrEnum):
    """To whom a stretch of time belongs."""

    SYSTEM = "system"
    MONITORING = "monitoring"
    PEOPLE = "people"


# Each stretch ends with a milestone; the stretch is charged by what had to happen for that milestone.
_STATIONS = {
    MilestoneName.INJECTED: ("fault", Charged.SYSTEM),
    MilestoneName.FAULT_EFFECTIVE: ("effect", Charged.SYSTEM),
    MilestoneName.ALERT_FIRED: ("alert", Charged.MONITORING),
    MilestoneName.PAGED: ("page", Charged.MONITORING),
    MilestoneName.ACKNOWLEDGED: ("ack", Charged.PEOPLE),
    MilestoneName.CAUSE_IDENTIFIED: ("cause", Charged.PEOPLE),
    MilestoneName.FIX_APPLIED: ("fix", Charged.PEOPLE),
    MilestoneName.MITIGATED: ("impact falls", Charged.SYSTEM),
    MilestoneName.RECOVERED: ("recovered", Charged.SYSTEM),
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """From one station to the next: its bounds in scenario time, its share of the whole bar in percent."""

    start: str
    end: str
    charged: Charged
    took: str
    share: float


@dataclass(frozen=True, slots=True)
class Charge:
    """What one of the three was charged in all, in percent of the bar."""

    charged: Charged
    share: float


def stretches(record: DrillRecord) -> tuple[Stretch, ...]:
    """The bar's stretches in order of time; a station never reached leaves its time to the next one."""
    passed = _passed(record)
    if len(passed) < 2:
        return ()
    whole = (_middle(passed[-1]) - _middle(passed[0])) or timedelta(seconds=1)
    fixed = False
    made = []
    for before, after in pairwise(passed):
        label, charged = _STATIONS[after.name]
        fixed = fixed or after.name is MilestoneName.FIX_APPLIED
        # Without a fix on record, the way to the falling impact is not the system's own.
        if after.name is MilestoneName.MITIGATED and not fixed:
            charged = Charged.PEOPLE
        lower = max(after.at.not_before - before.at.not_after, timedelta(0))
        took = span(lower * record.pace, (after.at.not_after - before.at.not_before) * record.pace)
        share = 100 * ((_middle(after) - _middle(before)) / whole)
        made.append(Stretch(_STATIONS[before.name][0], label, charged, took, share))
    return tuple(made)


def charges(bar: tuple[Stretch, ...]) -> tuple[Charge, ...]:
    """The sum for each of the three, in the order in which they come into play."""
    return tuple(Charge(c, sum(s.share for s in bar if s.charged is c)) for c in Charged)


def _passed(record: DrillRecord) -> list[Milestone]:
    order = list(_STATIONS)
    reached = (m for m in record.milestones if m.name in _STATIONS)
    return sorted(reached, key=lambda m: (_middle(m), order.index(m.name)))


def _middle(milestone: Milestone) -> datetime:
    return milestone.at.not_before + milestone.at.width / 2

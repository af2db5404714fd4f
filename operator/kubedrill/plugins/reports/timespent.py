"""Where the time went: one bar from the fault to the end of play, each stretch charged to whom it belongs.

Monitoring is charged for noticing and paging, people for acting, the system for breaking and draining: so that nobody
on call is blamed for a slow alert rule. What the drill's own restore brought about is no station: where nobody had
made it well the bar ends with play, and the last stretch is that of whoever was to go on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Final

from kubedrill.core.evidence.facts import Interval
from kubedrill.core.findings.monitoring import NOBODY_WAS_PAGED
from kubedrill.core.measure.milestone_table import MILESTONES, Charged
from kubedrill.core.measure.results import By, DrillRecord, Milestone, MilestoneName
from kubedrill.plugins.reports.wording import span

SHOWN: Final = (Charged.SYSTEM, Charged.MONITORING, Charged.PEOPLE)
TO_SYSTEM: Final = (MilestoneName.FIX_APPLIED, MilestoneName.MITIGATED)


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


@dataclass(frozen=True, slots=True)
class _Station:
    label: str
    at: Interval
    charged: Charged


def stretches(record: DrillRecord) -> tuple[Stretch, ...]:
    """The bar's stretches in order of time; a station never reached leaves its time to the next one."""
    passed = list(_stations(record))
    if len(passed) < 2:
        return ()
    whole = (passed[-1].at.middle - passed[0].at.middle) or timedelta(seconds=1)
    made = []
    for before, after in pairwise(passed):
        lower = max(after.at.not_before - before.at.not_after, timedelta(0))
        took = span(lower * record.pace, (after.at.not_after - before.at.not_before) * record.pace)
        share = 100 * ((after.at.middle - before.at.middle) / whole)
        made.append(Stretch(before.label, after.label, after.charged, took, share))
    return tuple(made)


def charges(bar: tuple[Stretch, ...]) -> tuple[Charge, ...]:
    """The sum for each of the three, in the order in which they come into play."""
    return tuple(Charge(c, sum(s.share for s in bar if s.charged is c)) for c in SHOWN)


def _stations(record: DrillRecord) -> Iterator[_Station]:
    """The stations in order of time, and the end of play where nobody had made it well before."""
    reached = _reached(record)
    names = [m.name for m in reached]
    for m in reached:
        yield _Station(MILESTONES[m.name].station, m.at, _charged(m, names))
    if reached and MilestoneName.RECOVERED not in names and record.ended and record.ended > reached[-1].at.not_after:
        yield _Station("end of play", Interval.at(record.ended), _left_to(names, _is_withheld(record)))


def _reached(record: DrillRecord) -> list[Milestone]:
    order = list(MilestoneName)
    found = (m for m in record.milestones if MILESTONES[m.name].station and not m.level and m.by is not By.OPERATOR)
    return sorted(found, key=lambda m: (m.at.middle, order.index(m.name)))


def _charged(m: Milestone, reached: list[MilestoneName]) -> Charged:
    """Without a fix on record, the way to an impact that players made fall is not the system's own."""
    by_hand = m.name is MilestoneName.MITIGATED and MilestoneName.FIX_APPLIED not in reached[: reached.index(m.name)]
    own = m.by in (By.AUTOMATION, By.NOBODY)
    return Charged.PEOPLE if by_hand and not own else MILESTONES[m.name].who


def _is_withheld(record: DrillRecord) -> bool:
    return any(finding.rule == NOBODY_WAS_PAGED for finding in record.findings)


def _left_to(reached: list[MilestoneName], withheld: bool) -> Charged:
    """Who was to go on when play ended: the monitoring while it had told nobody, the system once it was fixed."""
    if any(name in TO_SYSTEM for name in reached):
        return Charged.SYSTEM
    if MilestoneName.ALERT_FIRED in reached:
        nobody_knew = withheld and not any(MILESTONES[name].who is Charged.PEOPLE for name in reached)
        return Charged.MONITORING if nobody_knew else Charged.PEOPLE
    return Charged.MONITORING if MilestoneName.FAULT_EFFECTIVE in reached else Charged.SYSTEM

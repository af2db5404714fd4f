"""The score, by a published formula, so that nobody has to guess what a percentage means.

    score = objectives met / objectives that apply

An objective applies when its clock started. Indeterminate counts as not met. The monitoring's own limits (up
to the page) are judged beside, not scored: people are not charged for configuration. All weigh the same. The
score speaks of one drill and these people, and of nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubedrill.core.measure.milestone_table import Charged, of
from kubedrill.core.measure.results import Finding, ObjectiveResult, ObjectiveVerdict, Severity

MONITORING = of(Charged.MONITORING)


def is_of_monitoring(objective: ObjectiveResult) -> bool:
    """Whether an objective is the monitoring's own, e.g. effect → alert."""
    return objective.stop.partition("[")[0] in MONITORING


def score_line(objectives: Iterable[ObjectiveResult], findings: Iterable[Finding] = ()) -> str:
    """`86 % (6 of 7 met)`; an open critical finding makes it *not ready* whatever the share."""
    counted = [o for o in objectives if not is_of_monitoring(o) and o.verdict is not ObjectiveVerdict.NOT_STARTED]
    if not counted:
        return "no objective applied"
    met = sum(o.verdict is ObjectiveVerdict.MET for o in counted)
    line = f"{round(100 * met / len(counted))} % ({met} of {len(counted)} met)"
    critical = [f.title for f in findings if f.severity is Severity.CRITICAL]
    return f"{line}; not ready: {'; '.join(critical)}" if critical else line

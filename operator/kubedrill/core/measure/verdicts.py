"""How objectives roll up to the drill's verdict: Error > Stopped > Failed > Inconclusive > Passed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kubedrill.core.measure.results import ObjectiveResult, ObjectiveVerdict, Verdict

WORST_FIRST: Final = (Verdict.ERROR, Verdict.STOPPED, Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.PASSED)
OF_OBJECTIVE: Final = {
    ObjectiveVerdict.MET: Verdict.PASSED,
    ObjectiveVerdict.MISSED: Verdict.FAILED,
    ObjectiveVerdict.INDETERMINATE: Verdict.INCONCLUSIVE,
    ObjectiveVerdict.NOT_STARTED: Verdict.INCONCLUSIVE,
    ObjectiveVerdict.PENDING: Verdict.INCONCLUSIVE,
}


def roll_up(objectives: Iterable[ObjectiveResult], decided: Verdict | None = None) -> Verdict:
    """The worst of what the objectives say and what the ending decided; nothing measured is no pass."""
    verdicts = {OF_OBJECTIVE[o.verdict] for o in objectives} or {Verdict.INCONCLUSIVE}
    if decided is not None:
        verdicts.add(decided)
    return min(verdicts, key=WORST_FIRST.index)

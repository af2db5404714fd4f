"""How objectives roll up to the drill's verdict: Error > Stopped > Failed > Inconclusive > Passed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from kubedrill.core.measure.results import Finding, ObjectiveResult, ObjectiveVerdict, Verdict
from kubedrill.core.measure.score import score_line

WORST_FIRST: Final = (Verdict.ERROR, Verdict.STOPPED, Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.PASSED)
OF_OBJECTIVE: Final = {
    ObjectiveVerdict.MET: Verdict.PASSED,
    ObjectiveVerdict.MISSED: Verdict.FAILED,
    ObjectiveVerdict.INDETERMINATE: Verdict.INCONCLUSIVE,
    ObjectiveVerdict.NOT_STARTED: Verdict.INCONCLUSIVE,
    ObjectiveVerdict.PENDING: Verdict.INCONCLUSIVE,
}
BY_OBJECTIVES: Final = {
    Verdict.FAILED: ("ObjectiveMissed", "missed"),
    Verdict.INCONCLUSIVE: ("ObjectiveIndeterminate", "can't be judged"),
}


@dataclass(frozen=True, slots=True)
class DrillVerdict:
    """A drill's verdict, why in one word for programs and one sentence for people, and its score.

    It is given once, by `give_verdict`, when the report is written. Status, reports, watch and exit codes take it.
    """

    verdict: Verdict
    reason: str
    message: str
    score: str = ""


def roll_up(objectives: Iterable[ObjectiveResult], decided: Verdict | None = None) -> Verdict:
    """The worst of what the objectives say and what the ending decided; nothing measured is no pass."""
    verdicts = {OF_OBJECTIVE[o.verdict] for o in objectives} or {Verdict.INCONCLUSIVE}
    if decided is not None:
        verdicts.add(decided)
    return min(verdicts, key=WORST_FIRST.index)


def give_verdict(
    objectives: Iterable[ObjectiveResult],
    findings: Iterable[Finding] = (),
    *,
    decided: Verdict | None = None,
    reason: str = "",
    message: str = "",
) -> DrillVerdict:
    """The verdict on a drill that has ended.

    `decided` is one that the ending itself settles, with its reason and message. Else those objectives give the reason
    that the verdict rests on.
    """
    judged = tuple(objectives)
    verdict, score = roll_up(judged, decided), score_line(judged, findings)
    if verdict is decided:
        return DrillVerdict(verdict, reason, message, score)
    if verdict not in BY_OBJECTIVES:
        return DrillVerdict(verdict, "AllObjectivesMet", "every objective was met", score)
    because, word = BY_OBJECTIVES[verdict]
    names = ", ".join(o.name for o in judged if OF_OBJECTIVE[o.verdict] is verdict)
    return DrillVerdict(verdict, because, f"{names} {word}" if names else "nothing was measured", score)

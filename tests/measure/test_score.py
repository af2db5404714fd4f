"""The score: a published formula."""

from __future__ import annotations

from datetime import timedelta

from kubedrill.core.measure.results import Finding, ObjectiveResult, ObjectiveVerdict, Severity
from kubedrill.core.measure.score import score_line


def result(verdict: ObjectiveVerdict, stop: str = "Acknowledged") -> ObjectiveResult:
    return ObjectiveResult("n", "AlertFired", stop, timedelta(minutes=5), verdict)


def test_it_is_the_share_of_what_applied_that_was_met_and_indeterminate_is_not_met():
    verdicts = [ObjectiveVerdict.MET] * 6 + [ObjectiveVerdict.INDETERMINATE, ObjectiveVerdict.NOT_STARTED]
    assert score_line(result(v) for v in verdicts) == "86 % (6 of 7 met)"


def test_the_monitorings_own_limit_is_nobodys_score():
    assert (
        score_line([result(ObjectiveVerdict.MISSED, "AlertFired"), result(ObjectiveVerdict.MET)])
        == "100 % (1 of 1 met)"
    )


def test_an_open_critical_finding_means_not_ready_whatever_the_share():
    critical = Finding("false-all-clear", Severity.CRITICAL, "The all clear was sent too early", "")
    line = score_line([result(ObjectiveVerdict.MET)], [critical])
    assert line == "100 % (1 of 1 met); not ready: The all clear was sent too early"


def test_nothing_that_applied_gives_no_number():
    assert score_line([]) == "no objective applied"

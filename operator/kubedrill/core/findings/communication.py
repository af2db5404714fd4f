"""Findings on what was said, to the client and to each other: when, whether it was so, or that it never was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Final

from kubedrill.api.durations import format_duration
from kubedrill.core.evidence.facts import FactKind, first
from kubedrill.core.evidence.testimony import UNCOUNTED
from kubedrill.core.findings.context import FindingContext, ids, whole
from kubedrill.core.measure.diagnosis import causes, names_the_cause
from kubedrill.core.measure.milestones import severity_rank
from kubedrill.core.measure.results import Finding, MilestoneName, Severity

POSTMORTEM_WITHIN: Final = timedelta(minutes=30)
"""In scenario time: who owns the review early collects evidence while it is fresh."""
UPDATE_EVERY: Final = timedelta(minutes=30)
"""In scenario time: how long a client may wait for the next word while the trouble lasts."""


def client_told_us_first(case: FindingContext) -> Iterator[Finding]:
    """The client complained before anybody had told them."""
    complained = first(case.facts, FactKind.CLIENT_COMPLAINED)
    told = first(case.facts, FactKind.CLIENT_NOTIFIED)
    if complained is None or (told is not None and told.at.not_before < complained.at.not_before):
        return
    answer = f"the first message to them left at {case.clock(told.at)}" if told else "nobody ever told them"
    yield Finding(
        "client-told-us-first",
        Severity.IMPORTANT,
        "The client told us first",
        f"The client complained at {case.clock(complained.at)}; {answer}. A short word when the severity is"
        " clear comes before the complaint.",
        ids(complained, told),
    )


def engaged_without_taking_lead(case: FindingContext) -> Iterator[Finding]:
    """Somebody joined, and nobody can tell from their words what they took on."""
    led = {f.actor for f in case.of(FactKind.LEAD_TAKEN, FactKind.COMMAND_ASSUMED)}
    for joined in case.milestones:
        if joined.name is not MilestoneName.ESCALATION_ENGAGED or not joined.actor or joined.actor in led:
            continue
        yield Finding(
            "engaged-without-taking-lead",
            Severity.MINOR,
            f"{joined.level or joined.actor} joined without saying so",
            f"{joined.level or joined.actor} engaged at {case.clock(joined.at)} and never said in words what"
            ' they take on. One sentence ("I have the technical lead") ends the doubt.',
            ids(joined),
        )


def false_all_clear(case: FindingContext) -> Iterator[Finding]:
    """All clear, or resolved, was said while it was certainly not over."""
    over = case.milestone(MilestoneName.RECOVERED)
    for kind, what in (
        (FactKind.RESOLVED_DECLARED, "Resolved was declared"),
        (FactKind.ALL_CLEAR_SENT, "The all clear was sent"),
    ):
        said = first(case.facts, kind)
        if said is None or (over is not None and said.at.not_after >= over.at.not_before):
            continue
        when = f"recovery began at {case.clock(over.at)}" if over else "recovery was never seen"
        yield Finding(
            "false-all-clear",
            Severity.CRITICAL,
            f"{what} too early",
            f"{what} at {case.clock(said.at)}, but {when}.",
            ids(said, over),
        )


def wrong_severity(case: FindingContext) -> Iterator[Finding]:
    """A level below the ground truth: too few people, too late."""
    right = severity_rank(case.drill_plan.severity)
    for said in case.of(FactKind.SEVERITY_ASSESSED):
        rank = severity_rank(said.detail.get("severity"))
        if right is not None and rank is not None and rank > right:
            yield Finding(
                "wrong-severity",
                Severity.IMPORTANT,
                "The severity was underrated",
                f"At {case.clock(said.at)} it was called {said.detail['severity']}. It was {case.drill_plan.severity}.",
                ids(said),
            )


def wrong_diagnosis(case: FindingContext) -> Iterator[Finding]:
    """Something else was called the cause: whoever believes it looks in the wrong place."""
    right = " or ".join(map(str, causes(case.drill_plan)))
    for said in case.of(FactKind.CAUSE_IDENTIFIED):
        named = said.detail.get
        words = [str(named(key)) for key in ("component", "faultClass", "message") if named(key)]
        if not right or not words or names_the_cause(said, case.drill_plan):
            continue
        who = said.actor or "somebody"
        yield Finding(
            "wrong-diagnosis",
            Severity.IMPORTANT,
            "A diagnosis did not name the cause",
            f"At {case.clock(said.at)} {who} called the cause “{', '.join(words)}”. It was {right}. If that is what was"
            f" meant, enter it: kubectl drill observe CauseIdentified --at TIME --by {said.actor or 'PLAYER'}.",
            ids(said),
        )


def uncounted_word(case: FindingContext) -> Iterator[Finding]:
    """Somebody said what somebody else would have had to say."""
    for said in case.of(FactKind.NOTED):
        if said.detail.get(UNCOUNTED):
            yield Finding(
                "uncounted-word",
                Severity.MINOR,
                "A word does not count",
                f"At {case.clock(said.at)}: {said.evidence}. A facilitator who does not play can enter what happened:"
                " kubectl drill observe, kubectl drill attribute.",
                ids(said),
            )


def postmortem_owner_late(case: FindingContext) -> Iterator[Finding]:
    """The owner of the post-mortem was named late, or never though the incident was over."""
    fired = case.milestone(MilestoneName.ALERT_FIRED)
    named = first(case.facts, FactKind.POSTMORTEM_ASSIGNED)
    resolved = case.milestone(MilestoneName.RESOLVED_DECLARED)
    if fired is None or (named is None and resolved is None):
        return
    allowed = POSTMORTEM_WITHIN / case.drill_plan.pace
    if named is not None and named.at.not_before - fired.at.not_after <= allowed:
        return
    when = f"was named only at {case.clock(named.at)}" if named else "was never named"
    yield Finding(
        "postmortem-owner-late",
        Severity.MINOR,
        "The post-mortem's owner came late" if named else "The post-mortem has no owner",
        f"Whoever writes the post-mortem {when}. Named by T+{format_duration(POSTMORTEM_WITHIN)}, they"
        " collect evidence while it is fresh.",
        ids(named, resolved),
    )


def slow_updates(case: FindingContext) -> Iterator[Finding]:
    """The client waited too long for the next word while the trouble lasted."""
    words = case.of(FactKind.CLIENT_NOTIFIED, FactKind.ALL_CLEAR_SENT)
    for before, after in pairwise(words):
        waited = (after.at.not_before - before.at.not_after) * case.drill_plan.pace
        if before.kind is FactKind.CLIENT_NOTIFIED and waited > UPDATE_EVERY:
            yield Finding(
                "slow-updates",
                Severity.MINOR,
                "The client waited for the next word",
                f"After {case.clock(before.at)} the client heard nothing for {format_duration(whole(waited))}.",
                ids(before, after),
            )

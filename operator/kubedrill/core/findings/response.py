"""Findings on what was looked at, changed and measured: by players and by strangers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from kubedrill.core.evidence.attribution import READS, Standing, changes_of_players, how_to_attribute
from kubedrill.core.evidence.facts import Fact, FactKind, Source
from kubedrill.core.findings.context import FindingContext, ids
from kubedrill.core.findings.left_over import left_over
from kubedrill.core.measure.results import Finding, MilestoneName, ObjectiveVerdict, Severity
from kubedrill.core.measure.score import is_of_monitoring

CRASHES: Final = (FactKind.POD_CRASH_LOOPING, FactKind.POD_OOM_KILLED)


def scaled_before_diagnosing(case: FindingContext) -> Iterator[Finding]:
    """More pods of a workload that crashes, before anybody read why. To list pods is not to diagnose."""
    if not case.of(*READS) and not any(f.source is Source.AUDIT_LOG for f in case.facts):
        return  # nobody's reads are known, so a missing one proves nothing
    scaled = next((f for f in changes_of_players(case.facts) if _is_up(f)), None)
    if scaled is None:
        return
    its = (scaled.detail.get("target"), None)  # a neighbour's pods that crash are not its
    crashed = [f for f in case.of(*CRASHES) if f.at.not_after <= scaled.at.not_before and f.detail.get("target") in its]
    read = next((f for f in case.of(FactKind.EVIDENCE_READ) if f.actor), None)
    if not crashed or (read is not None and read.at.not_before <= scaled.at.not_after):
        return
    later = f"the first was read at {case.clock(read.at)}" if read else "none was read in the whole drill"
    yield Finding(
        "scaled-before-diagnosing",
        Severity.IMPORTANT,
        "Scaled up before diagnosing",
        f"{_what(scaled)} went from {scaled.detail.get('before')} to {scaled.detail.get('after')} replicas at"
        f" {case.clock(scaled.at)} while its pods were crash-looping, before anybody had read a crashed pod's"
        f" logs or description ({later}). More replicas of a crashing pod only crash more: diagnose before you scale.",
        ids(crashed[:3], scaled, read),
    )


def _is_up(change: Fact) -> bool:
    if change.kind is not FactKind.SCALED:
        return False
    try:
        return int(change.detail["after"]) > int(change.detail["before"])
    except (KeyError, TypeError, ValueError):
        return False


def _what(change: Fact) -> str:
    return str(change.detail.get("target") or "The workload")


def first_containment_had_no_effect(case: FindingContext) -> Iterator[Finding]:
    """The first containment did not turn the impact; a later change did, or nothing."""
    contained, fix = (
        case.milestone(MilestoneName.FIRST_CONTAINMENT),
        case.milestone(MilestoneName.FIX_APPLIED),
    )
    fell = case.milestone(MilestoneName.MITIGATED)
    if contained is None or (fell is not None and (fix is None or fell.at.not_before < fix.at.not_before)):
        return
    if fix is not None and fix.at.not_before <= contained.at.not_after:
        return
    turned = f"it fell only after {case.clock(fix.at)}, when the fix was applied" if fix and fell else "it never fell"
    yield Finding(
        "first-containment-had-no-effect",
        Severity.IMPORTANT,
        "The first containment had no effect",
        f"The first containment, at {case.clock(contained.at)}, did not make the impact fall: {turned}.",
        ids(contained, fix, fell),
    )


def leftovers_of_players(case: FindingContext) -> Iterator[Finding]:
    """What players scaled up and did not scale back, or only after it was over."""
    declared, recovered = case.milestone(MilestoneName.RESOLVED_DECLARED), case.milestone(MilestoneName.RECOVERED)
    over = declared or recovered
    for one in left_over(case.facts):
        up = next((f for f in one.changes if f.actor and _is_up(f)), None)
        if up is None or over is None:
            continue
        if one.back is not None and one.back.at.not_before <= over.at.not_after:
            continue
        until = f"until {case.clock(one.back.at)}" if one.back else "to the end of play"
        what = "resolved was declared" if declared else "it had recovered"
        yield Finding(
            "leftovers-of-players",
            Severity.MINOR,
            "Scaled back late" if one.back else "Something was left over",
            f"{one.target} stayed at {up.detail.get('after')} replicas instead of {one.before} {until}, after {what} at"
            f" {case.clock(over.at)}.",
            ids(up, one.back, over),
        )


def interference(case: FindingContext) -> Iterator[Finding]:
    """The target was changed, and nobody has said whose doing that was."""
    for change in case.of(FactKind.INTERFERENCE):
        who = change.detail.get("who") or "Somebody unknown"
        known = ", who is none of the players," if change.detail.get("by") == Standing.STRANGER else ""
        target = change.detail.get("target") or "the target"
        yield Finding(
            "interference",
            Severity.IMPORTANT,
            "An unattributed change to the target",
            f"{who}{known} changed {target} at {case.clock(change.at)}. Whether a player stood behind it is not known,"
            f" so what it may have caused stays open: {how_to_attribute(change.id, case.drill)}.",
            ids(change),
        )


def before_its_clock(case: FindingContext) -> Iterator[Finding]:
    """Something came before the clock of its objective started: known already, guessed, or about something else."""
    for objective in case.objectives:
        if objective.upper is None or objective.upper >= timedelta(0) or is_of_monitoring(objective):
            continue
        met = objective.verdict is ObjectiveVerdict.MET
        counts = "the facilitator confirmed it" if met else "it counts once the facilitator confirms it"
        yield Finding(
            "before-its-clock",
            Severity.MINOR,
            f"{objective.name} came before its clock started",
            f"{objective.stop} was reached before {objective.start}: {counts}, and the limit was not tried.",
        )


def well_within_the_limits(case: FindingContext) -> Iterator[Finding]:
    """What somebody of the team did in less than half the time they had. What came by itself is nobody's strength."""
    fast = [
        o.name
        for o in case.objectives
        if o.verdict is ObjectiveVerdict.MET
        and o.actor
        and o.upper is not None
        and timedelta(0) <= o.upper <= o.limit / 2
    ]
    if fast:
        yield Finding(
            "well-within-the-limits",
            Severity.STRENGTH,
            "Well within the limits",
            f"In at most half of the time that was allowed: {', '.join(fast)}.",
        )

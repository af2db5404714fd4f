"""Records for the tests of reports: the morning rush as its timeline tells it, and small ones."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Sample, Series, Source
from kubedrill.core.measure.results import (
    DrillRecord,
    FieldOutcome,
    Finding,
    Milestone,
    MilestoneName,
    ObjectiveResult,
    ObjectiveVerdict,
    Player,
    Restoration,
    Severity,
    Verdict,
)

T0 = datetime(2025, 11, 4, 9, 15, tzinfo=UTC)
MET, MISSED = ObjectiveVerdict.MET, ObjectiveVerdict.MISSED
INDETERMINATE, NOT_STARTED = ObjectiveVerdict.INDETERMINATE, ObjectiveVerdict.NOT_STARTED


def minutes(value: float) -> timedelta:
    return timedelta(minutes=value)


def between(first: float, last: float) -> Interval:
    """Minutes after T+0."""
    return Interval(T0 + minutes(first), T0 + minutes(last))


def fact(kind: FactKind, first: float, last: float | None = None, **more: Any) -> Fact:
    at = between(first, first if last is None else last)
    more.setdefault("source", Source.POD_WATCH)
    more.setdefault("id", f"{kind}/{first}")
    return Fact(kind, at, **more)


def milestone(name: MilestoneName, first: float, last: float | None = None, **more: Any) -> Milestone:
    at = between(first, first if last is None else last)
    more.setdefault("source", Source.PLAYER_ACTION)
    more.setdefault("evidence", "")
    return Milestone(name, at, **more)


def objective(
    name: str,
    limit: float,
    verdict: ObjectiveVerdict,
    lower: float | None = None,
    upper: float | None = None,
    stop: str = "Acknowledged",
    **more: Any,
) -> ObjectiveResult:
    return ObjectiveResult(
        name,
        more.pop("start", "AlertFired"),
        stop,
        minutes(limit),
        verdict,
        None if lower is None else minutes(lower),
        None if upper is None else minutes(upper),
        **more,
    )


def record(**changes: Any) -> DrillRecord:
    """A drill of which nothing is known but its name, with the changes that a test wants."""
    bare = DrillRecord(
        name="checkout-oom",
        namespace="drills",
        title="Checkout out of memory",
        narrative="",
        team=(),
        facilitator="",
        live=True,
        pace=1,
        started=T0,
        ended=T0 + minutes(60),
        clock_start=between(0, 0),
        verdict=Verdict.PASSED,
        verdict_reason="",
        verdict_message="",
        milestones=(),
        objectives=(),
        findings=(),
        facts=(),
        impact=Series("impact"),
        restoration=Restoration(complete=True, at=between(50, 50)),
    )
    return replace(bare, **changes)


def morning_rush() -> DrillRecord:
    """6 of 7: mitigation between 23 and 28 minutes, limit 20, the client told us first."""
    return record(
        name="morning-rush",
        title="Morning rush: queue backlog from worker crashes",
        narrative="Overnight, a deployment halved the workers' memory. In the morning the queue grows.",
        team=(
            Player("alice", "L1"),
            Player("emma", "L2"),
            Player("tom", "Engineering"),
            Player("bot", "Comms", "Script"),
        ),
        facilitator="sam",
        started=T0 - minutes(12),
        ended=T0 + minutes(60),
        verdict=Verdict.FAILED,
        verdict_reason="ObjectiveMissed",
        milestones=_milestones(),
        objectives=_objectives(),
        findings=_findings(),
        facts=_facts(),
        impact=Series("backlog", _backlog(), timedelta(seconds=5)),
        impact_threshold=50,
        restoration=_restoration(),
        score="6 of 7 (86 %)",
        measurement=("Clock: the API server's; every other clock within ±100 ms of it.",),
        corrections=("09:58 sam: Emma's call to the client entered from the phone's log.",),
    )


def _milestones() -> tuple[Milestone, ...]:
    name = MilestoneName
    return (
        milestone(name.INJECTED, -11.2, source=Source.OPERATOR, evidence="memory limit 128Mi → 48Mi"),
        milestone(
            name.FAULT_EFFECTIVE,
            -10,
            -9.9,
            source=Source.POD_WATCH,
            evidence="3 of 5 workers OOM-killed, exit 137",
        ),
        milestone(name.IMPACT_STARTED, -9.5, -9.2, source=Source.PROMETHEUS),
        milestone(name.ALERT_PENDING, -1, -0.9, source=Source.PROMETHEUS, evidence="HighQueueDepth pending"),
        milestone(name.ALERT_FIRED, 0, source=Source.PROMETHEUS, evidence="HighQueueDepth, 95 jobs"),
        milestone(name.PAGED, 0.2, 0.3, source=Source.WEBHOOK, evidence="page accepted"),
        milestone(name.ACKNOWLEDGED, 0.5, 2, actor="alice", evidence="acknowledged the page"),
        milestone(name.SEVERITY_ASSESSED, 3, actor="alice", evidence="P1"),
        milestone(name.FIRST_CONTAINMENT, 5, actor="alice", source=Source.AUDIT_LOG, evidence="scaled 5 → 10"),
        milestone(name.ESCALATION_REQUESTED, 7, level="L2", actor="alice"),
        milestone(name.ESCALATION_ENGAGED, 7, 10, level="L2", actor="emma"),
        milestone(name.COMMAND_ASSUMED, 10, actor="emma", declared=True),
        milestone(name.ESCALATION_REQUESTED, 10, level="Engineering", actor="emma"),
        milestone(name.CLIENT_COMPLAINED, 15, source=Source.OPERATOR, evidence="“Tickets are not being enhanced”"),
        milestone(name.CLIENT_NOTIFIED, 15.5, actor="emma", declared=True, evidence="declared: told the client"),
        milestone(name.ESCALATION_ENGAGED, 15, level="Engineering", actor="tom", source=Source.OBSERVER),
        milestone(name.CAUSE_IDENTIFIED, 18, actor="tom", evidence="worker: memory limit"),
        milestone(
            name.FIX_APPLIED,
            23,
            actor="tom",
            source=Source.TARGET_WATCH,
            evidence="limits.memory 48Mi → 128Mi",
        ),
        milestone(name.MITIGATED, 23, 28, source=Source.PROMETHEUS, evidence="backlog falls from 141"),
        milestone(name.RECOVERED, 28, 45, source=Source.PROMETHEUS, evidence="every check holds"),
        milestone(name.RESOLVED_DECLARED, 45, actor="emma", declared=True),
        milestone(name.ALL_CLEAR_SENT, 45.5, actor="emma", declared=True),
    )


def _objectives() -> tuple[ObjectiveResult, ...]:
    return (
        objective("detection", 5, MET, 0.5, 2, actor="alice"),
        objective("severity", 10, MET, 3, 3, stop="SeverityAssessed", actor="alice"),
        objective("escalation-l2", 15, MET, 7, 10, stop="EscalationEngaged[L2]", beside={"requested": "0:07:00"}),
        objective("escalation-engineering", 30, MET, 15, 15, stop="EscalationEngaged[Engineering]"),
        objective("client-notification", 30, MET, 15.5, 15.5, stop="ClientNotified", actor="emma", declared=True),
        objective("mitigation", 20, MISSED, 23, 28, stop="Mitigated"),
        objective("resolution", 60, MET, 28, 45, stop="Recovered"),
    )


def _findings() -> tuple[Finding, ...]:
    scaled, read = "Scaled/5", "EvidenceRead/18"
    return (
        Finding(
            "engaged-without-lead",
            Severity.MINOR,
            "Engineering joined but nobody took the lead in words",
            "Tom joined at T+15 and never said that he had it.",
            ("EscalationEngaged/15",),
        ),
        Finding(
            "scaled-before-diagnosing",
            Severity.IMPORTANT,
            "Scaled up before looking why workers crash",
            "Workers were scaled from 5 to 10 thirteen minutes before anybody read a crashed worker's log."
            " The new ones crashed too.",
            (scaled, read),
        ),
        Finding(
            "client-told-us-first",
            Severity.IMPORTANT,
            "The client told us first",
            "Their complaint came before our first word to them.",
            ("ClientComplained/15", "ClientNotified/15.5"),
        ),
        Finding(
            "slow-monitoring",
            Severity.IMPORTANT,
            "Ten minutes from effect to alert",
            "The queue grew for ten minutes before the alert fired. That delay is the alert rule's.",
            ("FaultEffective/-10", "AlertFiring/0"),
        ),
        Finding(
            "fast-acknowledgement",
            Severity.STRENGTH,
            "The page was picked up within two minutes",
            "Less than half of what is allowed.",
            ("Acknowledged/0.5",),
        ),
    )


def _facts() -> tuple[Fact, ...]:
    kind = FactKind
    return (
        fact(kind.START_EX, -11.5, source=Source.OPERATOR),
        fact(
            kind.FAULT_INJECTED,
            -11.2,
            source=Source.OPERATOR,
            evidence="limits.memory 128Mi → 48Mi",
            detail={"fault": "limit", "target": "Deployment/ai-agents-worker"},
        ),
        *(
            fact(kind.POD_OOM_KILLED, -10 + i / 30, id=f"oom/{i}", evidence=f"worker-{i} killed, exit 137")
            for i in range(3)
        ),
        *(fact(kind.POD_UNREADY, -9 + i / 9, id=f"unready/{i}") for i in range(20)),
        fact(kind.FAULT_EFFECTIVE, -10, -9.9),
        fact(kind.ALERT_PENDING, -1, -0.9, source=Source.PROMETHEUS, detail={"alert": "HighQueueDepth"}),
        fact(
            kind.ALERT_FIRING,
            0,
            source=Source.PROMETHEUS,
            evidence="HighQueueDepth: 95 jobs",
            detail={"alert": "HighQueueDepth"},
        ),
        fact(
            kind.ACKNOWLEDGED,
            0.5,
            2,
            source=Source.PLAYER_ACTION,
            actor="alice",
            evidence="acknowledged the page",
        ),
        fact(kind.PODS_LISTED, 3, source=Source.AUDIT_LOG, actor="alice", evidence="kubectl get pods"),
        fact(kind.SCALED, 5, source=Source.AUDIT_LOG, actor="alice", evidence="replicas 5 → 10"),
        fact(kind.ESCALATION_REQUESTED, 7, source=Source.PLAYER_ACTION, actor="alice", evidence="L2"),
        fact(kind.ESCALATION_ENGAGED, 15, source=Source.OBSERVER, actor="tom", evidence="joined the call"),
        fact(kind.CLIENT_COMPLAINED, 15, source=Source.OPERATOR, evidence="“Tickets are not being enhanced”"),
        fact(kind.CLIENT_NOTIFIED, 15.5, source=Source.PLAYER_ACTION, actor="emma", evidence="told the client"),
        fact(
            kind.EVIDENCE_READ,
            18,
            source=Source.AUDIT_LOG,
            actor="tom",
            evidence="logs --previous of worker-1",
        ),
        fact(
            kind.TARGET_CHANGED,
            23,
            source=Source.TARGET_WATCH,
            actor="tom",
            evidence="limits.memory 48Mi → 128Mi",
        ),
        fact(kind.ALERT_RESOLVED, 37, source=Source.PROMETHEUS, detail={"alert": "HighQueueDepth"}),
        fact(kind.END_EX, 60, source=Source.OPERATOR),
    )


def _backlog() -> tuple[Sample, ...]:
    """Steady, growing from the kill until the fix, then draining; noise, and a gap without data."""
    samples = []
    for step in range(-12 * 12, 60 * 12):
        at = step / 12
        grown = 8 + max(0.0, min(at, 0) + 10) * 8.7 + max(0.0, min(at, 24)) * 2
        drained = max(0.0, at - 24.5) * 9
        if not 39 < at < 41:
            samples.append(Sample(T0 + minutes(at), max(9.0, grown - drained) + 2.5 * math.sin(step)))
    return tuple(samples)


def _restoration() -> Restoration:
    worker = "Deployment/ai-agents-worker"
    return Restoration(
        complete=True,
        at=between(51, 51),
        fields=(
            FieldOutcome(
                worker,
                "/spec/template/spec/containers/0/resources/limits/memory",
                "128Mi",
                "48Mi",
                "128Mi",
                "Untouched",
                "tom",
                "09:38",
            ),
            FieldOutcome(worker, "/spec/strategy/rollingUpdate/maxUnavailable", "25%", "60%", "25%", "Restored"),
            FieldOutcome(worker, "/spec/replicas", "5", "5", "10", "Superseded", "emma", "09:20"),
        ),
        notes=("412 fake jobs were swept.",),
    )

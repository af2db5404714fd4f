"""What is concluded from facts: milestones, objectives, findings and the drill's record for its report.

Types only; who makes them: `milestones`, `objectives`, `findings`, `score`. They are plain data, so a report
is a pure function of a `DrillRecord` and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from kubedrill.core.evidence.facts import Fact, Interval, Series, Source


class MilestoneName(StrEnum):
    """The milestones of a drill, in the order in which a good one meets them."""

    INJECTED = "Injected"
    FAULT_EFFECTIVE = "FaultEffective"
    IMPACT_STARTED = "ImpactStarted"
    ALERT_PENDING = "AlertPending"
    ALERT_FIRED = "AlertFired"
    NOTIFIED = "Notified"
    PAGED = "Paged"
    ACKNOWLEDGED = "Acknowledged"
    SEVERITY_ASSESSED = "SeverityAssessed"
    COMMAND_ASSUMED = "CommandAssumed"
    ESCALATION_REQUESTED = "EscalationRequested"
    ESCALATION_ENGAGED = "EscalationEngaged"
    CLIENT_COMPLAINED = "ClientComplained"
    CLIENT_NOTIFIED = "ClientNotified"
    FIRST_CONTAINMENT = "FirstContainment"
    CAUSE_IDENTIFIED = "CauseIdentified"
    FIX_APPLIED = "FixApplied"
    MITIGATED = "Mitigated"
    MITIGATED_DECLARED = "MitigatedDeclared"
    RECOVERED = "Recovered"
    RESOLVED_DECLARED = "ResolvedDeclared"
    ALL_CLEAR_SENT = "AllClearSent"


class By(StrEnum):
    """Whose doing a milestone was."""

    PLAYER = "Player"
    AUTOMATION = "Automation"
    OPERATOR = "Operator"
    STRANGER = "Stranger"
    UNKNOWN = "Unknown"
    NOBODY = "Nobody"


@dataclass(frozen=True, slots=True)
class Milestone:
    """One milestone that was reached. `level` only for escalations (L2, Engineering, …).

    `conflict` is set when two sources of the event are disjoint (then `at` is their hull). `declared` is set
    when only a person's word stands behind it. `early` says what it was too early for (`before AlertFired`): then it
    proves nothing. `confirmed` is set when the facilitator observed it, too.
    """

    name: MilestoneName
    at: Interval
    source: Source
    evidence: str
    level: str = ""
    actor: str = ""
    by: By = By.PLAYER
    conflict: bool = False
    declared: bool = False
    fact_ids: tuple[str, ...] = ()
    early: str = ""
    confirmed: bool = False

    @property
    def key(self) -> str:
        """`Acknowledged`, or `EscalationEngaged[L2]` for those with a level."""
        return f"{self.name}[{self.level}]" if self.level else str(self.name)


class ObjectiveVerdict(StrEnum):
    """Met: upper bound within the limit. Missed: lower bound over it. Indeterminate: the limit lies inside."""

    MET = "Met"
    MISSED = "Missed"
    INDETERMINATE = "Indeterminate"
    NOT_STARTED = "NotStarted"
    PENDING = "Pending"


@dataclass(frozen=True, slots=True)
class ObjectiveResult:
    """An objective's measured bounds in drill time (the pace divided out nowhere: wall-clock durations).

    `lower`/`upper` are `None` while unknown; `upper is None` with a `lower` means "longer than lower"
    (censored). `beside` holds what is shown next to it, e.g. {"requested": "0:07:00"}.
    """

    name: str
    start: str
    stop: str
    limit: timedelta
    verdict: ObjectiveVerdict
    lower: timedelta | None = None
    upper: timedelta | None = None
    reason: str = ""
    actor: str = ""
    declared: bool = False
    beside: Mapping[str, str] = field(default_factory=dict)


class Severity(StrEnum):
    """How much a finding matters."""

    CRITICAL = "Critical"
    IMPORTANT = "Important"
    MINOR = "Minor"
    STRENGTH = "Strength"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that evidence alone shows: `rule` is a stable id (`scaled-before-diagnosing`)."""

    rule: str
    severity: Severity
    title: str
    text: str
    fact_ids: tuple[str, ...] = ()


class Verdict(StrEnum):
    """The drill's verdict. They roll up so: Error > Stopped > Failed > Inconclusive > Passed."""

    PASSED = "Passed"
    FAILED = "Failed"
    INCONCLUSIVE = "Inconclusive"
    ERROR = "Error"
    STOPPED = "Stopped"


@dataclass(frozen=True, slots=True)
class Player:
    """Somebody who plays: name, role (L1, L2, Engineering, …) and whether it is a person."""

    name: str
    role: str
    kind: str = "Human"


@dataclass(frozen=True, slots=True)
class FieldOutcome:
    """What became of one touched field.

    `outcome` is Restored, Untouched, Superseded, KeptPlayerEdit, Gone,
    CarriedOver, NotRestored or Unverified; `who` and `when` tell of somebody else's change.
    """

    target: str
    path: str
    before: str
    after: str
    now: str
    outcome: str
    who: str = ""
    when: str = ""


@dataclass(frozen=True, slots=True)
class Restoration:
    """Proof that the cluster is back: every touched field, the jobs left, the undo records left."""

    complete: bool
    at: Interval | None = None
    fields: tuple[FieldOutcome, ...] = ()
    jobs_left: int = 0
    records_left: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DrillRecord:
    """All that a report needs. `pace` divides offsets, limits and windows; times here are real, undivided.

    Durations in reports are shown in *scenario time* (real × pace) with the real one beside it when pace > 1.
    """

    name: str
    namespace: str
    title: str
    narrative: str
    team: tuple[Player, ...]
    facilitator: str
    live: bool
    pace: float
    started: datetime | None
    ended: datetime | None
    clock_start: Interval | None
    verdict: Verdict | None
    verdict_reason: str
    verdict_message: str
    milestones: tuple[Milestone, ...]
    objectives: tuple[ObjectiveResult, ...]
    findings: tuple[Finding, ...]
    facts: tuple[Fact, ...]
    impact: Series
    impact_threshold: float | None = None
    restoration: Restoration | None = None
    score: str = ""
    measurement: tuple[str, ...] = ()
    corrections: tuple[str, ...] = ()
    impact_threshold_is: str = "threshold"

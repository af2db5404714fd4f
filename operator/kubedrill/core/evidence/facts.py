"""What was seen: intervals of time, facts with their source, and samples of a measured value.

A fact is never a bare point in time. `Interval` says between which instants, on the API server's clock,
the thing happened; `Fact` says what it was, who did it, how we know. Everything that is decided or
reported later (milestones, objectives, findings) is a pure function of facts and series.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import chain
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """When something happened: not before one instant and not after another (aware datetimes, both ends in).

    Raises:
        ValueError: the ends are the wrong way round.
    """

    not_before: datetime
    not_after: datetime

    def __post_init__(self) -> None:
        if self.not_after < self.not_before:
            raise ValueError(f"an interval ends before it starts: {self.not_before} > {self.not_after}")

    @classmethod
    def at(cls, instant: datetime, error: timedelta = timedelta(0)) -> Interval:
        """An instant whose clock is known to within `error` either way."""
        return cls(instant - error, instant + error)

    @property
    def width(self) -> timedelta:
        """How much is unknown."""
        return self.not_after - self.not_before

    @property
    def middle(self) -> datetime:
        """Where it is drawn when it is drawn as one instant; of T+0 the instant that every clock counts from."""
        return self.not_before + self.width / 2

    def contains(self, instant: datetime) -> bool:
        """Whether the instant may have been the one."""
        return self.not_before <= instant <= self.not_after

    def intersection(self, other: Interval) -> Interval | None:
        """What two sources of one event agree on; nothing when they contradict each other."""
        start, end = max(self.not_before, other.not_before), min(self.not_after, other.not_after)
        return Interval(start, end) if start <= end else None

    def hull(self, other: Interval) -> Interval:
        """The shortest interval that holds both."""
        return Interval(min(self.not_before, other.not_before), max(self.not_after, other.not_after))


class Source(StrEnum):
    """Where a fact comes from; printed beside every time in the report."""

    POD_WATCH = "PodWatch"
    TARGET_WATCH = "TargetWatch"
    PROMETHEUS = "Prometheus"
    ALERTMANAGER = "Alertmanager"
    WEBHOOK = "Webhook"
    PLAYER_ACTION = "PlayerAction"
    AUDIT_LOG = "AuditLog"
    WITNESS = "Witness"
    OBSERVER = "Observer"
    OPERATOR = "Operator"
    TRANSCRIPT = "Transcript"


class FactKind(StrEnum):
    """The vocabulary of facts. `detail` keys are named in the comment behind each."""

    # the cluster
    POD_OOM_KILLED = "PodOOMKilled"  # pod, container, exitCode, restartCount
    POD_CRASH_LOOPING = "PodCrashLooping"  # pod, container, restartCount
    IMAGE_NOT_PULLED = "ImageNotPulled"  # pod, container, image, reason
    QUOTA_REACHED = "QuotaReached"  # quota, resources: no room is left of these
    PODS_REFUSED = "PodsRefused"  # target, quota (empty: somebody else refused it): no pod could be made
    POD_READY = "PodReady"  # pod, made (when it was created, RFC 3339)
    POD_UNREADY = "PodUnready"  # pod
    POD_GONE = "PodGone"  # pod
    WORKLOAD_STATE = "WorkloadState"  # ready, desired, unready, killed, target: what the pods of a target look like
    TARGET_CHANGED = "TargetChanged"  # target, path, before, after, manager; actor = player if one was matched
    SCALED = "Scaled"  # target, before, after; actor likewise
    PODS_DELETED = "PodsDeleted"  # pods; actor likewise
    ATTEMPTED = "Attempted"  # verb, target, pod, uid, change (that it would make), values, user: asked for, not done
    # monitoring
    ALERT_PENDING = "AlertPending"  # alert
    ALERT_FIRING = "AlertFiring"  # alert, fingerprint, labels, drill (true when the drill itself announced it)
    ALERT_RESOLVED = "AlertResolved"  # alert
    ALERT_ELSEWHERE = "AlertElsewhere"  # alert, namespace (that it names), under (another label that names the target)
    RULE_CHANGED = "RuleChanged"  # alert: its rule is not the one that the drill was planned with, or is gone
    RULE_AS_PLANNED = "RuleAsPlanned"  # alert: it is, when first looked at, or again
    ALERT_ROUTED = "AlertRouted"  # alert, receivers, people (those of them that reach people), waits (seconds), muted
    ALERT_SUPPRESSED = "AlertSuppressed"  # alert, by (silence, inhibition, mute time, route), name: nobody is told
    NOTIFIED = "Notified"  # alert, receiver: Alertmanager told the operator
    PAGE_SENT = "PageSent"  # alert, receiver: people were told, as somebody saw (before NOTIFIED: as the operator was)
    IMPACT_STARTED = "ImpactStarted"
    IMPACT_FALLING = "ImpactFalling"  # first sustained fall; by window over samples or by an observer
    STEADY_AGAIN = "SteadyAgain"  # start of the window in which everything holds
    # people; actor = player's name
    ACKNOWLEDGED = "Acknowledged"
    SEVERITY_ASSESSED = "SeverityAssessed"  # severity
    COMMAND_ASSUMED = "CommandAssumed"
    ESCALATION_REQUESTED = "EscalationRequested"  # level
    ESCALATION_ENGAGED = "EscalationEngaged"  # level
    LEAD_TAKEN = "LeadTaken"  # somebody said in words "I have it"
    CLIENT_COMPLAINED = "ClientComplained"
    CLIENT_NOTIFIED = "ClientNotified"  # message; declared (true: the player's word only)
    CONTAINMENT_ATTEMPTED = "ContainmentAttempted"  # target, what
    CAUSE_IDENTIFIED = "CauseIdentified"  # component, faultClass
    FIX_APPLIED = "FixApplied"  # target, what
    MITIGATED_DECLARED = "MitigatedDeclared"
    RESOLVED_DECLARED = "ResolvedDeclared"
    ALL_CLEAR_SENT = "AllClearSent"
    NOTED = "Noted"  # message
    PODS_LISTED = "PodsListed"  # looking: read of a list of pods
    EVIDENCE_READ = "EvidenceRead"  # diagnosing: logs or description of a pod; pod, what
    POSTMORTEM_ASSIGNED = "PostmortemAssigned"  # owner
    INTERFERENCE = "Interference"  # an unattributed change of the target: target, path, who, by (Stranger, Unknown)
    ATTRIBUTED = "Attributed"  # the facilitator: fact (id), to, evidence
    # the drill itself
    START_EX = "StartEx"
    END_EX = "EndEx"
    FAULT_INJECTED = "FaultInjected"  # fault, target
    FAULT_EFFECTIVE = "FaultEffective"  # fault
    JOBS_PUSHED = "JobsPushed"  # fault, pushed (so far), count
    FAULT_FAILED = "FaultFailed"  # fault, reason, message
    FAULT_REVERTED = "FaultReverted"  # fault, target, by, outcome (per field)
    STOP_CONDITION_MET = "StopConditionMet"  # condition, said: what must not be while the drill is on
    CONFIRMED = "Confirmed"  # the facilitator: fault, step (Do | Undo): a manual fault was done or undone
    HINT_GIVEN = "HintGiven"
    GAP = "Gap"  # nothing was watched during the interval (the operator was away)


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that was seen.

    `id` is the same whenever the same thing is seen again (after a restart, by a re-list), so that facts are
    a set: for example `oom/<pod uid>/<container>/<restart count>`. `actor` is a player's name, empty when it
    is unknown or nobody's. `evidence` is one sentence a person can check.
    """

    kind: FactKind
    at: Interval
    source: Source
    id: str
    actor: str = ""
    evidence: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash(self.id)


@dataclass(frozen=True, slots=True)
class Sample:
    """One measured value and the instant it was taken (source's clock)."""

    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """Samples of one expression in order of time, `step` apart when nothing was missed.

    An empty series is *no data*, which is never healthy. `name` is the check's or impact's name. Before
    `thinned_until` only some of the samples are left, far more than a step apart where nothing was missed either.
    """

    name: str
    samples: Sequence[Sample] = ()
    step: timedelta = timedelta(seconds=1)
    thinned_until: datetime | None = None

    def __post_init__(self) -> None:
        if isinstance(self.samples, list):  # as it is read from JSON
            object.__setattr__(self, "samples", tuple(self.samples))

    def between(self, start: datetime, end: datetime) -> Series:
        """The samples of a stretch of time, both ends in."""
        first = bisect_left(self.samples, start, key=lambda s: s.at)
        last = bisect_right(self.samples, end, key=lambda s: s.at)
        return replace(self, samples=tuple(self.samples[first:last]))


class FactSet(frozenset[Fact]):
    """Facts that are sorted once, however often a turn asks for those of a kind.

    `remembered` is for what is derived from the whole set and nothing else, by what was derived.
    """

    @classmethod
    def of(cls, facts: Iterable[Fact]) -> FactSet:
        """These facts; the same object where it is one."""
        return facts if isinstance(facts, FactSet) else cls(facts)

    @cached_property
    def in_order(self) -> tuple[Fact, ...]:
        """All by time, ties by id."""
        return tuple(sorted(self, key=_by_time))

    @cached_property
    def by_kind(self) -> Mapping[FactKind, tuple[Fact, ...]]:
        """Those of each kind, in order."""
        kinds: dict[FactKind, list[Fact]] = {}
        for fact in self.in_order:
            kinds.setdefault(fact.kind, []).append(fact)
        return {kind: tuple(facts) for kind, facts in kinds.items()}

    @cached_property
    def remembered(self) -> dict[Hashable, Any]:
        """What was derived from these facts already."""
        return {}


def first(facts: Iterable[Fact], *kinds: FactKind) -> Fact | None:
    """The fact of these kinds that may have been the earliest, by `not_before`, then `not_after`."""
    if isinstance(facts, FactSet):
        earliest = (facts.by_kind[kind][0] for kind in kinds if kind in facts.by_kind)
        return min(earliest, key=_by_time, default=None)
    return min((f for f in facts if f.kind in kinds), key=_by_time, default=None)


def in_order(facts: Iterable[Fact], *kinds: FactKind) -> tuple[Fact, ...]:
    """The facts of these kinds (all kinds when none is named) by time, ties by id."""
    if isinstance(facts, FactSet):
        chosen = [facts.by_kind[kind] for kind in kinds if kind in facts.by_kind] if kinds else [facts.in_order]
        return chosen[0] if len(chosen) == 1 else tuple(sorted(chain.from_iterable(chosen), key=_by_time))
    return tuple(sorted((f for f in facts if not kinds or f.kind in kinds), key=_by_time))


def _by_time(fact: Fact) -> tuple[datetime, datetime, str]:
    return fact.at.not_before, fact.at.not_after, fact.id

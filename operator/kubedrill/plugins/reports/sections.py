"""The sections of a report as plain data, for every format: what to show, in which order, in which words.

Nothing here is escaped: a format escapes what it prints. All words that come from people or from the cluster
have gone through `wording.printable`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from kubedrill.core.evidence.facts import Fact, FactKind, Source, in_order
from kubedrill.core.measure.milestones import Occurrence, occurrences
from kubedrill.core.measure.results import (
    DrillRecord,
    Finding,
    Milestone,
    MilestoneName,
    ObjectiveResult,
    ObjectiveVerdict,
    Severity,
    Verdict,
)
from kubedrill.plugins.reports.wording import (
    clock_of,
    length,
    measured,
    milestone_words,
    pace_of,
    printable,
    real_time,
    sentence_case,
)

# Seen in hundreds in every drill and of interest only to whoever checks the evidence: kept in the JSON.
NOISE = frozenset(
    {
        FactKind.POD_READY,
        FactKind.POD_UNREADY,
        FactKind.POD_GONE,
        FactKind.WORKLOAD_STATE,
        FactKind.POD_CRASH_LOOPING,
        FactKind.RULE_AS_PLANNED,
    }
)
# A wall of kills says no more than the first few.
KEPT_OF_A_KIND = 12
_BEHIND_ORDER = {Severity.CRITICAL: 0, Severity.IMPORTANT: 1, Severity.MINOR: 2, Severity.STRENGTH: 3}


@dataclass(frozen=True, slots=True)
class ObjectiveRow:
    """One objective: limit and what was measured in scenario time, with the real time when pace > 1."""

    name: str
    from_to: str
    limit: str
    took: str
    real: str
    verdict: ObjectiveVerdict
    beside: str
    note: str


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One fact as a reader checks it."""

    clock: str
    real: str
    who: str
    what: str
    source: str
    evidence: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding with the facts that show it."""

    rule: str
    severity: Severity
    title: str
    text: str
    evidence: tuple[EvidenceRow, ...]


@dataclass(frozen=True, slots=True)
class Certainty:
    """How sure the milestones are: how many rest on what, and the widest one."""

    machine: int
    declared: int
    observed: int
    transcript: int
    conflicts: int
    widest: str
    widest_of: str


def objectives(record: DrillRecord) -> tuple[ObjectiveRow, ...]:
    """The objectives in the scenario's order."""
    return tuple(_objective(record, o) for o in record.objectives)


def _objective(record: DrillRecord, o: ObjectiveResult) -> ObjectiveRow:
    real = measured(o, 1.0) if record.pace > 1 and o.lower is not None else ""
    said = [f"declared by {printable(o.actor)}" if o.actor else "declared"] if o.declared else []
    if o.actor and not o.declared:
        said.append(printable(o.actor))
    if o.reason:
        said.append(printable(o.reason))
    if record.pace > pace_of(o, record.pace):
        said.append("in real time: the monitoring is not sped up")
    return ObjectiveRow(
        sentence_case(o.name),
        f"{milestone_words(o.start)} → {milestone_words(o.stop)}",
        length(o.limit * pace_of(o, record.pace)),
        measured(o, record.pace),
        real,
        o.verdict,
        _beside(record, o),
        " · ".join(said),
    )


def _beside(record: DrillRecord, o: ObjectiveResult) -> str:
    """What stands beside the measured time: for an engagement, when it was asked for."""
    shown = [f"{sentence_case(k)} {printable(v)}" for k, v in o.beside.items() if k != "requested"]
    asked = o.stop.replace(MilestoneName.ESCALATION_ENGAGED, MilestoneName.ESCALATION_REQUESTED)
    request = next((m for m in record.milestones if m.key == asked != o.stop), None)
    if request:
        shown.insert(0, f"requested {clock_of(record, request.at)}")
    elif "requested" in o.beside:
        shown.insert(0, f"requested {printable(o.beside['requested'])}")
    return " · ".join(shown)


def milestones(record: DrillRecord) -> tuple[Milestone, ...]:
    """The milestones in order of time."""
    order = list(MilestoneName)
    return tuple(sorted(record.milestones, key=lambda m: (m.at.not_before, m.at.not_after, order.index(m.name))))


def certainty(record: DrillRecord) -> Certainty:
    """What the milestones rest on: a player's word is *declared*, what the facilitator saw *observed*."""

    def those(wanted: str) -> list[Milestone]:
        return [m for m in record.milestones if basis(m) == wanted]

    widest = max(record.milestones, key=lambda m: m.at.width, default=None)
    return Certainty(
        len(those("machine")),
        len(those("declared")),
        len(those("observed")),
        len(those("transcript")),
        sum(m.conflict for m in record.milestones),
        length(widest.at.width * record.pace) if widest else "–",
        milestone_words(widest.key) if widest else "",
    )


def basis(milestone: Milestone) -> str:
    """What a milestone rests on: machine, declared, observed or transcript."""
    if milestone.source is Source.OBSERVER:
        return "observed"
    if milestone.source is Source.TRANSCRIPT:
        return "transcript"
    return "declared" if milestone.declared or milestone.source is Source.PLAYER_ACTION else "machine"


def findings(record: DrillRecord) -> tuple[FindingRow, ...]:
    """What to do better, the worst first, then the strengths."""
    return tuple(_finding(record, f) for f in sorted(record.findings, key=lambda f: _BEHIND_ORDER[f.severity]))


def to_fix(record: DrillRecord, most: int = 3) -> tuple[FindingRow, ...]:
    """The things to fix first."""
    return tuple(f for f in findings(record) if f.severity is not Severity.STRENGTH)[:most]


def nothing_to_fix(record: DrillRecord) -> str:
    """What stands in place of the things to fix where there are none: that nothing was measured is no praise."""
    if record.verdict is Verdict.ERROR:
        why = printable(record.verdict_message or record.verdict_reason).rstrip(".") or "it ended in an error"
        return f"The drill itself comes first, for it measured nobody: {why}."
    if record.verdict is Verdict.STOPPED:
        return "No findings: it was stopped before the evidence showed any."
    if any(o.verdict in (ObjectiveVerdict.MISSED, ObjectiveVerdict.INDETERMINATE) for o in record.objectives):
        return "No findings beside the objectives that were not met."
    return "No findings: the evidence alone shows nothing to improve."


def _finding(record: DrillRecord, f: Finding) -> FindingRow:
    shown = (fact for fact in in_order(record.facts) if fact.id in f.fact_ids)
    return FindingRow(
        f.rule, f.severity, printable(f.title), printable(f.text), tuple(evidence(record, x) for x in shown)
    )


def timeline(record: DrillRecord) -> tuple[tuple[EvidenceRow, ...], int]:
    """The facts that tell the story in order of time, and how many were left to the JSON."""
    happened = sorted(_happened(record.facts), key=lambda one: (one.at.not_before, one.at.not_after, one.facts[0].id))
    chosen = list(_telling(happened))
    told = sum(len(one.facts) for one in chosen)
    return tuple(_row(record, one) for one in chosen), len(record.facts) - told


def _happened(facts: Iterable[Fact]) -> Iterable[Occurrence]:
    """Each event once, however many sources tell of it."""
    by_kind: dict[FactKind, list[Fact]] = {}
    for fact in facts:
        by_kind.setdefault(fact.kind, []).append(fact)
    for those in by_kind.values():
        yield from occurrences(those)


def _telling(happened: Iterable[Occurrence]) -> Iterable[Occurrence]:
    seen: dict[FactKind, int] = {}
    for one in happened:
        kind = one.facts[0].kind
        seen[kind] = seen.get(kind, 0) + 1
        if kind not in NOISE and (any(f.actor for f in one.facts) or seen[kind] <= KEPT_OF_A_KIND):
            yield one


def _row(record: DrillRecord, one: Occurrence) -> EvidenceRow:
    """An event as a row: when by all of its sources together, in the words of the one that knows who."""
    lead = next((f for f in one.facts if f.actor), one.facts[0])
    told = [f.evidence for f in one.facts if f.evidence and f.source is lead.source]
    words = "; ".join(dict.fromkeys(told)) or next((f.evidence for f in one.facts if f.evidence), "")
    sources = ", ".join(dict.fromkeys(str(f.source) for f in one.facts))
    return replace(evidence(record, replace(lead, at=one.at, evidence=words)), source=sources)


def evidence(record: DrillRecord, fact: Fact) -> EvidenceRow:
    """A fact as a row: when, who, what, on whose word."""
    mark = {
        FactKind.FAULT_INJECTED: "fault",
        FactKind.FAULT_EFFECTIVE: "fault",
        FactKind.FAULT_REVERTED: "restored",
        FactKind.ALERT_FIRING: "alert",
        FactKind.ALERT_RESOLVED: "restored",
        FactKind.CLIENT_COMPLAINED: "client",
        FactKind.INTERFERENCE: "alert",
    }.get(fact.kind, "person" if fact.actor else "")
    return EvidenceRow(
        clock_of(record, fact.at),
        real_time(fact.at.not_after),
        printable(fact.actor),
        milestone_words(fact.kind),
        str(fact.source),
        printable(fact.evidence),
        mark,
    )

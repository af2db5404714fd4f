"""Writes the after-action report: the drill's record, and the DrillReport that is stored with it (`store.reports`).

The formats are rendered from the record by whoever wants one (`kubectl drill report`). A new revision, made
when evidence came later, replaces the record and keeps what people have added.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kubedrill.api.base import API_VERSION
from kubedrill.api.drill import EVIDENCE_MARK
from kubedrill.core.evidence.facts import Interval
from kubedrill.core.machine.judged import verdict_now
from kubedrill.core.machine.kept import imported_mark
from kubedrill.core.machine.phases import TERMINAL
from kubedrill.core.machine.reducer import Decision
from kubedrill.core.machine.state import Observation
from kubedrill.core.measure.corrections import amendments, attributions
from kubedrill.core.measure.drill_record import Circumstances, assemble
from kubedrill.core.measure.results import DrillRecord, Restoration
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.core.undo.health import awaited
from kubedrill.kube.client import Kube
from kubedrill.kube.paths import REPORTS
from kubedrill.plugins.reports import render
from kubedrill.plugins.reports.wording import headline
from kubedrill.store.reports import store_report

REVISION = "kubedrill.dev/revision"


def report_name(drill: Mapping[str, Any]) -> str:
    """Name of a drill's report: it outlives the drill, so it carries a part of its UID."""
    return f"{drill['metadata']['name']}-{drill['metadata']['uid'][:8]}"


async def read_revision(kube: Kube, drill: Mapping[str, Any]) -> tuple[int, str]:
    """The revision of the report that stands (0: none), and the mark of the imported evidence that it knows."""
    answer = await kube.get(REPORTS.one(drill["metadata"]["namespace"], report_name(drill)))
    meta = answer.body.get("metadata") or {} if answer.ok else {}
    return int((meta.get("annotations") or {}).get(REVISION, 0)), imported_mark(meta)


async def write_report(
    kube: Kube, drill: Mapping[str, Any], decision: Decision, seen: Observation, revision: int, now: datetime
) -> bool:
    """Writes the record and the report. False when the API server would not take them; then it is tried again.

    Raises:
        ReportRefused: it never will take them.
    """
    if seen.drill_plan is None:
        return False
    record = record_of(drill, decision, seen)
    annotations = {REVISION: str(revision), EVIDENCE_MARK: seen.imported}
    namespace = drill["metadata"]["namespace"]
    return await store_report(kube, namespace, report_of(drill, record, now), render(record, "json"), annotations)


def record_of(drill: Mapping[str, Any], decision: Decision, seen: Observation) -> DrillRecord:
    """Everything that a report tells, from what the drill knows."""
    assert seen.drill_plan is not None  # noqa: S101  asked by the caller
    state, so_far = decision.state, decision.assessment
    # what was told at the end stands; what came later is told by a revision of its own
    verdict = verdict_now(state, so_far) if state.phase in TERMINAL else state.verdict
    threshold, what_it_is = _threshold_of(seen.drill_plan)
    return assemble(
        seen.drill_plan,
        seen.facts,
        seen.series,
        so_far,
        verdict,
        Circumstances(
            name=drill["metadata"]["name"],
            namespace=drill["metadata"]["namespace"],
            started=state.start_ex,
            ended=state.end_ex,
            impact_threshold=threshold,
            impact_threshold_is=what_it_is,
            restoration=Restoration(
                complete=state.restored is not None and not seen.records,
                at=_restored_at(state.restored),
                fields=state.outcomes,
                records_left=len(seen.records),
                notes=(*state.notes, *_not_ready(seen)),
            ),
            measurement=_how_measured(seen),
            unread=seen.unread,
            corrections=(
                *attributions(seen.facts),
                *amendments(state.verdict, verdict, _judged_before(drill), so_far.objectives),
            ),
        ),
    )


def _threshold_of(drill_plan: DrillPlan) -> tuple[float | None, str]:
    """What is drawn across the impact's curve, and what it is: a check's bound belongs to that check's own curve."""
    if drill_plan.impact.alert:
        return drill_plan.impact.threshold, "alert above"
    steady = (c.below for c in drill_plan.steady if c.below is not None and c.query == drill_plan.impact.query)
    return next(steady, None), "steady below"


def _judged_before(drill: Mapping[str, Any]) -> dict[str, str]:
    """The verdict of each objective as the Drill's status has it."""
    return {o["name"]: o["verdict"] for o in (drill.get("status") or {}).get("objectives", ())}


def _not_ready(seen: Observation) -> tuple[str, ...]:
    """Fields are back before pods are: a reader must not take the one for the other."""
    waiting = awaited(seen.health)
    return (f"When this was written not all pods were ready again: {waiting}",) if waiting else ()


def _restored_at(at: datetime | None) -> Interval | None:
    return Interval.at(at) if at else None


def _how_measured(seen: Observation) -> tuple[str, ...]:
    """Which sources spoke, so that a reader knows what a time rests on."""
    counts = Counter(f.source.value for f in seen.facts)
    return tuple(f"{source}: {number} fact{'s' * (number > 1)}" for source, number in sorted(counts.items()))


def report_of(drill: Mapping[str, Any], record: DrillRecord, now: datetime) -> dict[str, Any]:
    """The DrillReport, whose record is named when it is stored."""
    return {
        "apiVersion": API_VERSION,
        "kind": "DrillReport",
        "metadata": {"name": report_name(drill), "labels": {"kubedrill.dev/drill": drill["metadata"]["name"]}},
        "spec": {
            "drill": drill["metadata"]["name"],
            "drillUid": drill["metadata"]["uid"],
            "title": record.title,
            "headline": headline(record)[:4096],
            "verdict": record.verdict.value if record.verdict else "Unknown",
            "completed": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        },
    }

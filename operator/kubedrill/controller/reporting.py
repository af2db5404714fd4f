"""Writes the after-action report: the drill's record in ConfigMaps, and a DrillReport that names them.

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
from kubedrill.core.machine.conditions import verdict_of
from kubedrill.core.machine.kept import imported_mark
from kubedrill.core.machine.reducer import Decision
from kubedrill.core.machine.state import Observation
from kubedrill.core.measure.drill_record import Circumstances, assemble
from kubedrill.core.measure.results import DrillRecord, Restoration
from kubedrill.kube.client import MERGE_PATCH, Answer, Kube
from kubedrill.kube.paths import CONFIG_MAPS, REPORTS, Namespaced
from kubedrill.kube.refusals import is_admission, is_unstorable
from kubedrill.plugins.reports import render
from kubedrill.plugins.reports.wording import headline

CHUNK = 400_000
REVISION = "kubedrill.dev/revision"


class ReportRefused(Exception):
    """The API server would not take the report. `for_good` when it never will."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"the report can't be written: {answer.status} {answer.message}")
        self.for_good = is_unstorable(answer)


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
    text = render(record, "json")
    chunks = [text[i : i + CHUNK] for i in range(0, len(text), CHUNK)]
    namespace, name = drill["metadata"]["namespace"], report_name(drill)
    parts = [f"{name}-{n}" for n in range(len(chunks))]
    owner = await _write_object(kube, REPORTS, namespace, name, _report(drill, record, parts, now))
    if not owner.ok:
        return False
    for number, chunk in enumerate(chunks):
        body = _config_map(f"{name}-{number}", chunk, owner.body["metadata"])
        if not (await _write_object(kube, CONFIG_MAPS, namespace, f"{name}-{number}", body)).ok:
            return False
    marked = {"metadata": {"annotations": {REVISION: str(revision), EVIDENCE_MARK: seen.imported}}}
    return (await kube.call("PATCH", REPORTS.one(namespace, name), marked, content_type=MERGE_PATCH)).ok


def record_of(drill: Mapping[str, Any], decision: Decision, seen: Observation) -> DrillRecord:
    """Everything that a report tells, from what the drill knows."""
    assert seen.drill_plan is not None  # noqa: S101  asked by the caller
    state = decision.state
    verdict = verdict_of(decision)
    threshold = next((c.below for c in seen.drill_plan.steady if c.below is not None), None)
    return assemble(
        seen.drill_plan,
        seen.facts,
        seen.series,
        Circumstances(
            name=drill["metadata"]["name"],
            namespace=drill["metadata"]["namespace"],
            now=seen.now,
            started=state.start_ex,
            ended=state.end_ex,
            decided=state.ending.verdict if state.ending else None,
            reason=verdict[1] if verdict else "",
            message=verdict[2] if verdict else "",
            impact_threshold=threshold,
            restoration=Restoration(
                complete=state.restored is not None and not seen.records,
                at=_restored_at(state.restored),
                fields=state.outcomes,
                records_left=len(seen.records),
                notes=state.notes,
            ),
            measurement=_how_measured(seen),
        ),
    )


def _restored_at(at: datetime | None) -> Interval | None:
    return Interval.at(at) if at else None


def _how_measured(seen: Observation) -> tuple[str, ...]:
    """Which sources spoke, so that a reader knows what a time rests on."""
    counts = Counter(f.source.value for f in seen.facts)
    return tuple(f"{source}: {number} facts" for source, number in sorted(counts.items()))


def _report(drill: Mapping[str, Any], record: DrillRecord, parts: list[str], now: datetime) -> dict[str, Any]:
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
            "record": parts,
        },
    }


def _config_map(name: str, text: str, owner: Mapping[str, Any]) -> dict[str, Any]:
    reference = {"apiVersion": API_VERSION, "kind": "DrillReport", "name": owner["name"], "uid": owner["uid"]}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "data": {"record": text},
        "metadata": {"name": name, "ownerReferences": [reference], "labels": {"kubedrill.dev/evidence": "record"}},
    }


async def _write_object(kube: Kube, kind: Namespaced, namespace: str, name: str, body: dict[str, Any]) -> Answer:
    """Creates it, or merges it into the one that is there."""
    answer = await kube.call("POST", kind.of(namespace), body)
    if answer.status == 409 and not is_admission(answer):
        answer = await kube.call("PATCH", kind.one(namespace, name), body, content_type=MERGE_PATCH)
    if is_unstorable(answer):
        raise ReportRefused(answer)
    return answer

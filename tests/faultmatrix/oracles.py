"""What must be true of a run, whatever went wrong in it. Each oracle answers with what it found, or nothing.

They look at the API server, Redis and Alertmanager themselves, and at the versions that the witness saw: never at
what the operator says of itself, but for the verdict, which is then held against what was seen.
"""

from __future__ import annotations

import copy
import json
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kubedrill.core.pointers import read
from tests.faultmatrix import shapes
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.plan import Plan
from tests.faultmatrix.slot import Slot
from tests.faultmatrix.witness import Sighting, Witness

OURS: Final = "manager-"
MASKED: Final = ("resourceVersion", "generation", "creationTimestamp", "uid", "managedFields")
REVISION: Final = "deployment.kubernetes.io/revision"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be."""

    oracle: str
    what: str

    def __str__(self) -> str:
        return f"{self.oracle} {self.what}"


@dataclass
class Evidence:
    """What a run leaves to the oracles. Instants are monotonic seconds of this process."""

    plan: Plan
    slot: Slot
    witness: Witness
    before: dict[str, dict[str, Any]]
    status: dict[str, Any] = field(default_factory=dict)
    ended_at: float = 0.0
    healed_at: float = 0.0
    logs: list[Path] = field(default_factory=list)
    exits: list[str] = field(default_factory=list)
    own_values: set[str] = field(default_factory=set)
    drills: tuple[str, ...] = ()
    refused: list[str] = field(default_factory=list)
    late: str = ""
    stuck_seen: bool = False
    unmet: list[int] = field(default_factory=list)


async def judged(seen: Evidence) -> list[Finding]:
    """All that is wrong with a run."""
    found = [Finding("O4", seen.late)] if seen.late else []
    found += [Finding("O0", f"rule {number} never met its request") for number in seen.unmet]
    now = await seen.slot.workloads(seen.plan.fault)
    if seen.plan.story not in ("target-gone", "namespace-gone"):
        found += _as_before(seen, now)
    found += [*_counted(seen), *_values(seen), *_law(seen), *_verdict(seen), *_processes(seen), *_bound(seen)]
    found += [Finding("O8", f"the API server refused {what}") for what in seen.refused]
    found += await _residue(seen, now)
    return found


def masked(workload: dict[str, Any]) -> dict[str, Any]:
    """A workload without what differs from moment to moment."""
    meta = {k: v for k, v in workload.get("metadata", {}).items() if k not in MASKED}
    notes = {k: v for k, v in meta.pop("annotations", {}).items() if k != REVISION}
    return {"metadata": meta | {"annotations": notes}, "spec": copy.deepcopy(workload.get("spec", {})),
            "owners": owners(workload)}


def owners(workload: dict[str, Any]) -> list[Any]:
    """Who owns which field of the spec, without the times."""
    entries = workload.get("metadata", {}).get("managedFields") or ()
    kept = [{k: v for k, v in e.items() if k != "time"} for e in entries if e.get("subresource") != "status"]
    return sorted(kept, key=lambda e: json.dumps(e, sort_keys=True))


def _as_before(seen: Evidence, now: dict[str, dict[str, Any]]) -> Iterable[Finding]:
    """O1: masked, the targets are what they were; O6: but for what people have made of them."""
    for name, was in seen.before.items():
        here = now.get(name, {})
        if not here.get("spec"):
            yield Finding("O1", f"{name} is gone")
            continue
        limit = read(here, shapes.LIMIT)
        if seen.plan.expect.value:
            if limit != seen.plan.expect.value:
                yield Finding("O6", f"{name} has {limit}, and somebody set {seen.plan.expect.value}")
            if seen.plan.expect.other_field and here["spec"].get("revisionHistoryLimit") != 7:
                yield Finding("O6", f"{name} has lost somebody's change of another field")
            continue
        a, b = masked(was), masked(here)
        parts = [k for k in a if a[k] != b[k]]
        if parts:
            yield Finding("O1", f"{name} differs in {', '.join(parts)}: {_difference(a, b)}")


def _difference(a: Any, b: Any, path: str = "") -> str:
    """The first place where two values differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(a.keys() | b.keys()):
            if a.get(key) != b.get(key):
                return _difference(a.get(key), b.get(key), f"{path}/{key}")
    return f"{path}: {str(a)[:200]} -> {str(b)[:200]}"


def _counted(seen: Evidence) -> Iterable[Finding]:
    """O2: at most one injection and one revert a target, as its versions tell."""
    for kind, name in shapes.targets_of(seen.plan.fault):
        by_uid: dict[str, list[Any]] = {}
        for one in seen.witness.of("target", name):
            by_uid.setdefault(one.uid, []).append(one.value)
        for values in by_uid.values():
            into = sum(a != FAULTED and b == FAULTED for a, b in zip(values, values[1:], strict=False))
            if into > seen.plan.expect.injections:
                yield Finding("O2", f"{kind}/{name} was injected {into} times")


def _values(seen: Evidence) -> Iterable[Finding]:
    """O5: the touched field is always before or after, or what somebody else set."""
    allowed = {shapes.GOOD, FAULTED, *seen.own_values}
    names = {name for _, name in shapes.targets_of(seen.plan.fault)}
    strange = {s.value for s in seen.witness.of("target") if s.name in names} - allowed
    if strange:
        yield Finding("O5", f"a limit was {', '.join(map(str, strange))}")


def _law(seen: Evidence) -> Iterable[Finding]:
    """The law: nothing is touched before its undo is stored."""
    stored: dict[str, int] = {}
    for one in seen.witness.of("record"):
        stored.setdefault(one.value["target"], one.version)
    names = {name for _, name in shapes.targets_of(seen.plan.fault)}
    for one in (s for s in seen.witness.of("target") if s.name in names):
        if one.value == FAULTED and one.version < stored.get(one.name, 1 << 62):
            yield Finding("O9", f"{one.name} was touched before its undo was stored")
            return


def _verdict(seen: Evidence) -> Iterable[Finding]:
    """O7: the verdict agrees with what was seen."""
    if not seen.status:
        return
    verdict = seen.status.get("verdict")
    if verdict not in seen.plan.expect.verdict:
        message = f"{seen.status.get('phase')}: {seen.status.get('message', '')}"
        yield Finding("O7", f"the verdict is {verdict}, not {' or '.join(seen.plan.expect.verdict)} ({message[:300]})")
    restore = seen.status.get("restore") or {}
    touched = any(s.value == FAULTED for s in seen.witness.of("target"))
    if touched and not restore.get("complete"):
        yield Finding("O7", "it was touched, and the status does not say that it is put back")
    if touched and "Injected" not in {m["name"] for m in seen.status.get("milestones") or ()}:
        yield Finding("O7", "it was injected, and the milestone is missing")
    ends = {f["outcome"] for f in restore.get("fields") or ()}
    if seen.plan.expect.ends and not ends & set(seen.plan.expect.ends):
        yield Finding("O6", f"the fields ended {', '.join(sorted(ends)) or 'unsaid'}, not {', '.join(seen.plan.expect.ends)}")
    if seen.plan.expect.reported_stuck and not seen.stuck_seen:
        yield Finding("O7", "it could not be put back for a while, and Stalled never said so")


def _processes(seen: Evidence) -> Iterable[Finding]:
    """O8: no crash loop and no traceback."""
    if len(seen.exits) > seen.plan.expect.exits:
        yield Finding("O8", f"ended by itself {len(seen.exits)} times: {', '.join(seen.exits[:5])}")
    for log in seen.logs:
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        if "Traceback (most recent call last)" in text and not seen.plan.expect.exits:
            lines = text[text.index("Traceback"):].splitlines()
            last = next((line for line in lines[1:] if line and not line.startswith(" ")), "")
            yield Finding("O8", f"a traceback in {log.name}: {last[:200]}")


def _bound(seen: Evidence) -> Iterable[Finding]:
    """O4: back within its bound, counted from the end or from the last healing, whichever came later."""
    if seen.late or not seen.ended_at:
        return
    restored = restored_at(seen)
    since = max(seen.ended_at, seen.healed_at)
    if restored is not None and restored - since > seen.plan.expect.restored_within:
        took = restored - since
        yield Finding("O4", f"back after {took:.1f} s, bound {seen.plan.expect.restored_within:.0f} s")


def restored_at(seen: Evidence) -> float | None:
    """When the last target was seen back; None when none was touched."""
    back: list[float] = []
    for _, name in shapes.targets_of(seen.plan.fault):
        faulted: Sighting | None = None
        for one in seen.witness.of("target", name):
            if one.value == FAULTED:
                faulted = one
            elif faulted is not None:
                back.append(one.at)
                faulted = None
    return max(back, default=None)


async def _residue(seen: Evidence, now: dict[str, dict[str, Any]]) -> list[Finding]:
    """O3: nothing of ours is left anywhere."""
    found = [f"undo record {r['metadata']['name']}" for r in await seen.slot.records()]
    for name, here in now.items():
        meta = here.get("metadata", {})
        found += [f"{name} has label {k}" for k in meta.get("labels", {}) if k.startswith(OURS)]
        found += [f"{name} has annotation {k}" for k in meta.get("annotations", {}) if "kubedrill" in k]
        found += [f"{name} has an entry of {e['manager']}" for e in meta.get("managedFields") or ()
                  if str(e.get("manager")).startswith((OURS, "kubedrill"))]
    found += [f"Drill {name}" for name in seen.drills if await seen.slot.drill(name)]
    found += await _revisions(seen)
    found += await _jobs(seen.slot)
    if seen.plan.fault == "alert":
        found += _alerts(seen.slot)
    return [Finding("O3", what) for what in found]


async def _revisions(seen: Evidence) -> list[str]:
    """Revisions that would bring the fault back with the owner's next `rollout undo`."""
    found = []
    if seen.plan.expect.value == FAULTED or "carried" in seen.plan.name:
        return found
    for plural in ("replicasets", "controllerrevisions"):
        listed = await seen.slot.must("GET", f"/apis/apps/v1/namespaces/{seen.slot.target}/{plural}", also=(403, 404))
        for item in listed.body.get("items") or ():
            holder = item if "spec" in item else item.get("data") or {}
            if read(holder, shapes.LIMIT) == FAULTED:
                found.append(f"{plural} {item['metadata']['name']} carries the fault")
    return found


async def _jobs(slot: Slot) -> list[str]:
    """Fake jobs in the queue or in a worker's hands; a mark that never ends."""
    found = []
    async with slot.redis() as redis:
        async for key in redis.scan_iter(match=f"*{slot.target}:*"):
            kind = await redis.type(key)
            if kind == "list":
                fakes = [job for job in await redis.lrange(key, 0, -1) if '"drill-' in job]
                found += [f"{len(fakes)} fake jobs in {key}"] if fakes else []
        async for key in redis.scan_iter(match="*drill*"):
            if await redis.ttl(key) == -1:
                found.append(f"the mark {key} never ends")
    return found


def _alerts(slot: Slot) -> list[str]:
    url = f"http://127.0.0.1:{slot.services.alertmanager}/api/v2/alerts?active=true"
    with urllib.request.urlopen(url, timeout=5) as answer:
        alerts = json.loads(answer.read())
    return [f"alert {a['labels']['alertname']} is active" for a in alerts if a["labels"].get("namespace") == slot.target]

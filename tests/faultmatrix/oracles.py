"""What must be true of a run, whatever went wrong in it. Each oracle answers with what it found, or nothing.

They look at the API server, Redis and Alertmanager themselves, and at the versions that the witness saw: never at
what the operator says of itself, but for the verdict, which is then held against what was seen.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Final

from tests.faultmatrix import shapes
from tests.faultmatrix.claims import claimed
from tests.faultmatrix.evidence import Evidence, Finding
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.made import last_of_ours, made_and_removed, ours
from tests.faultmatrix.residue import residue
from tests.faultmatrix.witness import Sighting

MASKED: Final = ("resourceVersion", "generation", "creationTimestamp", "uid", "managedFields")
REVISION: Final = "deployment.kubernetes.io/revision"
TRACEBACK: Final = re.compile(r"Traceback \(most recent call last\)")
CAUGHT: Final = re.compile(rf"^\S+ \S+ ERROR kubedrill\S*: .*\n{TRACEBACK.pattern}", re.MULTILINE)
"""One that the operator caught itself and wrote down."""


async def judged(seen: Evidence) -> list[Finding]:
    """All that is wrong with a run."""
    found = [Finding("O4", seen.late)] if seen.late else []
    found += [Finding("O0", f"rule {number} never met its request") for number in seen.unmet]
    now = await seen.slot.workloads(seen.plan.fault)
    if seen.plan.story not in ("target-gone", "namespace-gone"):
        found += _as_before(seen, now)
    found += [*_counted(seen), *_values(seen), *_law(seen), *_verdict(seen), *_processes(seen), *_bound(seen)]
    found += [*_told(seen), *claimed(seen), *made_and_removed(seen)]
    found += [Finding("O8", f"the API server refused {what}") for what in seen.refused]
    found += [Finding("O3", what) for what in await residue(seen, now)]
    return found


def masked(workload: dict[str, Any]) -> dict[str, Any]:
    """A workload without what differs from moment to moment."""
    meta = {k: v for k, v in workload.get("metadata", {}).items() if k not in MASKED}
    notes = {k: v for k, v in meta.pop("annotations", {}).items() if k != REVISION}
    return {
        "metadata": meta | {"annotations": notes},
        "spec": copy.deepcopy(workload.get("spec", {})),
        "owners": owners(workload),
    }


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
        limit = shapes.value_of(here)
        if seen.plan.expect.value:
            if limit != seen.plan.expect.value:
                yield Finding("O6", f"{name} has {limit}, and somebody set {seen.plan.expect.value}")
            a, b = (_beside_template(thing) for thing in (was, here))
            if a != b:
                yield Finding("O1", f"{name} differs beside what somebody set: {_difference(a, b)}")
            if seen.plan.expect.other_field and here["spec"].get("revisionHistoryLimit") != 7:
                yield Finding("O6", f"{name} has lost somebody's change of another field")
            continue
        a, b = masked(was), masked(here)
        parts = [k for k in a if a[k] != b[k]]
        if parts:
            yield Finding("O1", f"{name} differs in {', '.join(parts)}: {_difference(a, b)}")


def _beside_template(workload: dict[str, Any]) -> dict[str, Any]:
    """A workload's spec without what people set or scale in the plans, this one's or one before it in the slot."""
    set_by_people = ("template", "revisionHistoryLimit", "replicas")
    return {k: v for k, v in workload["spec"].items() if k not in set_by_people}


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
            into = sum(a != FAULTED and b == FAULTED for a, b in pairwise(values))
            if into > seen.plan.expect.injections:
                yield Finding("O2", f"{kind}/{name} was injected {into} times")


def _told(seen: Evidence) -> Iterable[Finding]:
    """O2: what the client says is told once, whole; O7: and it is known to have been told."""
    if not seen.plan.expect.told:
        return
    notes = [one.value for one in seen.witness.of("event") if one.event == "ADDED"]
    if (len(notes), len(set(notes))) != (seen.plan.expect.told, seen.plan.expect.told):
        yield Finding("O2", f"the players were told {len(notes)} times, not {seen.plan.expect.told}")
    if "ClientComplained" not in {m["name"] for m in seen.status.get("milestones") or ()}:
        yield Finding("O7", "the players were told, and the milestone is missing")


def _of_targets(seen: Evidence) -> list[Sighting]:
    """The versions of the plan's own targets: an earlier plan's may still stand beside them."""
    names = {name for _, name in shapes.targets_of(seen.plan.fault)}
    return [one for one in seen.witness.of("target") if one.name in names]


def _values(seen: Evidence) -> Iterable[Finding]:
    """O5: the touched field is always before or after, or what somebody else set."""
    allowed = {shapes.GOOD, FAULTED, *seen.plan.own_values}
    strange = {s.value for s in _of_targets(seen)} - allowed
    if strange:
        yield Finding("O5", f"a limit was {', '.join(map(str, strange))}")


def _law(seen: Evidence) -> Iterable[Finding]:
    """O9: the law. Nothing is touched before its undo is stored."""
    stored: dict[str, int] = {}
    for one in seen.witness.of("record"):
        stored.setdefault(one.value["target"], one.version)
    for one in _of_targets(seen):
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
    touched = any(s.value == FAULTED for s in seen.witness.of("target")) or bool(ours(seen.witness))
    if touched and not restore.get("complete"):
        yield Finding("O7", "it was touched, and the status does not say that it is restored")
    told = "Injected" in {m["name"] for m in seen.status.get("milestones") or ()}
    if touched and not told and not seen.plan.expect.untold:
        yield Finding("O7", "it was injected, and the milestone is missing")
    ends = {f["outcome"] for f in restore.get("fields") or ()}
    if seen.plan.expect.ends and not ends & set(seen.plan.expect.ends):
        wanted = ", ".join(seen.plan.expect.ends)
        yield Finding("O6", f"the fields ended {', '.join(sorted(ends)) or 'unsaid'}, not {wanted}")
    if seen.plan.expect.reported_stuck and not seen.stuck_seen:
        yield Finding("O7", "it could not be restored for a while, and Stalled never said so")


def _processes(seen: Evidence) -> Iterable[Finding]:
    """O8: no crash loop and no traceback."""
    if len(seen.exits) > seen.plan.expect.exits:
        yield Finding("O8", f"ended by itself {len(seen.exits)} times: {', '.join(seen.exits[:5])}")
    for log in seen.logs:
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        # a process that may end says of what it died; what it caught itself is a fault of ours all the same
        found = (CAUGHT if seen.plan.expect.exits else TRACEBACK).search(text)
        if found:
            lines = text[found.end() :].splitlines()
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
    back += [one.at for one in last_of_ours(seen.witness) if one.event == "DELETED"]
    return max(back, default=None)

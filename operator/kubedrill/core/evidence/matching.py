"""Whose doing was it? Matches changes and reads to the players, and tells of what is nobody's that is known.

Only a player's change is a player's fix. The evidence, strongest first: the facilitator's attribution, the
audit log's or the witness' user, the player's own field manager, the player's own word about it close to it. A change
that one of them shows as somebody else's is never credited by a weaker sign. Where it stays open who it was (`who_is`),
a stranger or nobody knows, the change becomes Interference until the facilitator attributes it. The cluster's own
machinery (the autoscaler) is neither.

A pure pass over all facts, made anew at every turn, because evidence comes late: a player's word a second
after the change, the audit log at the end. Its results are not stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import timedelta

from kubedrill.core.evidence.attribution import CHANGES, READS, Somebody, Standing, is_controller, who_is
from kubedrill.core.evidence.facts import Fact, FactKind, FactSet, Interval, Source, in_order
from kubedrill.core.evidence.testimony import counted
from kubedrill.core.evidence.witnessed import WATCHES, confirmed
from kubedrill.core.machine.bounds import short_id
from kubedrill.core.plan.drill_plan import FIELD_MANAGER, KUBERNETES, Participant

WORDS = frozenset({FactKind.CONTAINMENT_ATTEMPTED, FactKind.FIX_APPLIED})
NEAR = timedelta(seconds=15)
"""How far a player's word about a change may be from it, at no pace: people type."""
SAME = timedelta(seconds=1)
"""How far the stamps of one write may be apart in two sources."""
SAME_VALUES = 2

_Writes = dict[str, list[Fact]]


def matched(
    facts: Iterable[Fact],
    players: Collection[Participant],
    targets: Collection[str] = (),
    *,
    accepts_reconcilers: bool = False,
) -> FactSet:
    """The facts with their actors, sources paired, an Interference for each unattributed change.

    Words that would credit whoever says them are notes (`testimony`).
    `targets` are the workloads that the drill touches (all workloads count when it names none). Where the drill
    `accepts_reconcilers`, what is known as a controller is an automation.
    """
    given = confirmed(counted(facts, players))
    paired = _paired(_owned(given, targets))
    writes: dict[str, list[Fact]] = {}
    for fact in paired:
        if fact.kind in CHANGES:
            writes.setdefault(str(fact.detail["change"]), []).append(fact)
    result = {_reader(f, players) if f.kind in READS else f for f in paired if f.kind not in CHANGES}
    for change, parts in writes.items():
        whose, how = _whose(change, parts, given, players)
        if accepts_reconcilers and whose.is_open and _is_a_controllers(parts):
            whose = Somebody(Standing.AUTOMATION)
        result.update(_judged(change, parts, whose, how, targets))
    return FactSet(result)


def _owned(facts: FactSet, targets: Collection[str]) -> FactSet:
    """Pods that somebody deleted, as whose they were: a neighbour's are not the target's.

    The audit log tells their names alone; what was seen of the pods tells whose they were. Of several workloads' pods
    one that the drill touches counts. Pods that nobody has seen stay anybody's.
    """
    deleted = [f for f in in_order(facts, FactKind.PODS_DELETED) if not f.detail.get("target") and f.detail.get("pods")]
    if not deleted:
        return facts
    seen = (f.detail for f in facts if f.source is Source.POD_WATCH)
    owners = {str(one["pod"]): str(one["target"]) for one in seen if "pod" in one and "target" in one}
    known: dict[str, Fact] = {}
    for fact in deleted:
        whose = [owners.get(str(pod), "") for pod in fact.detail["pods"]]
        if all(whose):
            target = next((one for one in whose if one in targets), whose[0])
            known[fact.id] = replace(fact, detail={**fact.detail, "target": target})
    return FactSet(known.get(f.id, f) for f in facts) if known else facts


def _paired(facts: FactSet) -> frozenset[Fact]:
    """Facts of the audit log and of autoscalers take the change of the watched write that they are about.

    Each watched write takes the one request to the same object at the same time that fits best: the same
    fields with the same values, then the same fields (the server rewrites quantities), then any (a whole
    manifest does not tell what of it was new). An autoscaler's own word must fit wholly. What no watched
    write takes stays on its own.
    """
    changes = in_order(facts, *CHANGES)
    watched = _by_change(f for f in changes if f.source in WATCHES and "autoscaler" not in f.detail)
    asked = _by_change(f for f in changes if f.source is Source.AUDIT_LOG)
    scaled = _by_change(f for f in changes if "autoscaler" in f.detail)
    taken = _best_fits(watched, asked, least=0) | _best_fits(watched, scaled, least=SAME_VALUES)
    if not taken:
        return facts

    def as_watched(fact: Fact) -> Fact:
        write = taken[fact.detail["change"]]
        return replace(fact, detail={**fact.detail, "change": write, "target": watched[write][0].detail["target"]})

    return frozenset(as_watched(f) if f.kind in CHANGES and f.detail["change"] in taken else f for f in facts)


def _best_fits(watched: _Writes, requests: _Writes, *, least: int) -> dict[str, str]:
    """The watched change of each request that fits one."""
    fits = sorted(
        (-agreement, abs(write[0].at.not_after - request[0].at.not_after), seen, asked)
        for seen, write in watched.items()
        for asked, request in requests.items()
        if _object(write[0]) == _object(request[0])
        and _close(write[0].at, request[0].at)
        and (agreement := _agreement(write, request)) >= least
    )
    taken: dict[str, str] = {}
    for _, _, seen, asked in fits:
        if asked not in taken and seen not in taken.values():
            taken[asked] = seen
    return taken


def _object(change: Fact) -> str:
    """What was written: a pod of its own, or the target."""
    pod = change.detail.get("pod")
    return f"Pod/{pod}" if pod else str(change.detail.get("target"))


def _by_change(facts: Iterable[Fact]) -> _Writes:
    groups: _Writes = {}
    for fact in sorted(facts, key=lambda f: f.id):
        groups.setdefault(str(fact.detail["change"]), []).append(fact)
    return groups


def _agreement(write: list[Fact], request: list[Fact]) -> int:
    asked = {(f.detail.get("field"), str(f.detail.get("after"))) for f in request}
    if any((f.detail["field"], str(f.detail["after"])) in asked for f in write):
        return SAME_VALUES
    return int(bool({f.detail["field"] for f in write} & {field for field, _ in asked}))


def _close(one: Interval, other: Interval) -> bool:
    return Interval(one.not_before - SAME, one.not_after + SAME).intersection(other) is not None


def _judged(
    change: str,
    parts: list[Fact],
    whose: Somebody,
    how: str,
    targets: Collection[str],
) -> Iterable[Fact]:
    if whose.player:
        by = {"by": whose.standing.value, "matched": how}
        return [
            replace(f, actor=whose.player, evidence=f"{f.evidence} ({whose.player}: {how})", detail={**f.detail, **by})
            for f in parts
        ]
    judged = [replace(f, detail={**f.detail, "by": whose.standing.value}) for f in parts]
    target = str(parts[0].detail.get("target", ""))
    told = any(f.detail.get("path") or f.kind is FactKind.PODS_DELETED for f in parts)
    if not whose.is_open or not told or (targets and target and target not in targets):
        # A manifest that was sent (`told` is false) but that no watch saw change anything is no interference.
        return judged
    return [*judged, _interference(change, parts, whose, how)]


def _is_a_controllers(parts: list[Fact]) -> bool:
    users, managers = ({str(f.detail[key]) for f in parts if f.detail.get(key)} for key in ("user", "manager"))
    return all(is_controller(user, "") for user in users) if users else any(is_controller("", m) for m in managers)


def _whose(change: str, parts: list[Fact], facts: FactSet, players: Collection[Participant]) -> tuple[Somebody, str]:
    """Who it was, and how that is known; of somebody who is not known, by which name they are called."""
    names = {p.name for p in players}
    ids = {interference_id(change), *(f.id for f in parts)}
    for fact in reversed(in_order(facts, FactKind.ATTRIBUTED)):  # what the facilitator said last
        if fact.detail.get("fact") in ids and fact.detail.get("to") in names:
            return Somebody(Standing.PLAYER, str(fact.detail["to"])), "attributed by the facilitator"
    users = sorted({str(f.detail["user"]) for f in parts if f.detail.get("user")})
    if users:
        told_by = "witness" if all(f.detail.get("witnessed") for f in parts if f.detail.get("user")) else "audit log"
        return _among(KUBERNETES, users, f"{told_by}, user", players)
    managers = sorted({str(f.detail["manager"]) for f in parts if f.detail.get("manager")})
    whose, how = _among(FIELD_MANAGER, managers, "field manager", players)
    if whose.player:
        return whose, how
    if whose.standing is Standing.AUTOMATION or any(f.detail.get("automation") for f in parts):
        return Somebody(Standing.AUTOMATION), ""
    speaker = _who_spoke_of(parts, facts)
    if speaker:
        return Somebody(Standing.PLAYER, speaker), "said so within seconds"
    return Somebody(Standing.UNKNOWN), f"somebody with {managers[0]}" if managers else "somebody"


def _among(key: str, names: list[str], evidence: str, players: Collection[Participant]) -> tuple[Somebody, str]:
    """Who acted under these names: a player if one of them is one's; the machinery only if all of them are its."""
    found = {name: who_is(key, name, players) for name in names}
    for wanted in (Standing.PLAYER, Standing.STRANGER, Standing.UNKNOWN, Standing.AUTOMATION):
        for name, whose in found.items():
            if whose.standing is wanted:
                return whose, f"{evidence} {name}" if whose.player else name
    return Somebody(Standing.UNKNOWN), ""


def _who_spoke_of(parts: list[Fact], facts: FactSet) -> str:
    """The one player who spoke of a containment or a fix close to the change; nobody when two did."""
    at = parts[0].at
    around = Interval(at.not_before - NEAR, at.not_after + NEAR)
    speakers = {f.actor for f in in_order(facts, *WORDS) if f.actor and around.intersection(f.at) is not None}
    return speakers.pop() if len(speakers) == 1 else ""


def _interference(change: str, parts: list[Fact], whose: Somebody, who: str) -> Fact:
    first = min(parts, key=lambda f: (f.source is not Source.AUDIT_LOG, f.id))
    target, path = str(first.detail.get("target", "")), str(first.detail.get("path", ""))
    what = "; ".join(sorted(f.evidence for f in parts))[:400]
    return Fact(
        FactKind.INTERFERENCE,
        first.at,
        first.source,
        interference_id(change),
        evidence=f"unattributed change by {who} to {target or 'pods'}: {what}",
        detail={"target": target, "path": path, "who": who, "by": whose.standing.value, "change": change},
    )


def interference_id(change: str) -> str:
    """The id of a change as the status shows it and the facilitator says it again: never longer than either takes."""
    return short_id(f"interference/{change}")


def _reader(fact: Fact, players: Collection[Participant]) -> Fact:
    player = who_is(KUBERNETES, str(fact.detail.get("user", "")), players).player
    return replace(fact, actor=player) if player else fact

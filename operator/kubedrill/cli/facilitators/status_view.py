"""A drill's status in words: the lines that `watch` prints when something has changed, and its whole tree.

Pure. Times are scenario time since T+0 (real time × pace), as limits are written; the bounds of a milestone
are shown when they differ by a second or more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from kubedrill.api.durations import format_duration, parse_duration
from kubedrill.core.evidence.attribution import how_to_attribute

Drill = Mapping[str, Any]
SIGNS: Final = {
    "Met": "✓",
    "Missed": "✗",
    "Indeterminate": "?",
    "Pending": "…",
    "NotStarted": "·",
}
STEPS: Final = {
    "Planned": "off",
    "Started": "being injected",
    "Injected": "ON",
    "Reverting": "being restored",
    "Reverted": "put back",
    "Failed": "FAILED",
}
NOT_BY_PLAYERS: Final = {
    "Automation": " by automation",
    "Nobody": " by itself",
    "Operator": " by the operator's restore",
    "Stranger": " after an unattributed change",
    "Unknown": " after an unattributed change",
}
"""Whose doing it was that things got better, where it was no player's."""
MAY_BE_ANYBODYS: Final = ("Mitigated", "Recovered")
LATEST: Final = 5
"""Milestones that are shown while the drill is on; all of them when it is over."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A heading with what stands below it."""

    text: str
    leaves: tuple[str, ...] = ()


def news(before: Drill, after: Drill) -> Iterator[str]:
    """What is new in a drill, a line each; nothing when only its clock went on."""
    old, new = _status(before), _status(after)
    if old.get("phase") != new.get("phase"):
        yield _phase_line(new)
    known_faults = {f["name"]: f.get("step") for f in old.get("faults", ())}
    for fault in new.get("faults", ()):
        if known_faults.get(fault["name"], "Planned") != fault["step"]:
            yield fault_line(fault)
    told = {m["name"]: milestone_line(m, after) for m in old.get("milestones", ())}
    for milestone in new.get("milestones", ()):
        if (line := milestone_line(milestone, after)) != told.get(milestone["name"]):
            yield line
    yield from _changes_news(old.get("interference", ()), new.get("interference", ()), after)
    judged = {o["name"]: o["verdict"] for o in old.get("objectives", ())}
    for objective in new.get("objectives", ()):
        if objective["verdict"] not in ("Pending", "NotStarted", judged.get(objective["name"])):
            yield objective_line(objective, after)
    if not _restored(before) and _restored(after):
        yield restore_line(after)


def tree(drill: Drill, now: datetime) -> tuple[Branch, ...]:
    """The whole drill as people follow it: safety first, then the clock, then what was measured."""
    status = _status(drill)
    faults = status.get("faults", ())
    milestones = sorted(status.get("milestones", ()), key=lambda m: m["notAfter"])
    shown = milestones if status.get("verdict") else milestones[-LATEST:]
    heading = "Milestones" if shown == milestones else f"Milestones, the last {LATEST} of {len(milestones)}"
    branches = [
        Branch(safety_line(drill, now), tuple(fault_line(f) for f in faults)),
        Branch(clock_line(drill), (status["message"],) if status.get("message") else ()),
        Branch("Unattributed changes", tuple(change_line(c, drill) for c in status.get("interference", ()))),
        Branch("Objectives", tuple(objective_line(o, drill) for o in status.get("objectives", ()))),
        Branch(heading, tuple(milestone_line(m, drill) for m in shown)),
    ]
    if _restored(drill):
        branches.append(Branch(restore_line(drill), tuple(_kept(drill))))
    return tuple(b for b in branches if b.leaves or b.text not in ("Unattributed changes", "Objectives", "Milestones"))


def _phase_line(status: Mapping[str, Any]) -> str:
    """The phase and what it means; how a drill ended is said once, in the message that has its verdict."""
    phase, message = status.get("phase", "Pending"), str(status.get("message", ""))
    return message if message.startswith(phase) else f"{phase}: {message}".rstrip(": ")


def title(drill: Drill) -> str:
    """The drill's name and what it is about."""
    spec = drill["spec"]
    pace = f", {spec['pace']} times as fast" if spec.get("pace", 1) > 1 else ""
    return f"{drill['metadata']['name']} in {spec['targetNamespace']}{pace}"


def safety_line(drill: Drill, now: datetime) -> str:
    """Whether anything is broken at this moment, and when it is put back at the latest."""
    status = _status(drill)
    on = [f["name"] for f in status.get("faults", ()) if f["step"] in ("Started", "Injected", "Reverting")]
    if not on:
        return "No fault is active."
    deadline = (status.get("machine") or {}).get("deadline")
    left = _time(deadline) - now if deadline else None
    ends = f"; restored automatically in {_clock(max(left, timedelta(0)))}" if left is not None else ""
    return f"Fault active: {', '.join(on)}{ends} (or: kubectl drill stop {drill['metadata']['name']})"


def clock_line(drill: Drill) -> str:
    """Phase, T+ and what is due next."""
    status = _status(drill)
    parts = (status.get("phase", "Pending"), status.get("clock"), status.get("next"))
    return " · ".join(part for part in parts if part)


def fault_line(fault: Mapping[str, Any]) -> str:
    """One fault and how far it is."""
    target = f" ({fault['target']})" if fault.get("target") else ""
    message = f": {fault['message']}" if fault.get("message") else ""
    return f"fault {fault['name']}{target} {STEPS.get(fault['step'], fault['step'])}{message}"


def milestone_line(milestone: Mapping[str, Any], drill: Drill) -> str:
    """One milestone with its bounds, who did it, and what tells so."""
    who = f" by {milestone['actor']}" if milestone.get("actor") else ""
    if not who and milestone["name"] in MAY_BE_ANYBODYS:
        who = NOT_BY_PLAYERS.get(milestone.get("by", ""), "")
    at = offsets(milestone["notBefore"], milestone["notAfter"], drill)
    return f"{at} {milestone['name']}{who} [{milestone['source']}]"


def change_line(change: Mapping[str, Any], drill: Drill) -> str:
    """One unattributed change: what is known of it, and how to say whose it was."""
    is_dated = change.get("notBefore") and change.get("notAfter")  # an older operator gives none
    at = f"{offsets(change['notBefore'], change['notAfter'], drill)} " if is_dated else ""
    what = change.get("what") or f"unattributed change by {change.get('who') or 'somebody'}"
    said = change.get("attribute") or how_to_attribute(change["id"], drill["metadata"]["name"])
    return f"? {at}{_in_one_line(what)}; whose was it? {said}"


def _changes_news(
    before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]], drill: Drill
) -> Iterator[str]:
    known, now = {change["id"] for change in before}, {change["id"] for change in after}
    yield from (change_line(change, drill) for change in after if change["id"] not in known)
    yield from (f"attributed: {gone}" for gone in sorted(known - now))


def _in_one_line(text: str) -> str:
    """What somebody else wrote, without what a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in text)


def objective_line(objective: Mapping[str, Any], drill: Drill) -> str:
    """One objective: verdict, what it took, its limit."""
    pace = 1 if objective.get("ofMonitoring") else _pace(drill)
    limit = scaled(objective["limit"], pace)
    lower = scaled(objective.get("lower", ""), pace, math.floor)
    upper = scaled(objective.get("upper", ""), pace, math.ceil)
    took = f"{lower}–{upper}" if lower and upper and lower != upper else upper or (lower and f"> {lower}")
    reason = f" ({objective['reason']})" if objective.get("reason") else ""
    said = f": {took} of {limit}" if took else f": limit {limit}"
    return f"{SIGNS.get(objective['verdict'], '?')} {objective['name']} {objective['verdict']}{said}{reason}"


def restore_line(drill: Drill) -> str:
    """That everything is put back."""
    fields = _status(drill)["restore"].get("fields", ())
    kept = len(list(_kept(drill)))
    rest = f", {kept} left as somebody else wants them" if kept else ""
    return f"Everything is restored: {len(fields) - kept} of {len(fields)} fields{rest}."


def _kept(drill: Drill) -> Iterator[str]:
    for field in _status(drill)["restore"].get("fields", ()):
        if field.get("outcome") not in ("Restored", "Untouched"):
            who = f" by {field['who']}" if field.get("who") else ""
            now_is = f" is {field['now']}" if field.get("now") else ""
            yield f"{field['outcome']}{who}: {field['target']} {field['path']}{now_is}"


def offsets(not_before: str, not_after: str, drill: Drill) -> str:
    """An interval as scenario time since T+0, or as wall-clock time while there is no T+0."""
    start = _status(drill).get("clockStartTime")
    if start is None:
        return f"{_time(not_after):%H:%M:%S}"
    pace, zero = _pace(drill), _time(start)
    first, last = (_signed((_time(at) - zero) * pace) for at in (not_before, not_after))
    return f"T{first}" if first == last else f"T{first}…{last}"


def scaled(real: str, pace: int, rounded: Callable[[float], int] = round) -> str:
    """A real duration in scenario time, to the second. Bounds are rounded outwards, as in reports."""
    if not real:
        return ""
    sign = -1 if real.startswith("-") else 1
    duration = parse_duration(real.lstrip("-")) * sign * pace
    return format_duration(timedelta(seconds=rounded(round(duration.total_seconds(), 6))))


def _status(drill: Drill) -> Mapping[str, Any]:
    return drill.get("status") or {}


def _restored(drill: Drill) -> bool:
    return bool((_status(drill).get("restore") or {}).get("complete"))


def _pace(drill: Drill) -> int:
    return int(drill.get("spec", {}).get("pace", 1))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _signed(offset: timedelta) -> str:
    shown = _clock(abs(offset))
    return ("−" if offset < timedelta(0) and shown != "0:00" else "+") + shown


def _clock(duration: timedelta) -> str:
    minutes, seconds = divmod(round(duration.total_seconds()), 60)
    return f"{minutes}:{seconds:02}"

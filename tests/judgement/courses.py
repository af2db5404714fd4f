"""Courses of drills, from the ordinary to the odd: each is played to its end, and everything told of it is compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tests.judgement.played import Played

from kubedrill.api.drill import Desired
from kubedrill.core.evidence.facts import FactKind, Source

LIMIT: Final = "/spec/template/spec/containers/0/resources/limits/memory"


def _in_play() -> Played:
    drill = Played()
    drill.arm()
    drill.page()
    return drill


def everything_well_done() -> Played:
    """Acknowledged, told, fixed, recovered: all in time."""
    drill = _in_play()
    drill.pass_time(20)
    drill.happens(FactKind.ACKNOWLEDGED, by="alice")
    drill.happens(FactKind.SEVERITY_ASSESSED, by="alice", severity="P1")
    drill.pass_time(60)
    drill.happens(FactKind.CLIENT_NOTIFIED, by="alice")
    _fix(drill)
    drill.happens(FactKind.RESOLVED_DECLARED, by="alice")
    drill.end()
    return drill


def _fix(drill: Played, by: str = "alice") -> None:
    told = {"target": "Deployment/limit", "path": LIMIT, "before": "64Mi", "after": "128Mi"}
    drill.happens(FactKind.TARGET_CHANGED, by=by, source=Source.TARGET_WATCH, **told)
    drill.pass_time(30)
    drill.happens(FactKind.IMPACT_FALLING, source=Source.PROMETHEUS)
    drill.pass_time(30)
    drill.happens(FactKind.STEADY_AGAIN, source=Source.PROMETHEUS)


def nobody_acts() -> Played:
    """The alert fires, and nobody does or says anything until the time is up."""
    drill = _in_play()
    drill.end()
    return drill


def fixed_without_a_word() -> Played:
    """Fixed in time; nobody has acknowledged, and the limit for that was not up (field case F1)."""
    drill = _in_play()
    drill.pass_time(60)
    _fix(drill)
    drill.end()
    return drill


def healed_by_itself() -> Played:
    """It got well without anybody's doing."""
    drill = _in_play()
    drill.pass_time(60)
    drill.happens(FactKind.IMPACT_FALLING, source=Source.PROMETHEUS)
    drill.happens(FactKind.STEADY_AGAIN, source=Source.PROMETHEUS)
    drill.end()
    return drill


def stopped_early() -> Played:
    """The facilitator stops it a minute after the alert."""
    drill = _in_play()
    drill.pass_time(60)
    drill.stop()
    return drill


def stopped_before_the_alert() -> Played:
    """The facilitator stops it while the fault is being injected."""
    drill = Played()
    drill.arm()
    drill.stop()
    return drill


def acknowledged_too_late() -> Played:
    """The acknowledgement comes after its limit; then it is stopped."""
    drill = _in_play()
    drill.pass_time(400, step=20)
    drill.happens(FactKind.ACKNOWLEDGED, by="alice")
    drill.stop()
    return drill


def all_clear_too_early() -> Played:
    """Resolved and all clear are said while it burns."""
    drill = _in_play()
    drill.pass_time(30)
    drill.happens(FactKind.ACKNOWLEDGED, by="alice")
    drill.happens(FactKind.RESOLVED_DECLARED, by="alice")
    drill.happens(FactKind.ALL_CLEAR_SENT, by="alice")
    drill.end()
    return drill


def without_effect() -> Played:
    """The fault has no effect: an Error."""
    drill = Played()
    drill.arm()
    drill.end()
    return drill


def no_alert() -> Played:
    """The fault has its effect, and no alert fires."""
    drill = Played()
    drill.arm()
    drill.world.bite()
    drill.end()
    return drill


def evidence_unread() -> Played:
    """Some of the evidence can't be read at the end."""
    drill = _in_play()
    drill.pass_time(400, step=20)
    drill.looks = {"unread": ("the facts in evidence segment storm-facts-0 can't be read: it is damaged",)}
    drill.end()
    return drill


def a_strangers_fix() -> Played:
    """Somebody fixes it, and nobody knows who."""
    drill = _in_play()
    drill.pass_time(60)
    drill.happens(
        FactKind.INTERFERENCE, source=Source.TARGET_WATCH, who="somebody", by="Unknown", target="Deployment/limit"
    )
    _fix(drill, by="")
    drill.end()
    return drill


def late_word() -> Played:
    """What alice did comes to light when the report is written already."""
    drill = _in_play()
    drill.pass_time(60)
    earlier = drill.world.now
    drill.looks = {"desired": Desired.STOP, "stop_because": "a real incident"}
    drill.pass_time(60, lambda: bool(drill.records), step=1)
    now, drill.world.now = drill.world.now, earlier
    drill.happens(FactKind.ACKNOWLEDGED, by="alice")
    drill.world.now = now
    drill.end()
    return drill


COURSES: Final[Mapping[str, Callable[[], Played]]] = {
    course.__name__: course
    for course in (
        everything_well_done,
        nobody_acts,
        fixed_without_a_word,
        healed_by_itself,
        stopped_early,
        stopped_before_the_alert,
        acknowledged_too_late,
        all_clear_too_early,
        without_effect,
        no_alert,
        evidence_unread,
        a_strangers_fix,
        late_word,
    )
}

"""The metrics, projected from the Drills' own statuses when they are asked for.

So nothing vanishes when a drill ends, a restart loses nothing, and a number here is the number in the status.
Labels are bounded: drills (the newest hundred), phases, verdicts, objectives, milestones; never people.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from prometheus_client import Histogram, Metric
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from kubedrill import __version__
from kubedrill.api.drill_status import FaultStep
from kubedrill.api.durations import parse_duration
from kubedrill.core.evidence.timestamps import instant
from kubedrill.core.machine.phases import TERMINAL

LOG = logging.getLogger(__name__)
MOST_DRILLS: Final = 100
ACTIVE: Final = frozenset({FaultStep.STARTED.value, FaultStep.INJECTED.value, FaultStep.REVERTING.value})
ENDED: Final = frozenset(phase.value for phase in TERMINAL)
TURN_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

DRILL: Final = ("namespace", "drill", "scenario")
FAMILIES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "kubedrill_drill_phase": ("1 for the phase that a drill is in.", ("phase",)),
    "kubedrill_drill_verdict": ("1 for the verdict of a drill that ended.", ("verdict",)),
    "kubedrill_drill_start_timestamp_seconds": ("When the first fault was started.", ()),
    "kubedrill_objective_seconds": (
        "How long it took, at least (lower) and at most (upper).",
        ("objective", "bound"),
    ),
    "kubedrill_objective_limit_seconds": ("The limit, divided by the drill's pace.", ("objective",)),
    "kubedrill_objective_verdict": ("1 for an objective's verdict.", ("objective", "verdict")),
    "kubedrill_milestone_timestamp_seconds": (
        "Not before (lower) and not after (upper).",
        ("milestone", "bound"),
    ),
    "kubedrill_faults_active": ("Faults that are not restored yet.", ()),
    "kubedrill_faults_past_deadline": ("Faults that are not restored although their time is up.", ()),
}
UNDO_STUCK: Final = ("namespace", "drill", "record")
TURNS_FAILING: Final = ("namespace", "drill")


def _told(drills: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The newest drills, and every older one with a fault on: that must never drop out of an alert."""
    newest = sorted(drills, key=_made, reverse=True)
    return [d for number, d in enumerate(newest) if number < MOST_DRILLS or _has_active_fault(d)]


def _has_active_fault(drill: Mapping[str, Any]) -> bool:
    faults = (drill.get("status") or {}).get("faults") or ()
    return any(isinstance(f, Mapping) and f.get("step") in ACTIVE | {FaultStep.UNVERIFIED.value} for f in faults)


class DrillCollector(Collector):
    """Collects from the Drills as they are known now. `messages` and `turns` are counted elsewhere.

    `stuck` tells of the undos that can't be put back (control namespace, drill, record) from the operator's own
    memory: a metric that came from the status would be silent when the status can't be written. `failing` likewise
    tells of the drills whose turns fail (control namespace, drill, how many in a row).
    """

    def __init__(
        self,
        drills: Callable[[], Sequence[Mapping[str, Any]]],
        now: Callable[[], datetime],
        stuck: Callable[[], Iterable[tuple[str, str, str]]] = tuple,
        failing: Callable[[], Iterable[tuple[str, str, int]]] = tuple,
    ) -> None:
        self._drills, self._now, self._stuck, self._failing = drills, now, stuck, failing
        self.messages: Counter[str] = Counter({"accepted": 0, "refused": 0, "poison": 0, "unstored": 0})
        self.turns = Histogram(
            "kubedrill_turn_duration_seconds",
            "How long turns took.",
            ["result"],
            registry=None,
            buckets=TURN_BUCKETS,
        )

    def turned(self, seconds: float, *, failed: bool) -> None:
        """Counts a turn."""
        self.turns.labels("failed" if failed else "done").observe(seconds)

    def collect(self) -> Iterator[Metric]:
        """All families, those without a sample too."""
        families = {
            name: GaugeMetricFamily(name, text, labels=(*DRILL, *labels)) for name, (text, labels) in FAMILIES.items()
        }
        for drill in _told(self._drills()):
            try:
                samples = list(_samples(drill, self._now()))
            except (KeyError, TypeError, ValueError, AttributeError):
                LOG.warning("the status of a drill can't be read and gives no metrics: %s", drill.get("metadata"))
                continue
            for name, labels, value in samples:
                families[name].add_metric([*_labels(drill), *labels], value)
        yield from families.values()
        undo = GaugeMetricFamily("kubedrill_undo_stuck", "1 for an undo that can't be restored now.", labels=UNDO_STUCK)
        for labels in self._stuck():
            undo.add_metric(labels, 1)
        yield undo
        turns = GaugeMetricFamily(
            "kubedrill_turns_failing", "Turns of a drill that failed in a row.", labels=TURNS_FAILING
        )
        for namespace, name, failures in self._failing():
            turns.add_metric((namespace, name), failures)
        yield turns
        yield from self._own()

    def _own(self) -> Iterator[Metric]:
        build = GaugeMetricFamily("kubedrill_build_info", "1, with the operator's version.", labels=["version"])
        build.add_metric([__version__], 1)
        yield build
        messages = CounterMetricFamily(
            "kubedrill_webhook_messages", "Webhook messages by what became of them.", labels=["result"]
        )
        for result, count in sorted(self.messages.items()):
            messages.add_metric([result], count)
        yield messages
        yield from self.turns.collect()


_Sample = tuple[str, tuple[str, ...], float]


def _samples(drill: Mapping[str, Any], now: datetime) -> Iterator[_Sample]:
    status = drill.get("status") or {}
    yield "kubedrill_drill_phase", (str(status.get("phase") or "Pending"),), 1
    if status.get("verdict"):
        yield "kubedrill_drill_verdict", (str(status["verdict"]),), 1
    if status.get("startExTime"):
        yield "kubedrill_drill_start_timestamp_seconds", (), instant(status["startExTime"]).timestamp()
    for objective in status.get("objectives") or ():
        yield from _objective(objective)
    for milestone in status.get("milestones") or ():
        for bound, key in (("lower", "notBefore"), ("upper", "notAfter")):
            at = instant(milestone[key]).timestamp()
            yield "kubedrill_milestone_timestamp_seconds", (str(milestone["name"]), bound), at
    yield from _faults(status, now)


def _objective(objective: Mapping[str, Any]) -> Iterator[_Sample]:
    name = str(objective["name"])
    yield "kubedrill_objective_verdict", (name, str(objective["verdict"])), 1
    yield "kubedrill_objective_limit_seconds", (name,), _seconds(objective["limit"])
    for bound in ("lower", "upper"):
        if objective.get(bound):
            yield "kubedrill_objective_seconds", (name, bound), _seconds(objective[bound])


def _faults(status: Mapping[str, Any], now: datetime) -> Iterator[_Sample]:
    # what nobody can verify may be in, until somebody has decided that the drill ends like that
    active_steps = ACTIVE if status.get("phase") in ENDED else ACTIVE | {FaultStep.UNVERIFIED.value}
    active = sum(fault.get("step") in active_steps for fault in status.get("faults") or ())
    deadline = (status.get("machine") or {}).get("deadline")
    late = active if deadline and now > instant(deadline) else 0
    yield "kubedrill_faults_active", (), active
    yield "kubedrill_faults_past_deadline", (), late


def _seconds(duration: str) -> float:
    """A duration of the status; those of a stop before the start are negative."""
    if duration.startswith("-"):
        return -_seconds(duration.removeprefix("-"))
    return parse_duration(duration).total_seconds()


def _labels(drill: Mapping[str, Any]) -> tuple[str, str, str]:
    metadata, spec = drill["metadata"], drill.get("spec") or {}
    return (
        str(metadata.get("namespace", "")),
        str(metadata["name"]),
        str(spec.get("scenarioRef") or metadata["name"]),
    )


def _made(drill: Mapping[str, Any]) -> str:
    return str((drill.get("metadata") or {}).get("creationTimestamp", ""))

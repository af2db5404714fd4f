"""Stop conditions asked of Prometheus: what to ask, and what an answer says of one.

Like an alert rule: an expression is met when it gives any series at all, so `errors > 5` does and `errors`, which
always gives one, is met from the start. An error is no answer, and no answer is never "not met".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.plan.drill_plan import PlannedStop
from kubedrill.core.plan.surroundings import StopReading
from kubedrill.kube.answers import NoAnswer, quoted
from kubedrill.plugins.sources import prometheus, promql
from kubedrill.plugins.sources.base import How, SourceKind
from kubedrill.plugins.sources.polled import (
    MIB,
    AskedServer,
    Conversation,
    Heard,
    KeptSamples,
    Polled,
    Polling,
    PollScope,
    Share,
    evaluated_now,
)

STOPPING: Final = Share("stop conditions", MIB, 50_000)
"""Their own: what a query for rules brings leaves them alone."""

WRONG: Final = frozenset({"bad_data", "execution"})
"""Prometheus' words for an expression that it will never evaluate; its other errors may pass."""
OTHER_RESULTS: Final = frozenset({"matrix", "scalar", "string"})


def unaskable(condition: PlannedStop) -> StopReading | None:
    """That a condition is not valid PromQL: it is not even asked."""
    wrong = promql.check(condition.promql) if condition.promql else ""
    return StopReading(condition.name, None, f"is not valid PromQL: {wrong}"[:300], refused=True) if wrong else None


def query_of(condition: PlannedStop) -> str:
    """What to ask for at an instant."""
    return condition.promql or promql.firing(condition.alert)


def read(condition: PlannedStop, answer: Any, about: About) -> StopReading:
    """What an answer says, whatever it is. An alert counts when it is about the namespace, or about none."""
    try:
        return _read(condition, answer, about)
    except NoAnswer as error:
        return unanswered(condition, str(error))


def _read(condition: PlannedStop, answer: Any, about: About) -> StopReading:
    name = condition.name
    failed = prometheus.failure(answer)
    if failed:
        return StopReading(name, None, f"Prometheus says {failed[1]}", refused=failed[0] in WRONG)
    kind = prometheus.result_type(answer)
    if kind in OTHER_RESULTS:
        return StopReading(name, None, f"gives a {kind}; write a comparison, as in errors > 5", refused=True)
    found = list(prometheus.vector(answer))
    if condition.alert:
        fires = any(about.holds(labels) for labels, _ in found)
        return StopReading(name, fires, f"{condition.alert} fires" if fires else "")
    shown = ", ".join(_series(found))
    return StopReading(name, bool(found), f"{condition.promql} gives {shown}"[:300] if shown else "")


def unanswered(condition: PlannedStop, error: str) -> StopReading:
    """That nobody answered."""
    return StopReading(condition.name, None, error[:300])


def fact_of(reading: StopReading, asked: datetime, answered: datetime) -> Fact:
    """That a condition was met when it was asked for, between these instants."""
    at = Interval(asked, answered)
    return Fact(
        FactKind.STOP_CONDITION_MET,
        at,
        Source.PROMETHEUS,
        f"stop/{reading.name}",
        evidence=f"stop condition {reading.name}: {reading.said}",
        detail={"condition": reading.name, "said": reading.said},
    )


def _series(found: Sequence[tuple[Mapping[str, str], float]]) -> Iterator[str]:
    for labels, value in found[:3]:
        shown = ", ".join(f"{k}={quoted(v)}" for k, v in sorted(labels.items()) if k != "__name__")
        yield f"{value:g}" + (f" {{{shown}}}" if shown else "")
    if len(found) > 3:
        yield f"and {len(found) - 3} more"


class StopPoll:
    """Asks for each stop condition."""

    def __init__(self, _kept: Callable[[], KeptSamples]) -> None:
        """It keeps nothing."""

    def ask(self, scope: PollScope) -> Iterable[Conversation]:
        """One conversation a condition."""
        return [_asked(condition, scope.drill_plan.about) for condition in scope.drill_plan.stop_when]

    def told(self, scope: PollScope, heard: Sequence[Heard]) -> Polled:
        """How each condition stands, and a fact of each that is met."""
        asked = zip(scope.drill_plan.stop_when, heard, strict=True)
        stops = tuple(one.found or unanswered(condition, one.error) for condition, one in asked)
        begun, ended = scope.began - scope.error, scope.now + scope.error
        return Polled(decisive=tuple(fact_of(r, begun, ended) for r in stops if r.met), stops=stops)


def _asked(condition: PlannedStop, about: About) -> Conversation:
    wrong = unaskable(condition)
    if wrong:
        return wrong
    (reading,) = yield (evaluated_now(query_of(condition), lambda answer: read(condition, answer, about)),)
    return reading


SOURCE: Final = SourceKind(
    name="stop_conditions",
    how=How.POLL,
    facts=frozenset({FactKind.STOP_CONDITION_MET}),
    bounds="between the question and its answer",
    polling=Polling(AskedServer.PROMETHEUS, STOPPING, StopPoll),
)

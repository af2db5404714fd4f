"""The series that a drill measures, asked of Prometheus: the impact, and what every steady-state check looks at.

Raw samples where they are the expression's value, for they lie at the instants of their scrapes, else the expression
at every scrape. What is too much to be read is asked for in coarser steps at the next probe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from kubedrill.core.evidence.facts import Sample, Series
from kubedrill.core.evidence.samples import Samples
from kubedrill.core.measure.windows import IMPACT
from kubedrill.kube.answers import TooMuch
from kubedrill.plugins.sources import prometheus, promql
from kubedrill.plugins.sources.base import How, SourceKind
from kubedrill.plugins.sources.polled import (
    MEASURED,
    AskedServer,
    Conversation,
    Heard,
    KeptSamples,
    Polled,
    Polling,
    PollScope,
    errors_of,
    evaluated_now,
)
from kubedrill.plugins.sources.prometheus import RawSeries

SECOND: Final = timedelta(seconds=1)
COARSEST: Final = timedelta(minutes=1)


class SeriesPoll:
    """Keeps the samples of each query."""

    def __init__(self, kept: Callable[[], KeptSamples]) -> None:
        self._kept = kept
        self._histories: dict[str, KeptSamples] = {}

    def ask(self, scope: PollScope) -> Iterable[Conversation]:
        """One conversation a query."""
        return [self._asked(query, scope) for query in dict.fromkeys(queries(scope).values())]

    def told(self, scope: PollScope, heard: Sequence[Heard]) -> Polled:
        """The series by name. The impact's query is that of the rules by which it was asked for."""
        told = {name: self._told(name, query, scope.since) for name, query in queries(scope).items()}
        return Polled(series=told, errors=errors_of(heard))

    def _asked(self, query: str, scope: PollScope) -> Conversation:
        if query not in self._histories:
            self._histories[query] = self._kept()
        history = self._histories[query]
        try:
            if history.raw and (yield from _raw(query, history, scope)):
                return
            yield from _evaluated(query, history, scope)
        except TooMuch:
            history.restart(raw=False, step=min(2 * history.step, COARSEST))
            raise

    def _told(self, name: str, query: str, since: datetime) -> Series:
        history = self._histories.get(query)
        samples = Samples.of(next((s.samples for s in history.since(since)), ()) if history else ())
        step = prometheus.spacing(samples, history.step if history else SECOND)
        return Series(name, samples, step, samples.thinned_until)


def queries(scope: PollScope) -> dict[str, str]:
    """What is asked for by the name of its series.

    The impact is what the plan says, or while that is not derived yet the left side of the alert that starts the clock.
    """
    plan = scope.drill_plan
    loaded = scope.rules.get(plan.clock_alert)
    impact = plan.impact.query or (loaded.rule.left if loaded else "")
    return {c.name: c.query for c in plan.steady} | ({IMPACT: impact} if impact else {})


def _raw(query: str, history: KeptSamples, scope: PollScope) -> Conversation:
    """Returns whether raw samples could tell the value."""
    selectors = promql.raw_selectors(query)
    if not selectors:
        return False
    seconds = history.seconds_to_read(scope.since, scope.began)
    asked = (evaluated_now(promql.raw_samples(s, seconds), prometheus.matrix) for s in selectors)
    found = yield tuple(asked)
    total = prometheus.raw_total(found, bare=selectors == (query,))
    if total is not None:
        history.merge([RawSeries({}, total)], scope.began)
        return True
    # Several series of different scrapes: only Prometheus can tell what they come to.
    every = prometheus.spacing([s for one in found[0][:1] for s in one.samples], history.step)
    history.restart(raw=False, step=every)
    return False


def _evaluated(query: str, history: KeptSamples, scope: PollScope) -> Conversation:
    history.raw = False
    seconds, step = history.seconds_to_read(scope.since, scope.began), max(1, round(history.step.total_seconds()))

    def total_of(answer: Any) -> tuple[Sample, ...]:
        return prometheus.evaluated_total(prometheus.matrix(answer), step)

    (evaluated,) = yield (evaluated_now(promql.evaluated(query, seconds, step), total_of),)
    history.merge([RawSeries({}, evaluated)], scope.began)


SOURCE: Final = SourceKind(
    name="series",
    how=How.POLL,
    facts=frozenset(),
    bounds="series, no facts: a sample lies at the instant of its scrape or evaluation",
    polling=Polling(AskedServer.PROMETHEUS, MEASURED, SeriesPoll),
)

"""The series that a drill measures, asked of Prometheus: the impact, and what every steady-state check looks at.

Raw samples where they are the expression's value, for they lie at the instants of their scrapes, else the expression
at every scrape. What is too much to be read is asked for in coarser steps at the next probe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from kubedrill.core.evidence.facts import Sample, Series
from kubedrill.core.evidence.samples import Samples
from kubedrill.core.measure.windows import IMPACT
from kubedrill.core.plan.drill_plan import ImpactFall, RuleImpact
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
from kubedrill.plugins.sources.raw_values import raw_form

SECOND: Final = timedelta(seconds=1)
COARSEST: Final = timedelta(minutes=1)
MOST_FIRED: Final = 20
"""Of so many series of one alert is looked at what they are about; where more fire, all count."""
NAMES_OF_THINGS: Final = frozenset(
    {
        "deployment",
        "statefulset",
        "daemonset",
        "cronjob",
        "job_name",
        "horizontalpodautoscaler",
        "persistentvolumeclaim",
        "workload",
        "service",
        "ingress",
        "container",
        "app",
        "queue",
        "topic",
        "consumergroup",
    }
)
"""Labels that stay the same when something is repaired. What is named by others, such as a pod, may just be gone."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A query, and which of its series count: those with one of these sets of labels, as far as they have them.

    Without any all count.
    """

    query: str
    names: tuple[frozenset[tuple[str, str]], ...] = ()

    def counts(self, series: RawSeries) -> bool:
        """Whether a series is about what it is about, or says nothing else."""
        return not self.names or any(
            all(series.labels.get(label, value) == value for label, value in names) for names in self.names
        )


class SeriesPoll:
    """Keeps the samples of each measure."""

    def __init__(self, kept: Callable[[], KeptSamples]) -> None:
        self._kept = kept
        self._histories: dict[Measure, KeptSamples] = {}

    def ask(self, scope: PollScope) -> Iterable[Conversation]:
        """One conversation a measure. Of one that is no longer asked for nothing is kept."""
        wanted = dict.fromkeys(measures(scope).values())
        self._histories = {measure: self._histories.get(measure) or self._kept() for measure in wanted}
        return [self._asked(measure, scope) for measure in wanted]

    def told(self, scope: PollScope, heard: Sequence[Heard]) -> Polled:
        """The series by name. The impact's query is that of the rules by which it was asked for."""
        told = {name: self._told(name, measure, scope.since) for name, measure in measures(scope).items()}
        return Polled(series=told, errors=errors_of(heard))

    def _asked(self, measure: Measure, scope: PollScope) -> Conversation:
        history = self._histories[measure]
        try:
            if history.raw and (yield from _raw(measure, history, scope)):
                return
            yield from _evaluated(measure, history, scope)
        except TooMuch:
            history.restart(raw=False, step=min(2 * history.step, COARSEST))
            raise

    def _told(self, name: str, measure: Measure, since: datetime) -> Series:
        history = self._histories.get(measure)
        samples = Samples.of(next((s.samples for s in history.since(since)), ()) if history else ())
        step = prometheus.spacing(samples, history.step if history else SECOND)
        return Series(name, samples, step, samples.thinned_until)


def measures(scope: PollScope) -> dict[str, Measure]:
    """What is asked for by the name of its series.

    The impact is what the plan says, or while that is not derived yet the trouble of the alert that starts the clock.
    """
    plan = scope.drill_plan
    checks = {c.name: Measure(c.query) for c in plan.steady}
    loaded = scope.rules.get(plan.clock_alert)
    if plan.impact.query:
        return checks | {IMPACT: impact_of(plan.impact, (scope.fired or {}).get(plan.impact.alert, ()))}
    derived = loaded.rule.whole.query if loaded else ""
    return checks | ({IMPACT: Measure(derived)} if derived else {})


def impact_of(impact: ImpactFall, fired: Sequence[Mapping[str, str]]) -> Measure:
    """The impact, once it is known which of its alert's series fired: that of their rule, and of what they name."""
    if not impact.alert or not fired or len(fired) > MOST_FIRED:
        return Measure(impact.query)
    rules = [rule for rule in impact.rules if any(_is_of(rule, labels) for labels in fired)]
    telling = NAMES_OF_THINGS.difference(*(rule.labels for rule in impact.rules))  # those of rules are not the series'
    names = {frozenset((k, v) for k, v in labels.items() if k in telling) for labels in fired}
    query = rules[0].query if len(rules) == 1 else impact.query
    return Measure(query, tuple(sorted(names, key=sorted)) if frozenset() not in names else ())


def _is_of(rule: RuleImpact, labels: Mapping[str, str]) -> bool:
    """Whether an alert with these labels may be of a rule; a label that is a template says nothing."""
    return all(labels.get(name) == value for name, value in rule.labels.items() if "{{" not in value)


def _raw(measure: Measure, history: KeptSamples, scope: PollScope) -> Conversation:
    """Returns whether raw samples could tell the value."""
    form = raw_form(measure.query)
    if form is None:
        return False
    seconds = history.seconds_to_read(scope.since, scope.began)
    asked = (evaluated_now(promql.raw_samples(s, seconds), prometheus.matrix) for s in form.selectors)
    found = yield tuple(asked)
    if form.bare:
        found = [[series for series in found[0] if measure.counts(series)]]
    total = prometheus.raw_total(found, form)
    if total is not None:
        history.merge([RawSeries({}, total)], scope.began)
        return True
    # Several series of different scrapes: only Prometheus can tell what they come to.
    every = prometheus.spacing([s for one in found[0][:1] for s in one.samples], history.step)
    history.restart(raw=False, step=every)
    return False


def _evaluated(measure: Measure, history: KeptSamples, scope: PollScope) -> Conversation:
    history.raw = False
    seconds, step = history.seconds_to_read(scope.since, scope.began), max(1, round(history.step.total_seconds()))

    def total_of(answer: Any) -> tuple[Sample, ...]:
        return prometheus.evaluated_total(filter(measure.counts, prometheus.matrix(answer)), step)

    (evaluated,) = yield (evaluated_now(promql.evaluated(measure.query, seconds, step), total_of),)
    history.merge([RawSeries({}, evaluated)], scope.began)


SOURCE: Final = SourceKind(
    name="series",
    how=How.POLL,
    facts=frozenset(),
    bounds="series, no facts: a sample lies at the instant of its scrape or evaluation",
    polling=Polling(AskedServer.PROMETHEUS, MEASURED, SeriesPoll),
)

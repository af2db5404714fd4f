"""The history of alerts, read from Prometheus' own series ALERTS.

Its raw samples are the evaluations themselves, in milliseconds, so the first one in state firing *is* the instant at
which the alert fired (its `for:` is over).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.evidence.samples import Samples, instant
from kubedrill.core.measure.progress import progressed
from kubedrill.core.measure.smoothing import span
from kubedrill.core.plan.drill_plan import DrillPlan
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
    Question,
    errors_of,
    evaluated_now,
)
from kubedrill.plugins.sources.prometheus import DEFAULT_EVALUATION, LoadedRule, RawSeries

MOST_STRETCHES = 20
"""Firings of one alert that are told at a time: the first ones and the last ones of an alert that flaps."""


MISSED_EVALUATIONS = 3
"""An alert whose samples pause for longer than this many evaluations has ended and begun anew."""


@dataclass(frozen=True, slots=True)
class AlertHistory:
    """What the history of alerts says: facts, and which alerts are pending and firing now."""

    facts: tuple[Fact, ...] = ()
    pending: frozenset[str] = frozenset()
    firing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked at: alerts `about` one namespace (or about none) from `since` to `now`.

    `rules` tell how often each alert is evaluated, and until when it was: one that is gone tells nothing any more.
    `announced` are the alerts that the drill fires itself;
    `error` is how far Prometheus' clock may be off.
    """

    about: About
    since: datetime
    now: datetime
    error: timedelta
    rules: Mapping[str, LoadedRule]
    announced: frozenset[str] = frozenset()

    def every(self, alert: str) -> timedelta:
        """How often an alert is evaluated."""
        rule = self.rules.get(alert)
        return rule.every if rule else DEFAULT_EVALUATION

    def evaluated(self, alert: str) -> datetime:
        """Until when the history tells of an alert: a Prometheus that stands still ends none, nor does its removal."""
        rule = self.rules.get(alert)
        if rule is None:
            return self.since
        return min(self.now, rule.evaluated) if rule.evaluated else self.now


def alert_history(series: Iterable[RawSeries], look: Look) -> AlertHistory:
    """Facts from the samples of `ALERTS`, and what is pending and firing now."""
    facts: list[Fact] = []
    now_in: dict[str, set[str]] = {"pending": set(), "firing": set()}
    for one in series:
        name, state = one.labels.get("alertname", ""), one.labels.get("alertstate", "")
        if state not in now_in or not look.about.holds(one.labels) or not one.samples:
            continue
        every = look.every(name)
        stretches = progressed(Samples.of(one.samples), ("stretches", every), partial(Stretches, every)).told
        newest = instant(stretches[-1][1])
        goes_on = look.evaluated(name) - newest <= MISSED_EVALUATIONS * every
        for first, last in ((instant(first), instant(last)) for first, last in stretches):
            facts.append(_begun(one, first, every, look))
            if state == "firing" and not (goes_on and last == newest):
                facts.append(_ended(one, last, every, look.error))
        if goes_on:
            now_in[state].add(name)
    return AlertHistory(tuple(facts), frozenset(now_in["pending"]), frozenset(now_in["firing"]))


class Stretches:
    """Unbroken stretches of samples, each by its first and its last instant (microseconds since 1970)."""

    def __init__(self, every: timedelta, told: Iterable[tuple[int, int]] = ()) -> None:
        self._every, self.told = every, list(told)
        self._longest = span(MISSED_EVALUATIONS * every)

    def feed(self, at: int, _value: float) -> None:
        """The next sample."""
        if self.told and at - self.told[-1][1] <= self._longest:
            self.told[-1] = (self.told[-1][0], at)
            return
        self.told.append((at, at))
        if len(self.told) > MOST_STRETCHES:
            del self.told[MOST_STRETCHES // 2]

    def copy(self) -> Stretches:
        """Another one that has come as far."""
        return Stretches(self._every, self.told)


def _begun(one: RawSeries, first: datetime, every: timedelta, look: Look) -> Fact:
    name, state = one.labels["alertname"], one.labels["alertstate"]
    kind = FactKind.ALERT_FIRING if state == "firing" else FactKind.ALERT_PENDING
    cut = first - look.since <= every
    evidence = f"Prometheus: ALERTS{{alertname={name}}} {state} at {_stamp(first)}"
    return Fact(
        kind,
        Interval.at(first, look.error),
        Source.PROMETHEUS,
        f"prometheus/{state}/{_key(one)}/{_stamp(first)}",
        evidence=evidence + (", or before: it was so when first looked at" if cut else ""),
        detail={"alert": name, "labels": _own_labels(one), "earlier": cut, "drill": name in look.announced},
    )


def _ended(one: RawSeries, last: datetime, every: timedelta, error: timedelta) -> Fact:
    name = one.labels["alertname"]
    return Fact(
        FactKind.ALERT_RESOLVED,
        Interval(last - error, last + every + error),
        Source.PROMETHEUS,
        f"prometheus/resolved/{_key(one)}/{_stamp(last)}",
        evidence=f"Prometheus: {name} fired until {_stamp(last)}, evaluated each {every.total_seconds():g} s",
        detail={"alert": name, "labels": _own_labels(one)},
    )


def _own_labels(one: RawSeries) -> dict[str, str]:
    return {k: v for k, v in one.labels.items() if k not in ("__name__", "alertname", "alertstate")}


def _key(one: RawSeries) -> str:
    labels = ",".join(f"{k}={v}" for k, v in sorted(_own_labels(one).items()))
    return f"{one.labels['alertname']}{{{labels}}}"


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


class AlertPoll:
    """Keeps the alerts' samples, and the rules that are loaded."""

    def __init__(self, kept: Callable[[], KeptSamples]) -> None:
        self._samples = kept()
        self._rules: dict[str, LoadedRule] = {}
        self._gone: dict[str, LoadedRule] = {}

    def ask(self, scope: PollScope) -> Iterable[Conversation]:
        """One conversation: the rules, then the history."""
        return [self._asked(scope)]

    def _asked(self, scope: PollScope) -> Conversation:
        """Rules first: what they were evaluated until is then surely in the history that is read after them.

        Both are taken over or neither, or an alert whose newest samples are missing would seem to have ended.
        """
        plan, names = scope.drill_plan, rules_wanted(scope.drill_plan)
        asked_for = tuple(promql.rules_asked_for(names))
        (rules,) = yield (
            Question("/api/v1/rules", asked_for, lambda answer, _: prometheus.alert_rules(answer, names)),
        )
        seconds = self._samples.seconds_to_read(scope.since, scope.began)
        query = promql.alert_history((a.name for a in plan.alerts), seconds)
        (history,) = yield (evaluated_now(query, prometheus.matrix),)
        self._gone = {
            n: replace(r, evaluated=r.evaluated or scope.since) for n, r in (self._gone | self._rules).items()
        }
        self._rules = rules
        self._samples.merge((s for s in history if plan.about.holds(s.labels)), scope.began)

    def told(self, scope: PollScope, heard: Sequence[Heard]) -> Polled:
        """The alerts' facts, what is pending and firing, and the rules."""
        plan = scope.drill_plan
        look = Look(plan.about, scope.since, scope.now, scope.error, self._gone | self._rules, plan.announces)
        history = alert_history(self._samples.since(scope.since), look)
        return Polled(
            facts=history.facts,
            rules=self._rules,
            pending=history.pending,
            firing=history.firing,
            errors=errors_of(heard),
        )


def rules_wanted(drill_plan: DrillPlan) -> frozenset[str]:
    """The alerts of which a drill must know the rules."""
    return frozenset([*(a.name for a in drill_plan.alerts), *(c.alert for c in drill_plan.stop_when if c.alert)])


SOURCE: Final = SourceKind(
    name="alert_history",
    how=How.POLL,
    facts=frozenset({FactKind.ALERT_PENDING, FactKind.ALERT_FIRING, FactKind.ALERT_RESOLVED}),
    bounds="the evaluation's own instant, in milliseconds; an end lies before the next evaluation",
    polling=Polling(AskedServer.PROMETHEUS, MEASURED, AlertPoll),
)

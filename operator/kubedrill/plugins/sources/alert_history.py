"""The history of alerts, read from Prometheus' own series ALERTS.

Its raw samples are the evaluations themselves, in milliseconds, so the first one in state firing *is* the instant at
which the alert fired (its `for:` is over).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.evidence.samples import instant
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.plugins.sources import prometheus, promql
from kubedrill.plugins.sources.alert_states import MISSED_EVALUATIONS, AlertState, states
from kubedrill.plugins.sources.base import How, SourceKind
from kubedrill.plugins.sources.elsewhere import FiringElsewhere
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
from kubedrill.plugins.sources.rule_turns import RuleTurns, is_another


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
    `error` is how far Prometheus' clock may be off. `several`: it is known to be more than one that answers.
    """

    about: About
    since: datetime
    now: datetime
    error: timedelta
    rules: Mapping[str, LoadedRule]
    announced: frozenset[str] = frozenset()
    several: bool = False

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
    for one in states(series, look.about, look.every, several=look.several):
        every, newest = look.every(one.name), instant(one.stretches[-1][1])
        goes_on = look.evaluated(one.name) - newest <= MISSED_EVALUATIONS * every
        for first, last in ((instant(first), instant(last)) for first, last in one.stretches):
            facts.append(_begun(one, first, every, look))
            if one.state == "firing" and not (goes_on and last == newest):
                facts.append(_ended(one, last, every, look.error))
        if goes_on:
            now_in[one.state].add(one.name)
    return AlertHistory(tuple(facts), frozenset(now_in["pending"]), frozenset(now_in["firing"]))


def _begun(one: AlertState, first: datetime, every: timedelta, look: Look) -> Fact:
    kind = FactKind.ALERT_FIRING if one.state == "firing" else FactKind.ALERT_PENDING
    cut = first - look.since <= every
    evidence = f"Prometheus: ALERTS{{alertname={one.name}}} {one.state} at {_stamp(first)}"
    evidence += ", or before: it was so when first looked at" if cut else ""
    if one.apart:
        evidence += f"; replicas of it evaluate up to {one.apart.total_seconds():g} s apart"
    return Fact(
        kind,
        Interval(first - one.apart - look.error, first + look.error),
        Source.PROMETHEUS,
        f"prometheus/{one.state}/{_key(one)}/{_stamp(first)}",
        evidence=evidence,
        detail={
            "alert": one.name,
            "labels": dict(one.labels),
            "earlier": cut,
            "drill": one.name in look.announced,
            **({"apart": one.apart.total_seconds()} if one.apart else {}),
        },
    )


def _ended(one: AlertState, last: datetime, every: timedelta, error: timedelta) -> Fact:
    return Fact(
        FactKind.ALERT_RESOLVED,
        Interval(last - error, last + every + error),
        Source.PROMETHEUS,
        f"prometheus/resolved/{_key(one)}/{_stamp(last)}",
        evidence=f"Prometheus: {one.name} fired until {_stamp(last)}, evaluated each {every.total_seconds():g} s",
        detail={"alert": one.name, "labels": dict(one.labels), **({"all": True} if one.all else {})},
    )


def _key(one: AlertState) -> str:
    labels = ",".join(f"{k}={v}" for k, v in sorted(one.labels.items()))
    return f"{one.name}{{{labels}}}" + (" and more" if one.all else "")


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def fired(facts: Iterable[Fact]) -> dict[str, tuple[Mapping[str, str], ...]]:
    """The labels of each alert's series that fired, the first ones first."""
    found: dict[str, list[Mapping[str, str]]] = {}
    for fact in facts:
        if fact.kind is not FactKind.ALERT_FIRING:
            continue
        known = found.setdefault(fact.detail["alert"], [])
        if fact.detail["labels"] not in known:
            known.append(fact.detail["labels"])
    return {alert: tuple(labels) for alert, labels in found.items()}


class AlertPoll:
    """Keeps the alerts' samples, and the rules that are loaded."""

    def __init__(self, kept: Callable[[], KeptSamples]) -> None:
        self._samples = kept()
        self._elsewhere = FiringElsewhere()
        self._rules: dict[str, LoadedRule] = {}
        self._gone: dict[str, LoadedRule] = {}
        self._turns = RuleTurns()
        self._several = False
        self._read, self._looked = False, False

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
            Question("/api/v1/rules", asked_for, lambda answer, _: prometheus.alert_rules(answer, plan.about, names)),
        )
        seconds = self._samples.seconds_to_read(scope.since, scope.began)
        query = promql.alert_history((a.name for a in plan.alerts), seconds)
        (history,) = yield (evaluated_now(query, prometheus.matrix),)
        as_planned = {n: r for n, r in self._rules.items() if not is_another(plan, n, r)}
        self._gone = {n: replace(r, evaluated=r.evaluated or scope.since) for n, r in (self._gone | as_planned).items()}
        # one server's evaluations never go back: where they do, another one has answered
        self._several = self._several or any(_went_back(self._rules.get(name), rule) for name, rule in rules.items())
        self._rules = rules
        self._read, self._looked = True, True
        self._samples.merge((s for s in history if plan.about.holds(s.labels)), scope.began)
        self._elsewhere.hear(history, plan.about, scope.error)

    def told(self, scope: PollScope, heard: Sequence[Heard]) -> Polled:
        """The alerts' facts, what is pending and firing, and the rules."""
        plan = scope.drill_plan
        if self._looked:
            self._turns.look(plan, self._rules, self._gone, scope)
            self._looked = False
        others = {n for n, r in self._rules.items() if is_another(plan, n, r)}
        unknown = {n: replace(self._rules[n], evaluated=scope.since) for n in others}
        rules = unknown | self._gone | {n: r for n, r in self._rules.items() if n not in others}
        look = Look(plan.about, scope.since, scope.now, scope.error, rules, plan.announces, self._several)
        history = alert_history(self._samples.since(scope.since), look)
        return Polled(
            facts=(*history.facts, *self._elsewhere.since(scope.since), *self._turns.since(scope.since)),
            rules=self._rules,
            fired=fired(history.facts) if self._read else None,
            pending=history.pending,
            firing=history.firing,
            errors=errors_of(heard),
        )


def _went_back(before: LoadedRule | None, now: LoadedRule) -> bool:
    return bool(before and before.evaluated and now.evaluated and now.evaluated < before.evaluated)


def rules_wanted(drill_plan: DrillPlan) -> frozenset[str]:
    """The alerts of which a drill must know the rules."""
    return frozenset([*(a.name for a in drill_plan.alerts), *(c.alert for c in drill_plan.stop_when if c.alert)])


SOURCE: Final = SourceKind(
    name="alert_history",
    how=How.POLL,
    facts=frozenset(
        {
            FactKind.ALERT_PENDING,
            FactKind.ALERT_FIRING,
            FactKind.ALERT_RESOLVED,
            FactKind.ALERT_ELSEWHERE,
            FactKind.RULE_CHANGED,
            FactKind.RULE_AS_PLANNED,
        }
    ),
    bounds="the evaluation's own instant, in milliseconds, of the first of several replicas; an end lies before the"
    " next evaluation",
    polling=Polling(AskedServer.PROMETHEUS, MEASURED, AlertPoll),
)

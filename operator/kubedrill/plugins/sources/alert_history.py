"""The history of alerts, read from Prometheus' own series ALERTS.

Its raw samples are the evaluations themselves, in milliseconds, so the first one in state firing *is* the instant at
which the alert fired (its `for:` is over).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Sample, Source
from kubedrill.plugins.sources.base import How, SourceKind
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

    `rules` tell how often each alert is evaluated; `announced` are the alerts that the drill fires itself;
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
        """Until when the history can tell of an alert: a Prometheus that stands still ends none."""
        rule = self.rules.get(alert)
        return min(self.now, rule.evaluated) if rule and rule.evaluated else self.now


def alert_history(series: Iterable[RawSeries], look: Look) -> AlertHistory:
    """Facts from the samples of `ALERTS`, and what is pending and firing now."""
    facts: list[Fact] = []
    now_in: dict[str, set[str]] = {"pending": set(), "firing": set()}
    for one in series:
        name, state = one.labels.get("alertname", ""), one.labels.get("alertstate", "")
        if state not in now_in or not look.about.holds(one.labels) or not one.samples:
            continue
        every = look.every(name)
        stretches = _stretches(one.samples, every)
        for stretch in (
            stretches
            if len(stretches) <= MOST_STRETCHES
            else (*stretches[: MOST_STRETCHES // 2], *stretches[-MOST_STRETCHES // 2 :])
        ):
            facts.append(_begun(one, stretch[0].at, every, look))
            if state == "firing" and not (stretch is stretches[-1] and _goes_on(stretch, look.evaluated(name), every)):
                facts.append(_ended(one, stretch[-1].at, every, look.error))
        if _goes_on(stretches[-1], look.evaluated(name), every):
            now_in[state].add(name)
    return AlertHistory(tuple(facts), frozenset(now_in["pending"]), frozenset(now_in["firing"]))


def _stretches(samples: tuple[Sample, ...], every: timedelta) -> list[list[Sample]]:
    found = [[samples[0]]]
    for before, sample in pairwise(samples):
        if sample.at - before.at > MISSED_EVALUATIONS * every:
            found.append([])
        found[-1].append(sample)
    return found


def _goes_on(stretch: list[Sample], evaluated: datetime, every: timedelta) -> bool:
    return evaluated - stretch[-1].at <= MISSED_EVALUATIONS * every


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


SOURCE: Final = SourceKind(
    name="alert_history",
    how=How.POLL,
    facts=frozenset({FactKind.ALERT_PENDING, FactKind.ALERT_FIRING, FactKind.ALERT_RESOLVED}),
    bounds="the evaluation's own instant, in milliseconds; an end lies before the next evaluation",
)

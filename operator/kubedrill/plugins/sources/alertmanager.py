"""Alertmanager's API (`/api/v2/alerts`): what fires. That somebody was paged, its webhook tells (a channel)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any, Final

from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import Fact, FactKind, Interval
from kubedrill.plugins.alerts import alerts_about, firing
from kubedrill.plugins.sources.base import How, SourceKind


def asked_for(about: About) -> list[tuple[str, str]]:
    """What to ask `/api/v2/alerts` with: those that fire, about the namespace or about none."""
    return [
        ("active", "true"),
        ("silenced", "false"),
        ("inhibited", "false"),
        ("unprocessed", "false"),
        ("filter", f'{about.label}=~"|{about.namespace}"'),
    ]


def active(
    answer: Any, *, about: About, looked: Interval, error: timedelta, announced: Collection[str] = ()
) -> tuple[Fact, ...]:
    """The facts in the API's list of alerts. `looked` is since when one looks, and until when.

    An alert that starts at a time that no clock says is active since some instant of `looked`.

    Raises:
        Unanswered: the answer is no list of alerts.
    """
    facts = []
    for alert in alerts_about(answer, about):
        started = alert.start(looked.not_after)
        if alert.state == "active":
            facts.append(firing(alert, Interval.at(started, error) if started else looked, announced))
    return tuple(facts)


SOURCE: Final = SourceKind(
    name="alertmanager",
    how=How.POLL,
    facts=frozenset({FactKind.ALERT_FIRING}),
    bounds="the alert's own instant, evaluated by Prometheus; where no clock says it, since when one looks",
)

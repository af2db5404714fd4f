"""Alertmanager's API (`/api/v2/alerts`): what fires. That somebody was paged, its webhook tells (a channel)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import Fact, FactKind, Interval
from kubedrill.plugins.alerts import alerts_about, firing
from kubedrill.plugins.sources.base import How, SourceKind
from kubedrill.plugins.sources.polled import (
    ALERTS,
    MIB,
    AskedServer,
    Conversation,
    Heard,
    KeptSamples,
    Polled,
    Polling,
    PollScope,
    Question,
    Share,
    errors_of,
)

PAGING: Final = Share("alertmanager", MIB, 50_000)
"""Its own: what a query for rules brings leaves it alone."""


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


class PagingPoll:
    """Asks for what fires."""

    def __init__(self, _kept: Callable[[], KeptSamples]) -> None:
        """It keeps nothing."""

    def ask(self, scope: PollScope) -> Iterable[Conversation]:
        """One question."""
        return [_asked(scope)]

    def told(self, scope: PollScope, heard: Sequence[Heard]) -> Polled:
        """What fires. Alerts that the drill announced itself are known to Alertmanager alone."""
        facts: tuple[Fact, ...] = heard[0].found or ()
        own = frozenset(str(f.detail["alert"]) for f in facts) & scope.drill_plan.announces
        return Polled(facts=facts, firing=own, errors=errors_of(heard))


def _asked(scope: PollScope) -> Conversation:
    plan = scope.drill_plan

    def read(answer: Any, at: datetime) -> tuple[Fact, ...]:
        looked = Interval(min(scope.since, at), at)
        return active(answer, about=plan.about, looked=looked, error=scope.error, announced=plan.announces)

    (facts,) = yield (Question(ALERTS, tuple(asked_for(plan.about)), read),)
    return facts


SOURCE: Final = SourceKind(
    name="alertmanager",
    how=How.POLL,
    facts=frozenset({FactKind.ALERT_FIRING}),
    bounds="the alert's own instant, evaluated by Prometheus; where no clock says it, since when one looks",
    polling=Polling(AskedServer.ALERTMANAGER, PAGING, PagingPoll),
)

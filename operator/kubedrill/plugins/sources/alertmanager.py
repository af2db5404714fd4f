"""Alertmanager's API: what fires (`/api/v2/alerts`), and what keeps it from being told to people.

That somebody was told, its webhook says (a channel). What it is held back by stands in the alert itself (silences,
inhibition, in newer versions mute times) and in the routes of its configuration (`/api/v2/status`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import Fact, FactKind, Interval
from kubedrill.core.paths import segment
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.kube.answers import NoAnswer, labels_of, list_of, object_of, text_of
from kubedrill.kube.client import Unreachable
from kubedrill.plugins.alerts import ToldAlert, alerts_about, firing
from kubedrill.plugins.sources.alert_routes import AlertRoutes
from kubedrill.plugins.sources.base import How, SourceKind
from kubedrill.plugins.sources.foreseen import Foreseen, ask_ahead
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
from kubedrill.plugins.sources.promql import any_of
from kubedrill.plugins.sources.withheld import ROUTES, routed, suppressed, words_of_silence

PAGING: Final = Share("alertmanager", MIB, 50_000)
"""Its own: what a query for rules brings leaves it alone."""
ROUTES_EVERY: Final = timedelta(minutes=1)
"""A configuration may be long, and it rarely changes."""
ROUTES_AGAIN: Final = timedelta(seconds=10)
"""After no answer: a drill may be over within a minute, and what held its page back would never be known."""
MOST_ASKED_ABOUT: Final = 5
_ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")


def asked_for(about: About, names: Collection[str]) -> list[tuple[str, str]]:
    """What to ask `/api/v2/alerts` with: these alerts, held back or not, about the namespace or about none."""
    return [
        ("active", "true"),
        ("silenced", "true"),
        ("inhibited", "true"),
        ("unprocessed", "false"),
        ("filter", f'{about.label}=~"|{about.namespace}"'),
        ("filter", f"alertname=~{any_of(names)}"),
    ]


def active(
    alerts: Iterable[ToldAlert], *, looked: Interval, error: timedelta, announced: Collection[str] = ()
) -> Iterator[Fact]:
    """The facts of those that fire. `looked` is since when one looks, and until when.

    An alert that starts at a time that no clock says is active since some instant of `looked`.
    """
    for alert in alerts:
        if alert.is_active:
            started = alert.start(looked.not_after)
            yield firing(alert, Interval.at(started, error) if started else looked, announced)


class PagingPoll:
    """Asks for the expected alerts, and for the routes once one of them is there. Remembers who holds what back."""

    def __init__(self, _kept: Callable[[], KeptSamples]) -> None:
        """It keeps no samples."""
        self._alerts: tuple[ToldAlert, ...] = ()
        self._routes: AlertRoutes | None = None
        self._routes_asked: datetime | None = None
        self._routes_every = ROUTES_EVERY
        self._words: dict[str, str] = {}
        self._held_back: dict[str, Fact] = {}

    def ask(self, scope: PollScope) -> Iterable[Conversation]:
        """The alerts; and the routes, now and then."""
        yield self._ask_alerts(scope)
        if scope.before_start:
            yield ask_ahead(scope)
        due = self._routes_asked is None or scope.began - self._routes_asked >= self._routes_every
        if self._alerts and (due or self._routes_asked == scope.began):
            self._routes_asked = scope.began
            yield _ask_routes()

    def told(self, scope: PollScope, heard: Sequence[Heard]) -> Polled:
        """What fires, and what keeps it from being told. Alerts that the drill announced Alertmanager alone knows."""
        plan, error = scope.drill_plan, scope.error
        answers = [one for one in heard if isinstance(one.found, tuple)]
        routes = next((one.found for one in heard if isinstance(one.found, AlertRoutes)), None)
        if self._routes_asked == scope.began:
            self._routes_every = ROUTES_EVERY if routes else ROUTES_AGAIN
        self._routes = routes or self._routes
        if answers:
            self._alerts = tuple({alert.key: alert for one in answers for alert in one.found}.values())
        looked = Interval(min(scope.since, scope.now), scope.now)
        fired = tuple(active(self._alerts, looked=looked, error=error, announced=plan.announces)) if answers else ()
        own = frozenset(str(f.detail["alert"]) for f in fired) & plan.announces
        seen = Interval.at(scope.now, error)
        for fact in (*self._suppressed(seen), *self._routed(plan, seen)) if answers else ():
            self._held_back.setdefault(fact.id, fact)  # as it was first seen
        held = (fact for fact in self._held_back.values() if fact.at.not_after >= scope.since)
        ahead = (said for one in heard if isinstance(one.found, Foreseen) for said in one.found.withheld)
        return Polled(
            facts=(*fired, *held),
            firing=own,
            withheld=tuple(dict.fromkeys(ahead)),
            errors=() if answers else errors_of(heard[:1]),
        )

    def _ask_alerts(self, scope: PollScope) -> Conversation:
        plan = scope.drill_plan
        names = frozenset(alert.name for alert in plan.alerts) | plan.announces

        def read(answer: Any, _at: datetime) -> tuple[ToldAlert, ...]:
            return tuple(alert for alert in alerts_about(answer, plan.about) if alert.name in names)

        (alerts,) = yield (Question(ALERTS, tuple(asked_for(plan.about, names)), read),)
        held_back = [alert for alert in alerts if alert.silenced_by or alert.inhibited_by]
        for one in held_back[:MOST_ASKED_ABOUT]:
            yield from self._ask_why(one)
        return alerts

    def _ask_why(self, alert: ToldAlert) -> Conversation:
        """Words for what holds an alert back; where there is no answer it goes by its id."""
        for ids, asked in ((alert.silenced_by[:1], _silence), (alert.inhibited_by[:1], _inhibiting)):
            for one in ids:
                if one in self._words or not _ID.fullmatch(one):
                    continue
                self._words[one] = ""
                try:
                    (self._words[one],) = yield (asked(one),)
                except (Unreachable, NoAnswer):
                    continue
        return None

    def _suppressed(self, seen: Interval) -> Iterator[Fact]:
        return (fact for alert in self._alerts for fact in suppressed(alert, self._words, seen))

    def _routed(self, plan: DrillPlan, seen: Interval) -> Iterator[Fact]:
        if self._routes is not None:
            for alert in self._alerts:
                if alert.is_active:
                    yield from routed(alert, self._routes, plan, seen)


def _ask_routes() -> Conversation:
    (routes,) = yield (ROUTES,)
    return routes


def _silence(silence: str) -> Question:
    """Who set a silence, and with what words."""

    def read(answer: Any, _at: datetime) -> str:
        return words_of_silence(object_of(answer, "a silence"))

    return Question(f"/api/v2/silence/{segment(silence)}", (), read)


def _inhibiting(fingerprint: str) -> Question:
    """The name of the alert that inhibits another."""

    def read(answer: Any, _at: datetime) -> str:
        for one in (object_of(alert, "an alert") for alert in list_of(answer, "alerts")):
            if one.get("fingerprint") == fingerprint:
                return text_of(labels_of(one.get("labels")).get("alertname"), "an alert's name")[:100]
        return ""

    return Question(ALERTS, (("active", "true"), ("silenced", "true"), ("inhibited", "true")), read)


SOURCE: Final = SourceKind(
    name="alertmanager",
    how=How.POLL,
    facts=frozenset({FactKind.ALERT_FIRING, FactKind.ALERT_SUPPRESSED, FactKind.ALERT_ROUTED}),
    bounds="the alert's own instant, evaluated by Prometheus; where no clock says it, since when one looks. What holds"
    " an alert back: when it was seen to",
    polling=Polling(AskedServer.ALERTMANAGER, PAGING, PagingPoll),
)

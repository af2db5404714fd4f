"""Alertmanager's webhook (version 4) and API (`/api/v2/alerts`): what fires, and what was paged.

`startsAt` already contains the rule's `for:`; both are evaluation times in milliseconds. The page itself was
sent between that and the webhook's arrival. One resolved message is never the end: a single failed scrape
resolves an alert that fires again seconds later; what an alert is *now* is Prometheus' word.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.kube.answers import NoAnswer, instant_of_text, labels_of, list_of, object_of, text_of
from kubedrill.plugins.sources.base import How, SourceKind

MOST_ALERTS: Final = 100
MOST_LABELS: Final = 20
AHEAD: Final = timedelta(minutes=1)
"""How far another clock may be ahead of ours before what it says counts for nothing."""


class PoisonError(ValueError):
    """A message that is not what Alertmanager sends."""


def webhook(payload: Any, received: datetime, *, about: About, error: timedelta) -> tuple[Fact, ...]:
    """The facts in one webhook message: what fires or was resolved, and that its receiver was paged.

    An alert of a time that no clock says (anybody who reaches Alertmanager can post one of the year 9999) pages all
    the same; when it began to fire is then not told.

    Raises:
        PoisonError: it is not a message of version 4.
    """
    try:
        message = object_of(payload, "the message")
        if message.get("version") != "4":
            raise PoisonError("not a webhook message of version 4")
        receiver = text_of(message.get("receiver"), "the receiver")[:100]
        return tuple(
            fact for alert in _alerts(message.get("alerts"), about) for fact in _told(alert, receiver, received, error)
        )
    except NoAnswer as wrong:
        raise PoisonError(f"not a webhook message: {wrong}") from wrong


def _told(alert: _Alert, receiver: str, received: datetime, error: timedelta) -> Iterator[Fact]:
    arrived = Interval.at(received, error)
    if alert.state == "resolved":
        ended = alert.end(received)
        yield Fact(
            FactKind.ALERT_RESOLVED,
            arrived.hull(Interval.at(ended, error)) if ended else arrived,
            Source.WEBHOOK,
            f"webhook/resolved/{receiver}/{alert.key}/{alert.ends}",
            evidence=f"Alertmanager told {receiver} that {alert.name} is resolved; it may fire again",
            detail={"alert": alert.name, "labels": alert.labels},
        )
        return
    started = alert.start(received)
    if started:
        yield _firing(alert, Interval.at(started, error))
    yield Fact(
        FactKind.PAGE_SENT,
        arrived.hull(Interval.at(min(started, received), error)) if started else arrived,
        Source.WEBHOOK,
        f"webhook/page/{receiver}/{alert.key}",
        evidence=f"Alertmanager paged {receiver}: {alert.name}",
        detail={"alert": alert.name, "receiver": receiver},
    )


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
    for alert in _alerts(answer, about):
        started = alert.start(looked.not_after)
        if alert.state == "active":
            facts.append(_firing(alert, Interval.at(started, error) if started else looked, announced))
    return tuple(facts)


def _firing(alert: _Alert, at: Interval, announced: Collection[str] = ()) -> Fact:
    return Fact(
        FactKind.ALERT_FIRING,
        at,
        Source.ALERTMANAGER,
        f"alertmanager/firing/{alert.key}",
        evidence=f"Alertmanager: {alert.name} startsAt {alert.starts}",
        detail={
            "alert": alert.name,
            "fingerprint": alert.fingerprint,
            "labels": alert.labels,
            "drill": alert.name in announced,
        },
    )


@dataclass(frozen=True, slots=True)
class _Alert:
    """One alert as the webhook and the API tell of it, cut to what is kept of it."""

    name: str
    state: str
    starts: str
    ends: str
    fingerprint: str
    labels: Mapping[str, str]

    @property
    def key(self) -> str:
        """The same whenever the same firing is told again."""
        return f"{self.name}/{self.fingerprint}/{self.starts}"

    def start(self, now: datetime) -> datetime | None:
        """When it began to fire; None for a time that no clock says, or that is still to come."""
        found = instant_of_text(self.starts)
        return found if found and found <= now + AHEAD else None

    def end(self, received: datetime) -> datetime | None:
        """When it ended, not after the message of it arrived; None for a time that no clock says."""
        found = instant_of_text(self.ends)
        return min(found, received) if found else None


def _alerts(value: Any, about: About) -> Iterator[_Alert]:
    """The alerts that are about the namespace, or about none (Alertmanagers are often shared)."""
    given = (object_of(alert, "an alert") for alert in list_of(value, "alerts"))
    labelled = ((alert, labels_of(alert.get("labels"))) for alert in given)
    of_ours = ((alert, labels) for alert, labels in labelled if about.holds(labels))
    return (_read(alert, labels) for alert, labels in islice(of_ours, MOST_ALERTS))


def _read(alert: Mapping[str, Any], labels: Mapping[str, str]) -> _Alert:
    state = alert.get("status")
    others = sorted((k, v) for k, v in labels.items() if k != "alertname")[:MOST_LABELS]
    return _Alert(
        name=text_of(labels.get("alertname"), "an alert's name")[:200],
        state=text_of(state.get("state") if isinstance(state, dict) else state, "an alert's state"),
        starts=text_of(alert.get("startsAt"), "an alert's start")[:40],
        ends=text_of(alert.get("endsAt") or "", "an alert's end")[:40],
        fingerprint=text_of(alert.get("fingerprint") or "", "an alert's fingerprint")[:64],
        labels={k[:100]: v[:200] for k, v in others},
    )


SOURCE: Final = SourceKind(
    name="alertmanager",
    how=How.PUSH,
    facts=frozenset({FactKind.ALERT_FIRING, FactKind.ALERT_RESOLVED, FactKind.PAGE_SENT}),
    bounds="the alert's own instants, evaluated by Prometheus; a page lies between the firing and the message",
)

"""Alertmanager's webhook (version 4) and API (`/api/v2/alerts`): what fires, and what was paged.

`startsAt` already contains the rule's `for:`; both are evaluation times in milliseconds. The page itself was
sent between that and the webhook's arrival. One resolved message is never the end: a single failed scrape
resolves an alert that fires again seconds later; what an alert is *now* is Prometheus' word.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from kubedrill.core.facts import Fact, FactKind, Interval, Source
from kubedrill.signals.sighting import instant

MOST_ALERTS = 200
MOST_LABELS = 30


class PoisonError(ValueError):
    """A message that is not what Alertmanager sends."""


def webhook(payload: Any, received: datetime, *, namespace: str, error: timedelta) -> tuple[Fact, ...]:
    """The facts in one webhook message: what fires or was resolved, and that its receiver was paged.

    Raises:
        PoisonError: it is not a message of version 4.
    """
    try:
        if payload["version"] != "4" or not isinstance(payload["alerts"], list):
            raise PoisonError("not a webhook message of version 4")
        receiver = str(payload["receiver"])[:100]
        return tuple(
            fact
            for alert in payload["alerts"][:MOST_ALERTS]
            if _is_about(alert["labels"], namespace)
            for fact in _told(alert, receiver, received, error)
        )
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise PoisonError(f"not a webhook message: {wrong!r}"[:300]) from wrong


def _told(alert: Mapping[str, Any], receiver: str, received: datetime, error: timedelta) -> Iterator[Fact]:
    name, key, started = _name(alert), _key(alert), instant(alert["startsAt"])
    labels = _labels(alert)
    if alert["status"] == "resolved":
        ended = min(instant(alert["endsAt"]), received)
        yield Fact(
            FactKind.ALERT_RESOLVED,
            Interval(ended - error, received + error),
            Source.WEBHOOK,
            f"webhook/resolved/{receiver}/{key}/{alert['endsAt']}",
            evidence=f"Alertmanager told {receiver} that {name} is resolved; it may fire again",
            detail={"alert": name, "labels": labels},
        )
        return
    yield _firing(alert, Interval.at(started, error))
    yield Fact(
        FactKind.PAGE_SENT,
        Interval(min(started, received) - error, received + error),
        Source.WEBHOOK,
        f"webhook/page/{receiver}/{key}",
        evidence=f"Alertmanager paged {receiver}: {name}",
        detail={"alert": name, "receiver": receiver},
    )


def active(
    alerts: Sequence[Mapping[str, Any]], *, namespace: str, error: timedelta, announced: Collection[str] = ()
) -> tuple[Fact, ...]:
    """The facts in the API's list of alerts; one that can't be read is passed over."""
    facts = []
    for alert in alerts[:MOST_ALERTS]:
        try:
            if (alert.get("status") or {}).get("state") == "active" and _is_about(alert["labels"], namespace):
                facts.append(_firing(alert, Interval.at(instant(alert["startsAt"]), error), announced))
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
    return tuple(facts)


def _firing(alert: Mapping[str, Any], at: Interval, announced: Collection[str] = ()) -> Fact:
    name = _name(alert)
    return Fact(
        FactKind.ALERT_FIRING,
        at,
        Source.ALERTMANAGER,
        f"alertmanager/firing/{_key(alert)}",
        evidence=f"Alertmanager: {name} startsAt {alert['startsAt']}",
        detail={
            "alert": name,
            "fingerprint": str(alert.get("fingerprint", ""))[:64],
            "labels": _labels(alert),
            "drill": name in announced,
        },
    )


def _is_about(labels: Mapping[str, Any], namespace: str) -> bool:
    """Whether an alert is about this namespace, or about none (Alertmanagers are often shared)."""
    return bool(labels.get("namespace", namespace) == namespace)


def _name(alert: Mapping[str, Any]) -> str:
    return str(alert["labels"]["alertname"])[:200]


def _labels(alert: Mapping[str, Any]) -> dict[str, str]:
    labels = sorted(alert["labels"].items())[:MOST_LABELS]
    return {str(k)[:100]: str(v)[:200] for k, v in labels if k != "alertname"}


def _key(alert: Mapping[str, Any]) -> str:
    return f"{_name(alert)}/{str(alert.get('fingerprint', ''))[:64]}/{alert['startsAt']}"

"""Alertmanager's webhook (version 4): what fires or was resolved, and that the operator was told.

That is not that people were: their receivers are others, or the environment names this one as theirs. One resolved
message is never the end: a single
failed scrape resolves an alert that fires again seconds later; what an alert is *now* is Prometheus' word. Alertmanager
can't sign, so the caller bears the operator's token.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.machine.state import CheckResult
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.kube.answers import NoAnswer, object_of, text_of
from kubedrill.plugins.alerts import ToldAlert, alerts_about, firing
from kubedrill.plugins.channels.base import Arrival, Asking, ChannelKind, DoctorCheck, Webhook, bears
from kubedrill.plugins.webhook_addresses import ALERTMANAGER, ends_of

PEOPLE_UNKNOWN: Final = (
    "it tells the operator; when people are paged is not known: name their receivers in the DrillEnvironment"
    " (alertmanager.receiversForPeople)"
)


class PoisonError(ValueError):
    """A message that is not what Alertmanager sends."""


def read(payload: Any, arrival: Arrival) -> tuple[Fact, ...]:
    """The facts in one webhook message: what fires or was resolved, and over which receiver the operator was told.

    An alert of a time that no clock says (anybody who reaches Alertmanager can post one of the year 9999) is told of
    all the same; when it began to fire is then not told.

    Raises:
        PoisonError: it is not a message of version 4.
    """
    try:
        message = object_of(payload, "the message")
        if message.get("version") != "4":
            raise PoisonError("not a webhook message of version 4")
        receiver = text_of(message.get("receiver"), "the receiver")[:100]
        return tuple(
            fact
            for alert in alerts_about(message.get("alerts"), arrival.about)
            for fact in _told(alert, receiver, arrival)
        )
    except NoAnswer as wrong:
        raise PoisonError(f"not a webhook message: {wrong}") from wrong


def _told(alert: ToldAlert, receiver: str, arrival: Arrival) -> Iterator[Fact]:
    received, error = arrival.at, arrival.error
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
        yield firing(alert, Interval.at(started, error))
    yield Fact(
        FactKind.NOTIFIED,
        arrived,
        Source.WEBHOOK,
        f"webhook/notified/{receiver}/{alert.key}",
        evidence=f"Alertmanager told the operator, over receiver {receiver}: {alert.name}",
        detail={"alert": alert.name, "receiver": receiver},
    )


async def notified(ask: Asking, drill_plan: DrillPlan) -> CheckResult:
    """Whether Alertmanager tells the operator of its alerts. Without it nobody knows when it told of one."""
    name, wanted = "alertmanager", ends_of(ALERTMANAGER, drill_plan.target_namespace)
    try:
        status = object_of(await ask(drill_plan.alertmanager, "/api/v2/status"), "its status")
        routes = object_of(status.get("config") or {}, "its configuration").get("original", "")
    except NoAnswer as error:
        shared = f"DrillEnvironment {drill_plan.environment}" if drill_plan.environment else "a DrillEnvironment"
        message = f"Alertmanager: {error}. Where it answers is said in spec.alertmanager of {shared}"
        return CheckResult(name, ok=None, reason="AlertmanagerUnreachable", message=message)
    if not isinstance(routes, str) or not any(end in routes for end in wanted):
        return CheckResult(
            name,
            ok=False,
            reason="NoRoute",
            message=f"Alertmanager has no webhook to the operator (…{wanted[0]})",
        )
    return CheckResult(name, ok=True, message="" if drill_plan.people_receivers else PEOPLE_UNKNOWN)


CHANNEL: Final = ChannelKind(
    name="alertmanager",
    summary="Alertmanager's webhook, version 4.",
    webhook=Webhook(route=ALERTMANAGER, verified=bears, read=read),
    doctor=DoctorCheck(
        notified, "give Alertmanager a receiver with a webhook to the operator's Service, with the operator's token"
    ),
)

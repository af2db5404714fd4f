"""Why Alertmanager tells nobody of an alert, or only later, as facts that a finding can cite."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from kubedrill.api.durations import format_duration
from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.kube.answers import NoAnswer, object_of, quoted, text_of
from kubedrill.plugins.alerts import ToldAlert
from kubedrill.plugins.sources.alert_routes import AlertRoutes, RoutedTo
from kubedrill.plugins.sources.polled import Question
from kubedrill.plugins.webhook_addresses import ALERTMANAGER, ends_of

MOST_RECEIVERS: Final = 20


def _routes_of(answer: Any, _at: datetime) -> AlertRoutes:
    config = object_of(object_of(answer, "its status").get("config"), "its configuration")
    return AlertRoutes(text_of(config.get("original"), "its configuration"))


ROUTES: Final = Question("/api/v2/status", (), _routes_of)
"""What asks an Alertmanager for its routes."""


def words_of_silence(silence: Mapping[str, Any]) -> str:
    """Who set a silence, and with what words.

    Raises:
        NoAnswer: it is none.
    """
    author, comment = (text_of(silence.get(key) or "", "a silence's words") for key in ("createdBy", "comment"))
    return f"of {author[:60]}, {quoted(comment)}" if author else quoted(comment)


def suppressed(alert: ToldAlert, words: Mapping[str, str], seen: Interval) -> Iterator[Fact]:
    """What the alert itself says that holds it back. `words` are for silences and inhibiting alerts, by their ids."""
    for one in alert.silenced_by[:1]:
        told = f"silence {one}" + (f" ({words[one]})" if words.get(one) else "")
        yield _suppressed(alert, "silence", one, f"silenced by {told}", seen)
    for one in alert.inhibited_by[:1]:
        yield _suppressed(alert, "inhibition", one, f"inhibited by {words.get(one) or 'another alert'}", seen)
    for one in alert.muted_by[:1]:
        yield _suppressed(alert, "mute time", one, f"muted by time interval {one}", seen)


def routed(alert: ToldAlert, routes: AlertRoutes, drill_plan: DrillPlan, seen: Interval) -> Iterator[Fact]:
    """Where it goes, how long it is held back at first, and whether that is to nobody. Nothing where it isn't known."""
    try:
        people = to_people(routes.deliveries(alert.all_labels, seen.not_after), routes, drill_plan)
    except NoAnswer:
        return
    receivers = receivers_of(people)
    waits = max((one.waits for one in people), default=timedelta(0))
    told = ", ".join(receivers)
    yield Fact(
        FactKind.ALERT_ROUTED,
        seen,
        Source.ALERTMANAGER,
        f"alertmanager/routed/{alert.name}/{told[:200]}",
        evidence=f"Alertmanager's routes: {alert.name} goes to {told}, after {format_duration(waits)} (group_wait)",
        detail={"alert": alert.name, "receivers": receivers, "waits": waits.total_seconds()},
    )
    if nobody := to_nobody(people, routes):
        yield _suppressed(alert, nobody.by, nobody.name, nobody.how, seen, receivers)


@dataclass(frozen=True, slots=True)
class Nobody:
    """That the routes tell nobody: by what, how that is called, and how it is said."""

    by: str
    name: str
    how: str


def to_nobody(people: tuple[RoutedTo, ...], routes: AlertRoutes) -> Nobody | None:
    """Why none of these is told anything now; None where one is."""
    told = ", ".join(receivers_of(people))
    if not any(routes.has_address(one.receiver) for one in people):
        return Nobody("route", told, f"its route ends at {told}, which has no address")
    if all(one.muted for one in people):
        return Nobody("mute time", people[0].muted, f"muted by time interval {people[0].muted} ({told})")
    return None


def receivers_of(people: tuple[RoutedTo, ...]) -> list[str]:
    """Whom these deliveries are for, each once."""
    return sorted({one.receiver for one in people})[:MOST_RECEIVERS]


def to_people(deliveries: tuple[RoutedTo, ...], routes: AlertRoutes, drill_plan: DrillPlan) -> tuple[RoutedTo, ...]:
    """Those that reach people: as the environment names them, else those with another address than the operator's.

    Where there are none, all: nobody else could be told.
    """
    own = ends_of(ALERTMANAGER, drill_plan.target_namespace)
    named = tuple(d for d in deliveries if d.receiver in drill_plan.people_receivers)
    return named or tuple(d for d in deliveries if routes.reaches_people(d.receiver, own)) or deliveries


def _suppressed(
    alert: ToldAlert, by: str, name: str, how: str, seen: Interval, receivers: Collection[str] | None = None
) -> Fact:
    detail = {"alert": alert.name, "by": by, "name": name[:200]}
    return Fact(
        FactKind.ALERT_SUPPRESSED,
        seen,
        Source.ALERTMANAGER,
        f"alertmanager/suppressed/{alert.name}/{by}/{name[:100]}",
        evidence=f"{alert.name} is {how}" if by != "route" else f"{alert.name}: {how}",
        detail=detail if receivers is None else {**detail, "receivers": list(receivers)},
    )

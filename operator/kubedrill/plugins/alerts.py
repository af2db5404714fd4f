"""An alert as Alertmanager tells of it, by its webhook and its API alike: one firing is one fact, whoever told of it.

`startsAt` already contains the rule's `for:`; both are evaluation times in milliseconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from kubedrill.api.base import LONGEST_ALERT_NAME
from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source
from kubedrill.core.machine.bounds import short_id
from kubedrill.kube.answers import instant_of_text, labels_of, list_of, object_of, text_of

MOST_ALERTS: Final = 100
MOST_LABELS: Final = 20
MOST_NAMED: Final = 5
AHEAD: Final = timedelta(minutes=1)
"""How far another clock may be ahead of ours before what it says counts for nothing."""


@dataclass(frozen=True, slots=True)
class ToldAlert:
    """One alert as the webhook and the API tell of it, cut to what is kept of it."""

    name: str
    state: str
    starts: str
    ends: str
    fingerprint: str
    labels: Mapping[str, str]
    all_labels: Mapping[str, str] = field(default_factory=dict)
    silenced_by: tuple[str, ...] = ()
    inhibited_by: tuple[str, ...] = ()
    muted_by: tuple[str, ...] = ()

    @property
    def is_active(self) -> bool:
        """Whether it fires: one whose receivers are muted does, one that is silenced or inhibited counts as none."""
        return self.state == "active" or bool(self.muted_by and not self.silenced_by and not self.inhibited_by)

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


def alerts_about(value: Any, about: About) -> Iterator[ToldAlert]:
    """The alerts that are about the namespace, or about none (Alertmanagers are often shared).

    Of more than `MOST_ALERTS` each name has its part, the earliest first: which ones are waited for is not known here.

    Raises:
        NoAnswer: it is no list of alerts.
    """
    given = (object_of(alert, "an alert") for alert in list_of(value, "alerts"))
    labelled = ((alert, labels_of(alert.get("labels"))) for alert in given)
    of_ours = [_read(alert, labels) for alert, labels in labelled if about.holds(labels)]
    return iter(of_ours if len(of_ours) <= MOST_ALERTS else _fairly_cut(of_ours))


def _fairly_cut(alerts: Iterable[ToldAlert]) -> list[ToldAlert]:
    seen: Counter[str] = Counter()
    ranked = []
    for alert in sorted(alerts, key=lambda a: (a.starts, a.fingerprint)):
        ranked.append((seen[alert.name], alert))
        seen[alert.name] += 1
    return [alert for _, alert in sorted(ranked, key=lambda one: one[0])[:MOST_ALERTS]]


def _read(alert: Mapping[str, Any], labels: Mapping[str, str]) -> ToldAlert:
    state = alert.get("status")
    others = sorted((k, v) for k, v in labels.items() if k != "alertname")[:MOST_LABELS]
    return ToldAlert(
        name=short_id(text_of(labels.get("alertname"), "an alert's name"), LONGEST_ALERT_NAME),
        state=text_of(state.get("state") if isinstance(state, dict) else state, "an alert's state"),
        starts=text_of(alert.get("startsAt"), "an alert's start")[:40],
        ends=text_of(alert.get("endsAt") or "", "an alert's end")[:40],
        fingerprint=text_of(alert.get("fingerprint") or "", "an alert's fingerprint")[:64],
        labels={k[:100]: v[:200] for k, v in others},
        all_labels=labels,
        silenced_by=_names(state, "silencedBy"),
        inhibited_by=_names(state, "inhibitedBy"),
        muted_by=_names(state, "mutedBy"),
    )


def _names(state: Any, field_name: str) -> tuple[str, ...]:
    """What keeps an alert from being told, as Alertmanager's API names it; its webhook does not."""
    named = state.get(field_name) if isinstance(state, dict) else None
    return tuple(text_of(one, "a name")[:100] for one in list_of(named or [], field_name)[:MOST_NAMED])


def firing(alert: ToldAlert, at: Interval, announced: Collection[str] = ()) -> Fact:
    """That an alert fires since then. `announced` are those that the drill itself holds up."""
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

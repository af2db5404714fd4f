"""What would keep people from being told of an expected alert if it fired now: silences, inhibition and routes.

Asked before the start, when there is no such alert yet. Of its labels those are known that its rule gives it, and the
target namespace; what is asked of any other is uncertain, and said to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from kubedrill.core.plan.drill_plan import DrillPlan
from kubedrill.kube.answers import NoAnswer, instant_of_text, labels_of, list_of, object_of, text_of
from kubedrill.kube.client import Unreachable
from kubedrill.plugins.sources.alert_matchers import Matcher
from kubedrill.plugins.sources.alert_routes import AlertRoutes, Inhibition
from kubedrill.plugins.sources.polled import ALERTS, Conversation, PollScope, Question
from kubedrill.plugins.sources.withheld import ROUTES, to_nobody, to_people, words_of_silence

MOST_TOLD: Final = 5
MOST_ASKED: Final = 5
"""Inhibitions whose alerts are asked for."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What would keep people from being told, a sentence each."""

    withheld: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExpectedLabels:
    """What is known of the labels of an alert that has not fired."""

    name: str
    known: Mapping[str, str]

    def might_match(self, matchers: Iterable[Matcher]) -> bool:
        """Whether matchers hold, as far as that is known; of an alert that none of them is about they don't.

        Raises:
            NoAnswer: one of them is not understood.
        """
        about = False
        for one in matchers:
            found = self.known.get(one.name)
            if found is not None and not one.holds(found):
                return False
            about |= found is not None and not one.holds("")
        return about

    def unknown(self, names: Iterable[str]) -> str:
        """What is uncertain because of labels that are not known; empty where all are."""
        others = sorted(set(names) - set(self.known))
        return f", if its {' and '.join(others[:3])} is so" if others else ""


@dataclass(frozen=True, slots=True)
class StandingSilence:
    """A silence that holds now."""

    name: str
    matchers: tuple[Matcher, ...]
    words: str
    ends: datetime | None

    def __str__(self) -> str:
        until = f" until {self.ends:%Y-%m-%d %H:%M}Z" if self.ends else ""
        return f"silence {self.name} ({self.words}){until}"


def ask_ahead(scope: PollScope) -> Conversation:
    """Asks for what is there already; what can't be read of it says nothing."""
    expected = tuple(expected_labels(scope))
    silences = yield from _answer(SILENCES)
    said = [one for silence in silences or () for one in silenced(expected, silence)]
    routes = yield from _answer(ROUTES)
    if routes is not None:
        said += routed_to_nobody(expected, routes, scope.drill_plan, scope.now)
        said += yield from _inhibited(expected, routes)
    return Foreseen(tuple(dict.fromkeys(said))[:MOST_TOLD])


def expected_labels(scope: PollScope) -> Iterator[ExpectedLabels]:
    """What is known of each expected alert's labels; once for each rule of its name."""
    for alert in scope.drill_plan.alerts:
        loaded = scope.rules.get(alert.name)
        for labels in [rule.labels for rule in loaded.rule.each] if loaded and loaded.rule.each else [{}]:
            given = {name: value for name, value in labels.items() if "{{" not in value}  # else made when it fires
            known = {**scope.drill_plan.about.wanted, **given, "alertname": alert.name}
            yield ExpectedLabels(alert.name, known)


def silenced(expected: Iterable[ExpectedLabels], silence: StandingSilence) -> Iterator[str]:
    """Which alerts a silence would hold back."""
    for alert in expected:
        try:
            if alert.might_match(silence.matchers):
                yield f"{alert.name} would be held back by {silence}{alert.unknown(m.name for m in silence.matchers)}"
        except NoAnswer:
            continue


def routed_to_nobody(
    expected: Iterable[ExpectedLabels], routes: AlertRoutes, drill_plan: DrillPlan, at: datetime
) -> Iterator[str]:
    """Which alerts the routes would tell to nobody now."""
    for alert in expected:
        try:
            nobody = to_nobody(to_people(routes.deliveries(alert.known, at), routes, drill_plan), routes)
            if nobody:
                yield f"{alert.name} would reach nobody: {nobody.how}{alert.unknown(routes.missed(alert.known, at))}"
        except NoAnswer:
            continue


def _inhibited(expected: Iterable[ExpectedLabels], routes: AlertRoutes) -> Conversation:
    """Which alerts would be inhibited by one that fires."""
    said = []
    try:
        concerned = [
            (alert, rule) for rule in routes.inhibitions() for alert in expected if alert.might_match(rule.target)
        ]
    except NoAnswer:
        return ()
    for alert, rule in concerned[:MOST_ASKED]:
        firing = yield from _answer(_firing(rule))
        by = next((name for name, labels in firing or () if _alike(alert, rule, labels)), "")
        if by:
            asked = (*(m.name for m in rule.target), *rule.equal)
            said.append(f"{alert.name} would be inhibited by {by}, which fires{alert.unknown(asked)}")
    return tuple(said)


def _alike(alert: ExpectedLabels, rule: Inhibition, labels: Mapping[str, str]) -> bool:
    """Whether an alert that fires has the labels that must be equal, as far as they are known. None inhibits itself."""
    if labels.get("alertname") == alert.name:
        return False
    return all(name not in alert.known or labels.get(name, "") == alert.known[name] for name in rule.equal)


def _answer(question: Question) -> Conversation:
    try:
        (found,) = yield (question,)
    except (Unreachable, NoAnswer):
        return None
    return found


def _silences_of(answer: Any, _at: datetime) -> tuple[StandingSilence, ...]:
    given = (object_of(one, "a silence") for one in list_of(answer, "silences"))
    return tuple(
        StandingSilence(
            text_of(one.get("id"), "a silence's id")[:64],
            tuple(_matcher(object_of(m, "a matcher")) for m in list_of(one.get("matchers"), "matchers")),
            words_of_silence(one),
            instant_of_text(text_of(one.get("endsAt") or "", "a silence's end")),
        )
        for one in given
        if object_of(one.get("status"), "a silence's status").get("state") == "active"
    )


def _matcher(written: Mapping[str, Any]) -> Matcher:
    operator = {(True, False): "=", (True, True): "=~", (False, False): "!=", (False, True): "!~"}
    how = written.get("isEqual", True) is not False, written.get("isRegex") is True
    return Matcher(
        text_of(written.get("name"), "a label")[:100], operator[how], text_of(written.get("value"), "a value")
    )


SILENCES: Final = Question("/api/v2/silences", (), _silences_of)


def _firing(rule: Inhibition) -> Question:
    """The alerts that fire and of which an inhibition's source holds: name and labels."""

    def read(answer: Any, _at: datetime) -> tuple[tuple[str, Mapping[str, str]], ...]:
        found = [labels_of(object_of(one, "an alert").get("labels")) for one in list_of(answer, "alerts")]
        return tuple((labels.get("alertname", "an alert without a name")[:100], labels) for labels in found)

    asked = (("active", "true"), ("silenced", "true"), ("inhibited", "true"), ("unprocessed", "false"))
    return Question(ALERTS, (*asked, *(("filter", str(one)) for one in rule.source)), read)

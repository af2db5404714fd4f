from datetime import timedelta

import pytest
from tests.signals.builders import at, between

from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import FactKind, Source
from kubedrill.kube.answers import NoAnswer
from kubedrill.plugins.alerts import alerts_about
from kubedrill.plugins.channels.alertmanager import PoisonError
from kubedrill.plugins.channels.alertmanager import read as webhook
from kubedrill.plugins.channels.base import Arrival
from kubedrill.plugins.sources import alertmanager

STARTED = "2026-11-23T12:00:05.123Z"


def alert(status: str = "firing", ends: str = "0001-01-01T00:00:00Z", **labels: str):
    return {
        "status": status,
        "labels": {"alertname": "High", **labels},
        "annotations": {},
        "startsAt": STARTED,
        "endsAt": ends,
        "generatorURL": "",
        "fingerprint": "f1",
    }


def message(*alerts, **fields):
    whole = {"version": "4", "groupKey": "k", "status": "firing", "receiver": "operator", "alerts": list(alerts)}
    return whole | fields


def read(payload, seconds: float = 6):
    return webhook(payload, Arrival(About("shop"), at(seconds), timedelta(0)))


def listed(*alerts):
    told = alerts_about(list(alerts), About("shop"))
    return tuple(alertmanager.active(told, looked=between(0, 60), error=timedelta(0)))


def test_a_firing_message_tells_of_the_alert_and_that_the_operator_was_told():
    fired, told = read(message(alert(severity="page")))
    assert (fired.kind, fired.source) == (FactKind.ALERT_FIRING, Source.ALERTMANAGER)
    assert fired.at == between(5.123, 5.123)
    assert fired.detail["labels"] == {"severity": "page"}
    assert (told.kind, told.source) == (FactKind.NOTIFIED, Source.WEBHOOK)
    assert told.at == between(6, 6)


def test_a_repeated_message_is_the_same_facts():
    assert [f.id for f in read(message(alert()), 6)] == [f.id for f in read(message(alert()), 66)]


def test_the_webhook_and_the_api_tell_of_the_same_firing():
    api = {**alert(), "status": {"state": "active"}}
    (active,) = listed(api)
    assert active.id == read(message(alert()))[0].id


def test_a_resolved_message_says_itself_that_it_may_fire_again():
    (fact,) = read(message(alert("resolved", "2026-11-23T12:00:30Z")), 31)
    assert fact.kind is FactKind.ALERT_RESOLVED
    assert fact.at == between(30, 31)
    assert "may fire again" in fact.evidence


def test_another_namespaces_alert_is_none_of_ours():
    assert read(message(alert(namespace="other"))) == ()
    assert len(read(message(alert(namespace="shop")))) == 2


@pytest.mark.parametrize(
    "poison",
    [
        None,
        [],
        "x",
        7,
        {},
        {"version": "3"},
        message(alert(), version="5"),
        message({}),
        message({"labels": 3}),
        message({**alert(), "startsAt": "yesterday"}),
        {"version": "4", "receiver": "r", "alerts": {}},
    ],
)
def test_poison_is_named_as_such(poison):
    with pytest.raises(PoisonError):
        read(poison)


def test_long_values_are_cut():
    fired, _ = read(message(alert(text="x" * 10_000)))
    assert len(fired.detail["labels"]["text"]) == 200


def test_suppressed_alerts_dont_fire():
    assert listed({**alert(), "status": {"state": "suppressed"}}) == ()


@pytest.mark.parametrize("unreadable", [{}, {"status": {"state": "active"}}, "x", None, {**alert(), "labels": ["a"]}])
def test_a_list_with_something_else_in_it_is_no_answer(unreadable):
    with pytest.raises(NoAnswer):
        listed({**alert(), "status": {"state": "active"}}, unreadable)


@pytest.mark.parametrize("year", ["0001-01-01T00:00:00.001Z", "9999-12-31T23:59:59.999Z", "2026-11-23T13:00:00Z"])
def test_an_alert_of_a_time_that_no_clock_says_is_active_since_nobody_knows_when(year):
    (fact,) = listed({**alert(), "status": {"state": "active"}, "startsAt": year})
    assert fact.kind is FactKind.ALERT_FIRING
    assert fact.at == between(0, 60)


@pytest.mark.parametrize(
    "year",
    [
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999999Z",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_one_of_such_an_alert_was_told_when_it_arrived(year):
    (notified,) = read(message({**alert(), "startsAt": year}))
    assert (notified.kind, notified.at) == (FactKind.NOTIFIED, between(6, 6))
    (ended,) = read(message(alert("resolved", year)))
    assert (ended.kind, ended.at) == (FactKind.ALERT_RESOLVED, between(6, 6))


def test_an_alert_is_not_hidden_by_an_absurd_one_beside_it():
    told = read(message({**alert(), "startsAt": "9999-12-31T23:59:59Z"}, alert()))
    assert [f.kind for f in told] == [FactKind.NOTIFIED, FactKind.ALERT_FIRING, FactKind.NOTIFIED]

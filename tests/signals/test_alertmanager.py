from datetime import timedelta

import pytest
from tests.signals.builders import at, between

from kubedrill.core.facts import FactKind, Source
from kubedrill.signals import alertmanager
from kubedrill.signals.alertmanager import PoisonError

STARTED = "2026-11-23T12:00:05.123Z"


def alert(status: str = "firing", ends: str = "0001-01-01T00:00:00Z", **labels: str):
    return {"status": status, "labels": {"alertname": "High", **labels}, "annotations": {}, "startsAt": STARTED,
            "endsAt": ends, "generatorURL": "", "fingerprint": "f1"}


def message(*alerts, **fields):
    whole = {"version": "4", "groupKey": "k", "status": "firing", "receiver": "operator", "alerts": list(alerts)}
    return whole | fields


def read(payload, seconds: float = 6):
    return alertmanager.webhook(payload, at(seconds), namespace="shop", error=timedelta(0))


def test_a_firing_message_tells_of_the_alert_and_of_the_page():
    fired, paged = read(message(alert(severity="page")))
    assert (fired.kind, fired.source) == (FactKind.ALERT_FIRING, Source.ALERTMANAGER)
    assert fired.at == between(5.123, 5.123)
    assert fired.detail["labels"] == {"severity": "page"}
    assert (paged.kind, paged.source) == (FactKind.PAGE_SENT, Source.WEBHOOK)
    assert paged.at == between(5.123, 6)


def test_a_repeated_message_is_the_same_facts():
    assert [f.id for f in read(message(alert()), 6)] == [f.id for f in read(message(alert()), 66)]


def test_the_webhook_and_the_api_tell_of_the_same_firing():
    api = {**alert(), "status": {"state": "active"}}
    (active,) = alertmanager.active([api], namespace="shop", error=timedelta(0))
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
    [None, [], "x", 7, {}, {"version": "3"}, message(alert(), version="5"), message({}), message({"labels": 3}),
     message({**alert(), "startsAt": "yesterday"}), {"version": "4", "receiver": "r", "alerts": {}}],
)
def test_poison_is_named_as_such(poison):
    with pytest.raises(PoisonError):
        read(poison)


def test_long_values_are_cut():
    fired, _ = read(message(alert(text="x" * 10_000)))
    assert len(fired.detail["labels"]["text"]) == 200


def test_suppressed_alerts_dont_fire_and_unreadable_ones_are_passed_over():
    alerts = [{**alert(), "status": {"state": "suppressed"}}, {"status": {"state": "active"}}, {}]
    assert alertmanager.active(alerts, namespace="shop", error=timedelta(0)) == ()

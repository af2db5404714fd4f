"""alert: announced with labels of its own, so that a real alert is never resolved with it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.faults.builders import accepted, fact, injected, only, second, seen

from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.undo.operations import Announce, Refusal
from kubedrill.plugins.faults.alert import AlertAnnounce, describe, effect, plan

DOWN = AlertAnnounce(alert="CheckoutDown", labels={"severity": "page"}, summary="Checkout does not answer")


def firing(at: float, alert: str = "CheckoutDown"):
    return fact(FactKind.ALERT_FIRING, second(at, 0.5), alert=alert)


def test_it_is_announced_at_the_drills_alertmanager():
    assert accepted(plan(DOWN, seen(fault="call"))).operations == (
        Announce(
            "alertmanager.monitoring.svc",
            9093,
            {"alertname": "CheckoutDown", "namespace": "shop", "severity": "page", "event": "11111111-call"},
            {"summary": "Checkout does not answer"},
            "monitoring",
        ),
    )


def test_a_namespace_label_may_be_said():
    operation = only(plan(AlertAnnounce(alert="X", labels={"namespace": "front"}), seen()), Announce)
    assert operation.labels["namespace"] == "front"


def test_the_namespace_is_named_by_the_label_that_names_it_there():
    operation = only(plan(DOWN, replace(seen(), namespace_label="exported_namespace")), Announce)
    assert operation.labels["exported_namespace"] == "shop"
    assert "namespace" not in operation.labels


@pytest.mark.parametrize("label", ["alertname", "event"])
def test_labels_of_the_drill_can_not_be_said(label):
    refusal = plan(AlertAnnounce(alert="X", labels={label: "mine"}), seen())
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "LabelReserved"


def test_it_bit_when_alertmanager_has_it_active():
    bite = effect("call", DOWN, [injected("call", at=1), firing(3), firing(2)])
    assert (bite.complete, bite.at) == (True, second(2, 0.5))


@pytest.mark.parametrize("other", [firing(2, "OtherAlert"), firing(0)])
def test_another_alert_or_an_earlier_one_is_not_it(other):
    assert not effect("call", DOWN, [injected("call", at=1), other]).complete


def test_it_is_described_with_its_labels():
    assert describe(DOWN, accepted(plan(DOWN, seen(fault="call")))) == (
        "alert: CheckoutDown is fired at alertmanager.monitoring.svc:9093 and resolved by the undo",
        "labels: alertname=CheckoutDown, event=11111111-call, namespace=shop, severity=page",
    )

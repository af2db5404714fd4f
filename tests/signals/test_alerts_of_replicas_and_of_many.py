"""Two replicas of Prometheus behind one Service, an alert about hundreds of pods: still one firing, well bounded."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.measure.builders import at as since_zero
from tests.measure.builders import drill_plan, fact, injected
from tests.signals.builders import at
from tests.signals.test_prometheus import RULES, alerts, history, series

from kubedrill.core.evidence.about import About
from kubedrill.core.evidence.facts import Fact, FactKind, FactSet, Interval, Source
from kubedrill.core.measure.milestones import milestones
from kubedrill.plugins.sources.alert_history import AlertHistory, Look, alert_history
from kubedrill.plugins.sources.alert_states import MOST_TOLD
from kubedrill.plugins.sources.prometheus import RawSeries

FIFTEEN = {"High": replace(RULES["High"], every=timedelta(seconds=15))}


def evaluated(*firsts: float, until: float = 200) -> RawSeries:
    """What replicas tell in turn that evaluate each 15 s, each from its own instant on."""
    points = sorted((at_, 1.0) for first in firsts for at_ in range(int(first), int(until), 15))
    return series(*points, __name__="ALERTS", alertname="High", alertstate="firing")


def told(*given: RawSeries, several: bool = False) -> AlertHistory:
    look = Look(About("shop"), at(0), at(210), timedelta(0), FIFTEEN, several=several)
    return alert_history(given, look)


def fired(*given: RawSeries, several: bool = False) -> Interval:
    (found,) = [f for f in told(*given, several=several).facts if f.kind is FactKind.ALERT_FIRING]
    return found.at


@pytest.mark.parametrize("offset", [2, 7, 13])
def test_replicas_that_answer_in_turn_widen_the_bound_by_an_evaluation(offset):
    assert fired(evaluated(50, 50 + offset)) == Interval(at(35), at(50))


def test_one_prometheus_widens_nothing():
    assert fired(evaluated(50)) == Interval(at(50), at(50))


def test_replicas_that_are_known_by_their_rules_widen_it_from_the_first_sample_on():
    assert fired(evaluated(50, until=60), several=True) == Interval(at(35), at(50))


def test_an_earlier_firing_of_the_other_replica_lies_within_the_bound():
    later, both = told(evaluated(50), several=True), told(evaluated(41, 50), several=True)
    firings = [f for f in (*later.facts, *both.facts) if f.kind is FactKind.ALERT_FIRING]

    assert firings[0].at.contains(firings[1].at.not_after)


def firing(first: float, last: float, source: Source, **detail: float) -> Fact:
    one = fact(FactKind.ALERT_FIRING, first, last, source=source)
    return replace(one, detail={"alert": "HighQueueDepth", **detail})


def test_what_two_alertmanagers_say_of_replicas_is_no_conflict():
    """The one that was told by the other replica has another `startsAt`."""
    known = FactSet([injected(), firing(-15, 0, Source.PROMETHEUS, apart=15), firing(6, 6, Source.ALERTMANAGER)])
    (milestone,) = [m for m in milestones(known, {}, drill_plan(), since_zero(60)) if m.name == "AlertFired"]

    assert not milestone.conflict
    assert milestone.at == Interval(since_zero(-15), since_zero(6))


def test_what_is_further_apart_than_replicas_are_is_a_conflict():
    known = FactSet([injected(), firing(-15, 0, Source.PROMETHEUS, apart=15), firing(20, 20, Source.ALERTMANAGER)])
    (milestone,) = [m for m in milestones(known, {}, drill_plan(), since_zero(60)) if m.name == "AlertFired"]

    assert milestone.conflict


def of_pods(number: int, start: float = 50, end: float = 60) -> list[RawSeries]:
    return [alerts(start + n % 3, end + n % 3, pod=f"pod-{n}", severity="page") for n in range(number)]


def test_an_alert_about_hundreds_of_pods_is_told_once_from_the_first_to_the_last():
    began, ended = history(*of_pods(250)).facts

    assert (began.kind, began.at.not_before) == (FactKind.ALERT_FIRING, at(50))
    assert (ended.kind, ended.at.not_before) == (FactKind.ALERT_RESOLVED, at(62))
    assert began.detail["labels"] == {"severity": "page"}
    assert ended.detail["all"] is True


def test_about_a_few_it_is_told_of_each():
    assert len(history(*of_pods(MOST_TOLD)).facts) == 2 * MOST_TOLD


def test_one_of_hundreds_that_fires_on_keeps_the_alert_firing():
    polled = history(*of_pods(250), alerts(60, 100, pod="last", severity="page"))

    assert polled.firing == {"High"}
    assert [f.kind for f in polled.facts] == [FactKind.ALERT_FIRING]

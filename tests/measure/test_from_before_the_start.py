"""What people did and said before a drill began is about something else (review finding B6, proof 2)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.measure.builders import T0, alert, at, drill_plan, fact, injected

from kubedrill.core.evidence.attribution import OF_PEOPLE, since_start
from kubedrill.core.evidence.facts import FactKind, FactSet
from kubedrill.core.measure.milestones import milestones
from kubedrill.core.measure.results import MilestoneName

START = T0 - timedelta(seconds=90)
FIRED = (injected(), alert(FactKind.ALERT_FIRING, 0))


def reached(*facts: object) -> set[MilestoneName]:
    known = since_start({*FIRED, *facts}, START)  # type: ignore[arg-type]
    return {m.name for m in milestones(known, {}, drill_plan(), at(600))}


def test_an_acknowledgement_of_another_drills_page_is_no_detection():
    assert MilestoneName.ACKNOWLEDGED not in reached(fact(FactKind.ACKNOWLEDGED, -3600, by="alice"))
    assert MilestoneName.ACKNOWLEDGED in reached(fact(FactKind.ACKNOWLEDGED, 30, by="alice"))


@pytest.mark.parametrize("kind", sorted(OF_PEOPLE))
@given(before=st.floats(91, 1e6))
def test_nothing_of_people_from_before_counts(kind: FactKind, before: float):
    early = fact(kind, -before, by="alice")
    assert early not in since_start({early}, START)
    assert early in since_start({early}, None)


def test_what_may_have_been_after_the_start_stays():
    open_order = fact(FactKind.ACKNOWLEDGED, -95, -85, by="alice")
    assert open_order in since_start({open_order}, START)


def test_what_monitoring_and_cluster_told_before_stays():
    """An alert that fired before the injection makes the drill an Error: that must be seen."""
    told = {alert(FactKind.ALERT_FIRING, -3600), fact(FactKind.POD_OOM_KILLED, -3600)}
    assert since_start(told, START) == FactSet(told)


def test_every_kind_of_fact_that_people_make_is_known():
    """A new one that is forgotten in the list would count from before the start."""
    rest = {kind.name.partition("_")[0] for kind in set(FactKind) - OF_PEOPLE}
    of_cluster = {"POD", "PODS", "WORKLOAD", "IMAGE", "QUOTA"}
    of_monitoring = {"ALERT", "RULE", "NOTIFIED", "PAGE", "IMPACT", "STEADY"}
    of_the_drill = {"START", "END", "FAULT", "JOBS", "STOP", "GAP", "INTERFERENCE"}
    not_measured = {"NOTED", "CONFIRMED", "HINT", "ATTRIBUTED"}
    assert rest == of_cluster | of_monitoring | of_the_drill | not_measured

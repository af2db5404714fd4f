"""What the monitoring did or did not is a finding of its own."""

from __future__ import annotations

from tests.measure.builders import alert, at, drill_plan, fact, injected, limit
from tests.measure.test_the_monitorings_time import FIRED, a_rule, acknowledged, elsewhere, notified, routed, suppressed

from kubedrill.core.evidence.facts import Fact, FactKind, FactSet
from kubedrill.core.findings.rules import findings
from kubedrill.core.measure.alerting import alerting
from kubedrill.core.measure.milestones import milestones
from kubedrill.core.measure.objectives import Grounds, judge
from kubedrill.core.measure.results import Finding, Severity
from kubedrill.core.plan.drill_plan import DrillPlan

DETECTION = drill_plan(limit("detection", "Acknowledged", 60))


def found(*facts: Fact, design: DrillPlan = DETECTION) -> dict[str, Finding]:
    seen = FactSet(facts)
    reached = milestones(seen, {}, design, at(600))
    judged = judge(reached, design, Grounds(now=at(600), ended=at(600), alerts=alerting(seen, reached, design)))
    return {f.rule: f for f in findings(seen, reached, judged, design)}


def test_b13c_nobody_was_paged_and_by_what():
    muted = suppressed("mute time", receivers=["op-b13"])
    (told,) = [f for rule, f in found(*FIRED, muted).items() if rule == "nobody-was-paged"]

    assert told.severity is Severity.IMPORTANT
    assert muted.evidence in told.text
    assert muted.id in told.fact_ids


def test_that_nobody_answered_is_not_said_where_somebody_did():
    muted = suppressed("mute time", receivers=["op-b13"])
    nobodys, answered = found(*FIRED, muted), found(*FIRED, muted, acknowledged(7))

    assert "That nobody answered it" in nobodys["nobody-was-paged"].text
    assert "nobody answered" not in answered["nobody-was-paged"].text
    assert "noticed it by themselves" in answered["nobody-was-paged"].text


def test_the_alert_is_told_to_have_fired_at_t_plus_0():
    assert "fired at T+0s" in found(*FIRED, suppressed("mute time"))["nobody-was-paged"].text


def test_b13c_a_message_over_a_muted_receiver_shows_that_it_was_not():
    muted = suppressed("mute time", receivers=["op-b13"])

    assert "nobody-was-paged" not in found(*FIRED, muted, notified(5, "op-b13"))
    assert "nobody-was-paged" in found(*FIRED, muted, notified(5, "another"))


def test_where_nothing_is_known_of_a_page_nothing_is_found():
    assert not {"nobody-was-paged", "page-came-late"} & found(*FIRED).keys()


def test_b14_a_page_that_took_the_time_to_answer_is_a_finding_with_its_reason():
    told = found(*FIRED, routed("op-b14"), notified(90, "op-b14"), acknowledged(97))["page-came-late"]

    assert "Notified came 1m30s after the alert, of the 1m in which it must be answered" in told.text
    assert "Its route waits 1m30s at first (group_wait)." in told.text


def test_a_page_that_came_soon_is_none():
    assert "page-came-late" not in found(*FIRED, routed("op"), notified(10, "op"))


def test_b4_an_alert_about_another_namespace_is_a_finding():
    told = found(injected(), elsewhere("exported_namespace"))["alert-about-something-else"]

    assert "shop stands in its label exported_namespace" in told.text
    assert "labels.namespace" in told.text


def test_an_alert_that_fired_about_both_is_none():
    assert "alert-about-something-else" not in found(*FIRED, elsewhere())


def test_b8_an_alert_about_older_trouble_is_a_finding():
    told = found(*FIRED, alert(FactKind.ALERT_PENDING, -70), design=a_rule())

    assert "its condition held before the fault was injected" in told["alert-about-something-else"].text


def test_slow_monitoring_tells_what_of_it_is_the_rules_own_wait():
    design = a_rule(waits=900)
    late = (injected(-1000), fact(FactKind.FAULT_EFFECTIVE, -990), alert(FactKind.ALERT_FIRING, 0))
    told = found(*late, design=drill_plan(limit("detection", "Acknowledged", 60), alerts=design.alerts))

    assert "(15m of it is what its rule waits by itself)" in told["slow-monitoring"].text

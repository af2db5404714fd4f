"""What the monitoring takes to tell people is its own: it is never held against those who were not told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.measure.builders import alert, at, between, changed, drill_plan, fact, injected, limit, state

from kubedrill.core.evidence.facts import Fact, FactKind, FactSet, Source
from kubedrill.core.measure.alerting import alerting
from kubedrill.core.measure.milestones import milestones
from kubedrill.core.measure.objectives import Grounds, judge
from kubedrill.core.measure.results import MilestoneName, ObjectiveResult, ObjectiveVerdict
from kubedrill.core.plan.drill_plan import AlertWanted, DrillPlan, RuleTiming

MET, MISSED, OPEN = ObjectiveVerdict.MET, ObjectiveVerdict.MISSED, ObjectiveVerdict.INDETERMINATE
FIRED = (injected(), alert(FactKind.ALERT_FIRING, 0))
DETECTION = limit("detection", "Acknowledged", 60)


def notified(seconds: float, receiver: str = "operator") -> Fact:
    told: dict[str, Any] = {"alert": "HighQueueDepth", "receiver": receiver}
    return fact(FactKind.NOTIFIED, seconds, source=Source.WEBHOOK, **told)


def routed(*receivers: str, waits: float = 90) -> Fact:
    told: dict[str, Any] = {"alert": "HighQueueDepth", "receivers": list(receivers), "waits": waits}
    return fact(FactKind.ALERT_ROUTED, 1, source=Source.ALERTMANAGER, **told)


def suppressed(by: str = "silence", **more: Any) -> Fact:
    told: dict[str, Any] = {"alert": "HighQueueDepth", "by": by, "name": "x", **more}
    return fact(FactKind.ALERT_SUPPRESSED, 1, source=Source.ALERTMANAGER, **told)


def acknowledged(seconds: float) -> Fact:
    return fact(FactKind.ACKNOWLEDGED, seconds, by="alice")


def judged(*facts: Fact, design: DrillPlan | None = None, now: float = 600, ended: bool = True) -> ObjectiveResult:
    seen, design = FactSet([*FIRED, *facts]), design or drill_plan(DETECTION)
    reached = milestones(seen, {}, design, at(now))
    alerts = alerting(seen, reached, design)
    return judge(reached, design, Grounds(now=at(now), ended=at(now) if ended else None, alerts=alerts))[-1]


def test_b14_what_group_wait_held_back_is_not_the_on_calls():
    result = judged(routed("op-b14"), notified(90, "op-b14"), acknowledged(97))

    assert (result.verdict, result.start) == (MET, "Notified")
    assert result.upper == timedelta(seconds=7)
    assert "it came 1m30s after the alert, which is the monitoring's time" in result.reason


def test_b14_who_is_slow_after_the_page_has_missed_it():
    result = judged(routed("op-b14"), notified(90, "op-b14"), acknowledged(190))

    assert (result.verdict, result.lower) == (MISSED, timedelta(seconds=100))


def test_an_objective_that_is_met_from_the_alert_on_is_told_from_the_alert_on():
    result = judged(routed("op"), notified(20, "op"), acknowledged(40))

    assert (result.verdict, result.start, result.upper) == (MET, "AlertFired", timedelta(seconds=40))


def test_where_people_have_other_receivers_it_is_not_known_when_they_were_paged():
    result = judged(routed("pager", "operator"), notified(90), acknowledged(97))

    assert result.verdict is OPEN
    assert (result.lower, result.upper) == (timedelta(seconds=7), timedelta(seconds=97))
    assert "receiversForPeople" in result.reason


def test_where_nothing_is_known_of_the_routes_it_is_not_known_either():
    assert judged(notified(90), acknowledged(97)).verdict is OPEN


def test_both_ways_missed_is_missed():
    assert judged(notified(90), acknowledged(200)).verdict is MISSED


def test_the_receiver_that_the_environment_names_as_peoples_is_the_page():
    design = drill_plan(DETECTION, people_receivers=frozenset({"operator"}))
    result = judged(routed("pager", "operator"), notified(90), acknowledged(97), design=design)

    assert (result.verdict, result.start) == (MET, "Paged")


def test_paged_is_not_said_of_the_operators_own_notification():
    reached = {m.name for m in milestones(FactSet([*FIRED, notified(2)]), {}, drill_plan(), at(60))}

    assert MilestoneName.NOTIFIED in reached
    assert MilestoneName.PAGED not in reached


def test_a_page_that_an_earlier_version_stored_is_read_as_it_was():
    page = fact(FactKind.PAGE_SENT, 0, 2, source=Source.WEBHOOK, alert="HighQueueDepth", receiver="operator")
    (paged,) = [m for m in milestones(FactSet([*FIRED, page]), {}, drill_plan(), at(60)) if m.name == "Paged"]

    assert paged.at == between(0, 2)


def test_b13c_nobody_misses_what_nobody_was_told_of():
    result = judged(suppressed("mute time", receivers=["op-b13"]))

    assert result.verdict is OPEN
    assert result.reason.startswith("nobody was paged: ")


def test_b13_who_noticed_by_themselves_is_judged_from_then():
    result = judged(suppressed(), acknowledged(300), design=drill_plan(limit("severity", "SeverityAssessed", 60)))

    assert (result.verdict, result.start) == (OPEN, "Acknowledged")


def test_b13_who_noticed_by_themselves_was_neither_quick_nor_slow():
    result = judged(suppressed(), acknowledged(300))

    assert (result.verdict, result.start, result.lower) == (OPEN, "AlertFired", timedelta(seconds=300))
    assert result.reason == "nobody had been told of the alert before: whoever did this noticed it by themselves"
    assert judged(suppressed(), acknowledged(30)).verdict is MET


def test_a_silence_that_was_set_after_somebody_was_told_excuses_nobody():
    assert judged(notified(1), routed("operator"), suppressed()).verdict is MISSED


def test_an_objective_is_open_while_alertmanager_still_waits_to_tell_anybody():
    result = judged(routed("op-b14"), now=80, ended=False)

    assert result.verdict is ObjectiveVerdict.PENDING
    assert judged(routed("op-b14"), now=120, ended=False).verdict is MISSED


def a_rule(**timing: float) -> DrillPlan:
    told = RuleTiming(**{name: timedelta(seconds=s) for name, s in timing.items()})
    clock = AlertWanted("HighQueueDepth", starts_clock=True, within=timedelta(seconds=120), timing=told)
    return drill_plan(alerts=(clock,), steady=())


def test_b8_an_alert_that_was_pending_before_the_injection_is_no_t0():
    pending = alert(FactKind.ALERT_PENDING, -70)
    seen = FactSet([*FIRED, pending, fact(FactKind.FAULT_EFFECTIVE, -50)])
    reached = milestones(seen, {}, a_rule(), at(600))
    assert "AlertFired" not in {m.name for m in reached}

    (result,) = judge(reached, a_rule(), Grounds(now=at(600), ended=at(600), alerts=alerting(seen, reached, a_rule())))
    assert result.verdict is OPEN
    assert "its condition held before the fault was injected" in result.reason


def test_b8_one_that_fires_sooner_than_its_rule_waits_began_before_too():
    assert "AlertFired" not in {m.name for m in milestones(FactSet(FIRED), {}, a_rule(waits=90), at(600))}
    assert "AlertFired" in {m.name for m in milestones(FactSet(FIRED), {}, a_rule(waits=50), at(600))}


def test_b15_one_that_flapped_before_and_began_anew_is_the_drills():
    flapped = (
        alert(FactKind.ALERT_FIRING, -100),
        alert(FactKind.ALERT_RESOLVED, -80),
        alert(FactKind.ALERT_PENDING, -5),
    )
    reached = milestones(FactSet([*FIRED, *flapped]), {}, a_rule(waits=5), at(600))
    (fired,) = [m for m in reached if m.name is MilestoneName.ALERT_FIRED]

    assert fired.at == between(0)


def elsewhere(under: str = "") -> Fact:
    told: dict[str, Any] = {"alert": "HighQueueDepth", "namespace": "monitoring", "under": under}
    return fact(FactKind.ALERT_ELSEWHERE, 0, source=Source.PROMETHEUS, **told)


def not_fired(*facts: Fact) -> ObjectiveResult:
    seen = FactSet([injected(), fact(FactKind.FAULT_EFFECTIVE, -50), *facts])
    reached = milestones(seen, {}, a_rule(), at(600))
    return judge(reached, a_rule(), Grounds(now=at(600), ended=at(600), alerts=alerting(seen, reached, a_rule())))[0]


def test_b4_one_that_names_the_target_under_another_label_is_not_said_not_to_have_fired():
    result = not_fired(elsewhere("exported_namespace"))

    assert result.verdict is OPEN
    assert "fires, but about namespace monitoring: shop stands in its label exported_namespace" in result.reason


def test_b4_one_that_fires_about_others_only_has_missed_and_says_so():
    result = not_fired(elsewhere())

    assert result.verdict is MISSED
    assert result.reason == "HighQueueDepth fires, but about namespace monitoring, not about shop"


def recovered(*facts: Fact, design: DrillPlan) -> float | None:
    told = (*FIRED, state(-90, 5), state(-50, 3), state(20, 5), changed(10, "alice"), *facts)
    reached = milestones(FactSet(told), {}, design, at(600))
    found = next((m.at for m in reached if m.name is MilestoneName.RECOVERED), None)
    return (found.not_after - at(0)).total_seconds() if found else None


def test_what_an_alert_fires_longer_is_not_held_against_the_recovery():
    ended = alert(FactKind.ALERT_RESOLVED, 85, 86)

    assert recovered(ended, design=a_rule(every=1)) == 86
    assert recovered(ended, design=a_rule(every=1, lingers=60)) == 26


def test_no_recovery_is_missed_while_the_alert_fires_longer():
    design = replace(a_rule(lingers=60), objectives=(limit("resolution", "Recovered", 100),))
    reached = milestones(FactSet(FIRED), {}, design, at(170))
    *_, result = judge(reached, design, Grounds(now=at(170)))

    assert result.verdict is ObjectiveVerdict.PENDING


def test_an_alert_is_silent_when_nothing_fires_that_it_is_about():
    two = [
        replace(alert(FactKind.ALERT_FIRING, 5), detail={"alert": "HighQueueDepth", "labels": {"pod": p}}) for p in "ab"
    ]
    one = replace(alert(FactKind.ALERT_RESOLVED, 30), detail={"alert": "HighQueueDepth", "labels": {"pod": "a"}})
    other = replace(alert(FactKind.ALERT_RESOLVED, 90), detail={"alert": "HighQueueDepth", "labels": {"pod": "b"}})
    first = alert(FactKind.ALERT_RESOLVED, 25)

    assert recovered(*two, first, one, design=a_rule()) is None
    assert recovered(*two, first, one, other, design=a_rule()) == 90

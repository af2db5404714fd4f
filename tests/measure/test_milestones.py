"""Milestones: what facts say was reached, when, and whose doing it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.measure.builders import (
    WORKER,
    alert,
    at,
    between,
    bitten,
    changed,
    drill_plan,
    fact,
    injected,
    reverted,
    samples,
    scaled,
    state,
)

from kubedrill.api.faults import Fault
from kubedrill.core.evidence.facts import FactKind, Interval, Source
from kubedrill.core.measure.milestones import milestones
from kubedrill.core.measure.results import By, MilestoneName
from kubedrill.core.plan.drill_plan import AlertWanted
from kubedrill.plugins.faults.of_drill import profile

NOW = at(600)


def reached(facts, series=None, design=None, now=NOW):
    return {m.key: m for m in milestones(facts, series or {}, design or drill_plan(), now)}


def test_the_first_player_who_acknowledges_does():
    found = reached([fact(FactKind.ACKNOWLEDGED, 60, by="emma"), fact(FactKind.ACKNOWLEDGED, 30, by="alice")])
    assert found["Acknowledged"].actor == "alice"
    assert found["Acknowledged"].at == between(30)


@pytest.mark.parametrize("who", ["", "robot"])
def test_an_automations_acknowledgement_is_nobodys(who):
    assert "Acknowledged" not in reached([fact(FactKind.ACKNOWLEDGED, 30, by=who)])


def test_of_several_events_the_first_is_bounded_by_the_least_of_each_bound():
    found = reached([fact(FactKind.ACKNOWLEDGED, 10, 90, by="alice"), fact(FactKind.ACKNOWLEDGED, 20, 40, by="emma")])
    assert found["Acknowledged"].at == between(10, 40)
    assert len(found["Acknowledged"].fact_ids) == 2


def test_two_sources_of_one_firing_are_intersected():
    found = reached(
        [
            alert(FactKind.ALERT_FIRING, 0, 2),
            alert(FactKind.ALERT_FIRING, 1.2, 1.3, Source.ALERTMANAGER),
        ]
    )
    assert found["AlertFired"].at == Interval(at(1.2), at(1.3))
    assert not found["AlertFired"].conflict


def test_sources_that_contradict_each_other_give_both_and_are_marked():
    found = reached(
        [
            alert(FactKind.ALERT_FIRING, 0, 2),
            alert(FactKind.ALERT_FIRING, 5, 6, Source.ALERTMANAGER),
        ]
    )
    assert found["AlertFired"].at == between(0, 6)
    assert found["AlertFired"].conflict


def test_two_sources_of_one_change_are_one_change():
    watched = changed(100, by="tom", change="w@7")
    audited = fact(
        FactKind.TARGET_CHANGED,
        100,
        by="tom",
        source=Source.AUDIT_LOG,
        target=WORKER,
        path="/spec/template/spec/containers/0/resources/limits/memory",
        change="w@7",
    )
    found = reached([watched, audited])
    assert set(found["FixApplied"].fact_ids) == {watched.id, audited.id}


def test_an_observer_never_overwrites_a_machine():
    seen = fact(FactKind.CLIENT_NOTIFIED, 200, by="emma")
    heard = fact(FactKind.CLIENT_NOTIFIED, 100, 160, by="emma", source=Source.OBSERVER)
    fired = alert(FactKind.ALERT_FIRING, 0)
    assert reached([fired, seen, heard])["ClientNotified"].at == between(200)
    alone = reached([fired, heard])["ClientNotified"]
    assert alone.at == between(100, 160)
    assert alone.declared


def test_an_alert_that_fired_before_the_injection_is_not_this_drills():
    found = reached([alert(FactKind.ALERT_FIRING, -300), injected(-60), alert(FactKind.ALERT_FIRING, 0)])
    assert found["AlertFired"].at == between(0)


def test_another_alert_has_a_milestone_of_its_own():
    alerts = (
        AlertWanted("HighQueueDepth", starts_clock=True, within=timedelta(0)),
        AlertWanted("Crashing", starts_clock=False, within=timedelta(0)),
    )
    crashing = fact(FactKind.ALERT_FIRING, -20, source=Source.PROMETHEUS, alert="Crashing")
    found = reached([crashing, alert(FactKind.ALERT_FIRING, 0)], design=drill_plan(alerts=alerts))
    assert found["AlertFired"].at == between(0)
    assert found["AlertFired[Crashing]"].at == between(-20)


@pytest.mark.parametrize(("said", "counts"), [("P1", True), ("p1", True), ("P2", False), ("bad", False)])
def test_a_severity_counts_from_the_right_one_upwards(said, counts):
    found = reached([fact(FactKind.SEVERITY_ASSESSED, 30, by="alice", severity=said)])
    assert ("SeverityAssessed" in found) is counts


def test_a_higher_severity_than_the_right_one_counts_too():
    found = reached([fact(FactKind.SEVERITY_ASSESSED, 30, by="alice", severity="P1")], design=drill_plan(severity="P2"))
    assert "SeverityAssessed" in found


def test_requested_and_engaged_are_two_times_for_each_level():
    found = reached(
        [
            fact(FactKind.ESCALATION_REQUESTED, 10, by="alice", level="L2"),
            fact(FactKind.ESCALATION_ENGAGED, 30, by="emma", level="L2"),
            fact(FactKind.ESCALATION_REQUESTED, 40, by="emma", level="Engineering"),
            fact(FactKind.ESCALATION_ENGAGED, 90, by="tom"),
        ]
    )
    assert found["EscalationRequested[L2]"].at == between(10)
    assert found["EscalationEngaged[L2]"].at == between(30)
    assert found["EscalationEngaged[Engineering]"].actor == "tom"


def test_a_wrong_diagnosis_is_not_the_cause():
    wrong = fact(FactKind.CAUSE_IDENTIFIED, 10, by="alice", component="redis")
    right = fact(FactKind.CAUSE_IDENTIFIED, 90, by="tom", component="Worker", faultClass="memory-limit")
    assert reached([wrong, right])["CauseIdentified"].actor == "tom"


def test_a_change_is_the_first_containment_and_only_one_to_the_cause_is_the_fix():
    found = reached([scaled(50, by="alice"), changed(60, by="alice", path="/spec/paused"), changed(90, by="tom")])
    assert found["FirstContainment"].actor == "alice"
    assert found["FixApplied"].at == between(90)
    assert not found["FixApplied"].declared


def test_a_strangers_change_is_neither():
    found = reached([scaled(50), changed(90)])
    assert "FirstContainment" not in found
    assert "FixApplied" not in found


def test_without_a_change_the_players_word_stands_for_it_and_says_so():
    found = reached([fact(FactKind.FIX_APPLIED, 90, by="tom")])
    assert found["FixApplied"].declared
    assert found["FirstContainment"].declared


RISING, DRAINING = [60.0 + n * 0.5 for n in range(160)], [140 - 2.0 * n for n in range(60)]
FALLS_AT_100 = {"impact": samples(RISING + DRAINING, start=-60)}


def test_a_players_change_before_the_fall_makes_it_the_players():
    found = reached([injected(), bitten(), changed(90, by="tom")], FALLS_AT_100)
    assert found["Mitigated"].by is By.PLAYER
    assert found["Mitigated"].actor == "tom"
    assert found["Mitigated"].at.contains(at(102))


def test_the_change_to_the_cause_tells_whose_it_is_not_the_last_change():
    found = reached([injected(), bitten(), changed(80, by="tom"), scaled(95, by="alice")], FALLS_AT_100)
    assert found["Mitigated"].actor == "tom"


def test_a_players_change_after_the_fall_is_not_its_cause():
    found = reached([injected(), bitten(), scaled(70), changed(150, by="tom")], FALLS_AT_100)
    assert found["Mitigated"].by is By.AUTOMATION


def test_a_fall_without_any_change_is_nobodys():
    assert reached([injected(), bitten()], FALLS_AT_100)["Mitigated"].by is By.NOBODY


@pytest.mark.parametrize("by", [By.STRANGER, By.UNKNOWN])
def test_a_change_by_a_stranger_or_nobody_knows_whom_leaves_open_whose_doing_it_was(by: By):
    stranger = fact(FactKind.INTERFERENCE, 90, source=Source.TARGET_WATCH, target=WORKER, who="ci-bot")
    stranger = replace(stranger, detail={**stranger.detail, "by": by.value})
    found = reached([injected(), bitten(), changed(80, by="tom"), stranger], FALLS_AT_100)
    assert found["Mitigated"].by is by
    assert not found["Mitigated"].actor


def test_what_falls_only_after_the_operators_own_revert_is_the_operators():
    found = reached([injected(), bitten(), changed(50, by="tom"), reverted(95)], FALLS_AT_100)
    assert found["Mitigated"].by is By.OPERATOR


def test_nothing_falls_before_anything_was_injected_and_had_its_effect():
    assert "Mitigated" not in reached([], FALLS_AT_100)
    assert "Mitigated" not in reached([injected()], FALLS_AT_100)


def recovery(*more):
    """Fired at 0, fixed at 50, ready at 60, silent at 70; the queue is below 20 from about 80 on."""
    return [
        injected(),
        alert(FactKind.ALERT_FIRING, 0),
        state(-30, 2),
        changed(50, by="tom"),
        state(60, 5),
        alert(FactKind.ALERT_RESOLVED, 69, 70),
        *more,
    ]


DRAINED_AT_80 = {"queue": samples([max(5.0, 100 - n) for n in range(200)])}


def test_recovered_is_the_start_of_the_time_in_which_everything_holds():
    found = reached(recovery(), DRAINED_AT_80, now=at(190))
    assert found["Recovered"].at.contains(at(80.5))
    assert found["Recovered"].at.width <= timedelta(seconds=2)
    assert found["Recovered"].actor == "tom"


def test_recovered_waits_for_the_alert_even_when_it_fires_once_more():
    again = [alert(FactKind.ALERT_FIRING, 84), alert(FactKind.ALERT_RESOLVED, 99, 100)]
    assert reached(recovery(*again), DRAINED_AT_80, now=at(190))["Recovered"].at == between(99, 100)


def test_recovered_waits_for_the_workload():
    found = reached(recovery(state(81, 4), state(110, 5)), DRAINED_AT_80, now=at(190))
    assert found["Recovered"].at == between(110)


def test_a_workload_scaled_to_nothing_is_not_ready():
    assert "Recovered" not in reached(recovery(state(75, 0, 0)), DRAINED_AT_80, now=at(190))


def test_recovered_needs_the_cause_gone():
    without_fix = [f for f in recovery() if f.kind is not FactKind.TARGET_CHANGED]
    assert "Recovered" not in reached(without_fix, DRAINED_AT_80, now=at(190))


def test_where_there_is_no_cause_that_anybody_could_change_it_recovers_without_one():
    killed = Fault.model_validate({"name": "gone", "podKill": {"target": {"kind": "Deployment", "name": "worker"}}})
    by_itself = drill_plan(faults=(killed,), profiles=(profile(killed, "shop"),))
    without_fix = [f for f in recovery() if f.kind is not FactKind.TARGET_CHANGED]
    assert "Recovered" in reached(without_fix, DRAINED_AT_80, now=at(190), design=by_itself)


def test_recovered_needs_data_of_every_check():
    assert "Recovered" not in reached(recovery(), {}, now=at(190))


def test_recovered_is_not_called_before_its_window_is_over():
    assert "Recovered" not in reached(recovery(), DRAINED_AT_80, now=at(90))


def test_one_resolved_webhook_is_not_the_end_while_prometheus_tells_of_the_alert():
    early = alert(FactKind.ALERT_RESOLVED, 10, source=Source.WEBHOOK)
    facts = [f for f in recovery(early) if f.kind is not FactKind.ALERT_RESOLVED or f is early]
    assert "Recovered" not in reached(facts, DRAINED_AT_80, now=at(190))


def test_the_impact_starts_with_the_first_check_that_ceases_to_hold():
    grows = {"queue": samples([float(n) for n in range(60)], start=-30)}
    found = reached([injected(-30)], grows, now=at(30))
    assert found["ImpactStarted"].at.contains(at(-30 + 19.5))


def test_milestones_come_in_order_of_time():
    found = milestones(
        [fact(FactKind.ALL_CLEAR_SENT, 90, by="emma"), alert(FactKind.ALERT_FIRING, 0)], {}, drill_plan(), NOW
    )
    assert [m.name for m in found] == [MilestoneName.ALERT_FIRED, MilestoneName.ALL_CLEAR_SENT]

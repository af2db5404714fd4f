"""Findings: what the evidence alone shows, and when it shows nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.measure.builders import FIRED, WORKER, alert, at, changed, drill_plan, fact, limit, milestone, scaled

from kubedrill.core.evidence.facts import FactKind, Source
from kubedrill.core.findings.rules import findings
from kubedrill.core.measure.milestones import milestones
from kubedrill.core.measure.objectives import Grounds, judge
from kubedrill.core.measure.results import MilestoneName, Severity


def found(*facts, also=(), design=None, unread=False):
    """The findings by rule; T+0 is given."""
    design = design or drill_plan(limit())
    seen = (alert(FactKind.ALERT_FIRING, 0), *facts)
    reached = (*milestones(seen, {}, design, at(3600)), *also)
    objectives = judge(reached, design, Grounds(now=at(3600), unread=unread))
    told = findings(seen, reached, objectives, design, unread=unread)
    return {f.rule: f for f in told}


CRASH = fact(FactKind.POD_CRASH_LOOPING, -30, source=Source.POD_WATCH, pod="w-1")
LISTED = fact(FactKind.PODS_LISTED, 20, by="alice", source=Source.AUDIT_LOG)
READ = fact(FactKind.EVIDENCE_READ, 90, by="tom", source=Source.AUDIT_LOG, pod="w-1")
READ_FIRST = fact(FactKind.EVIDENCE_READ, 10, by="alice", source=Source.AUDIT_LOG, pod="w-1")


def test_more_of_what_crashes_before_anybody_read_why():
    finding = found(CRASH, LISTED, scaled(30, by="alice"), READ)["scaled-before-diagnosing"]
    assert CRASH.id in finding.fact_ids
    assert READ.id in finding.fact_ids
    assert "T+30s" in finding.text


@pytest.mark.parametrize(
    "facts",
    [
        (CRASH, READ_FIRST, scaled(30, by="alice")),
        (LISTED, scaled(30, by="alice"), READ),
        (CRASH, LISTED, READ, scaled(30, by="alice", before=10, after=5)),
        (CRASH, LISTED, READ, scaled(30)),
        (CRASH, scaled(30, by="alice")),
    ],
    ids=["a log was read first", "nothing crashed", "scaled down", "not by a player", "nobody's reads are known"],
)
def test_scaling_is_no_finding_when(facts):
    assert "scaled-before-diagnosing" not in found(*facts)


def test_a_first_containment_that_turned_nothing():
    fell = milestone(MilestoneName.MITIGATED, 100)
    assert "first-containment-had-no-effect" in found(scaled(30, by="alice"), changed(90, by="tom"), also=(fell,))
    assert "first-containment-had-no-effect" in found(scaled(30, by="alice"))
    assert "first-containment-had-no-effect" not in found(scaled(30, by="alice"), also=(fell,))
    assert "first-containment-had-no-effect" not in found(changed(90, by="tom"), also=(fell,))


def test_the_client_told_us_first():
    complained = fact(FactKind.CLIENT_COMPLAINED, 100)
    assert "client-told-us-first" in found(complained)
    assert "client-told-us-first" in found(complained, fact(FactKind.CLIENT_NOTIFIED, 120, by="emma"))
    assert "client-told-us-first" not in found(complained, fact(FactKind.CLIENT_NOTIFIED, 80, by="emma"))


def test_who_joins_says_what_they_take_on():
    joined = fact(FactKind.ESCALATION_ENGAGED, 60, by="tom", level="Engineering")
    assert "engaged-without-taking-lead" in found(joined)
    assert "engaged-without-taking-lead" not in found(joined, fact(FactKind.LEAD_TAKEN, 70, by="tom"))
    assert "engaged-without-taking-lead" not in found(joined, fact(FactKind.COMMAND_ASSUMED, 70, by="tom"))


@pytest.mark.parametrize(("bitten", "pace", "slow"), [(-600, 1, True), (-250, 1, False), (-250, 12, False)])
def test_monitoring_is_slow_when_it_takes_longer_than_people_are_given_to_answer(bitten, pace, slow):
    effect = fact(FactKind.FAULT_EFFECTIVE, bitten, source=Source.POD_WATCH)
    design = drill_plan(limit(within=300 / pace), pace=pace)
    assert ("slow-monitoring" in found(effect, design=design)) is slow


def test_an_all_clear_before_recovery_is_false_and_critical():
    sent = fact(FactKind.ALL_CLEAR_SENT, 100, by="emma")
    assert found(sent)["false-all-clear"].severity is Severity.CRITICAL
    assert "false-all-clear" in found(sent, also=(milestone(MilestoneName.RECOVERED, 200),))
    assert "false-all-clear" not in found(sent, also=(milestone(MilestoneName.RECOVERED, 50, 150),))


def test_a_severity_below_the_right_one_is_kept():
    too_low = fact(FactKind.SEVERITY_ASSESSED, 30, by="alice", severity="P3")
    right = fact(FactKind.SEVERITY_ASSESSED, 60, by="alice", severity="P1")
    assert "wrong-severity" in found(too_low, right)
    assert "wrong-severity" not in found(right)


def test_who_writes_the_post_mortem_is_named_while_it_is_fresh():
    late = fact(FactKind.POSTMORTEM_ASSIGNED, 3000, by="emma")
    early = fact(FactKind.POSTMORTEM_ASSIGNED, 1700, by="emma")
    over = fact(FactKind.RESOLVED_DECLARED, 2700, by="emma")
    assert "postmortem-owner-late" in found(late, over)
    assert found(late, over)["postmortem-owner-late"].title == "The post-mortem's owner came late"
    assert found(over)["postmortem-owner-late"].title == "The post-mortem has no owner"
    assert "postmortem-owner-late" not in found(early, over)
    assert "postmortem-owner-late" not in found()


def test_what_players_scaled_up_is_scaled_back_before_the_end_is_declared():
    up, over = scaled(30, by="alice"), fact(FactKind.RESOLVED_DECLARED, 100, by="emma")
    assert WORKER in found(up, over)["leftovers-of-players"].text
    assert "leftovers-of-players" in found(up, over, scaled(200, by="emma", before=10, after=5))
    assert "leftovers-of-players" not in found(up, over, scaled(90, by="emma", before=10, after=5))


def test_a_strangers_change_says_how_to_attribute_it():
    stranger = fact(FactKind.INTERFERENCE, 60, source=Source.TARGET_WATCH, fact_id="interference/w@7", who="ci-bot")
    finding = found(stranger)["interference"]
    assert "ci-bot" in finding.text
    assert "kubectl drill attribute interference/w@7" in finding.text


def test_the_client_hears_again_within_half_an_hour():
    words = [fact(FactKind.CLIENT_NOTIFIED, 60, by="emma"), fact(FactKind.ALL_CLEAR_SENT, 3000, by="emma")]
    between = fact(FactKind.CLIENT_NOTIFIED, 1500, by="emma")
    assert "slow-updates" in found(*words)
    assert "slow-updates" not in found(*words, between)


def test_what_was_done_before_its_clock_started_was_not_tried():
    assert "before-its-clock" in found(fact(FactKind.ACKNOWLEDGED, -20, by="alice"))


def test_what_took_at_most_half_of_its_limit_is_a_strength():
    fast, slow = fact(FactKind.ACKNOWLEDGED, 30, by="alice"), fact(FactKind.ACKNOWLEDGED, 200, by="alice")
    assert found(fast)["well-within-the-limits"].severity is Severity.STRENGTH
    assert "well-within-the-limits" not in found(slow)


def test_the_weightiest_come_first_and_times_are_in_scenario_time():
    design = drill_plan(limit(within=25), pace=12)
    seen = (
        alert(FactKind.ALERT_FIRING, 0),
        fact(FactKind.ACKNOWLEDGED, 1, by="alice"),
        fact(FactKind.ALL_CLEAR_SENT, 100, by="emma"),
        fact(FactKind.CLIENT_COMPLAINED, 75),
    )
    reached = milestones(seen, {}, design, at(600))
    told = findings(seen, reached, judge(reached, design, Grounds(now=at(600))), design)
    assert [f.severity for f in told] == sorted((f.severity for f in told), key=list(Severity).index)
    assert "T+15m" in next(f for f in told if f.rule == "client-told-us-first").text


def test_a_drill_without_anything_to_say_has_no_findings():
    assert findings((), (FIRED,), (), drill_plan(recovered_window=timedelta(seconds=15))) == ()


RESTS_ON_ABSENCE = {
    "scaled-before-diagnosing": (CRASH, LISTED, scaled(30, by="alice"), READ),
    "first-containment-had-no-effect": (scaled(30, by="alice"),),
    "client-told-us-first": (fact(FactKind.CLIENT_COMPLAINED, 100),),
    "engaged-without-taking-lead": (fact(FactKind.ESCALATION_ENGAGED, 60, by="tom", level="Engineering"),),
    "slow-monitoring": (fact(FactKind.FAULT_EFFECTIVE, -600, source=Source.POD_WATCH),),
    "false-all-clear": (fact(FactKind.ALL_CLEAR_SENT, 60, by="emma"),),
    "postmortem-owner-late": (fact(FactKind.RESOLVED_DECLARED, 60, by="alice"),),
    "leftovers-of-players": (scaled(30, by="alice"), fact(FactKind.RESOLVED_DECLARED, 60, by="alice")),
    "slow-updates": (
        fact(FactKind.CLIENT_NOTIFIED, 60, by="emma"),
        fact(FactKind.CLIENT_NOTIFIED, 60 + 2 * 3600, by="emma"),
    ),
}


@pytest.mark.parametrize(("rule", "facts"), RESTS_ON_ABSENCE.items(), ids=RESTS_ON_ABSENCE)
def test_what_rests_on_absence_is_not_known_while_evidence_cannot_be_read(rule, facts):
    certain, unsure = found(*facts), found(*facts, unread=True)
    assert rule in certain
    assert "not-known" not in certain
    assert rule not in unsure
    assert certain[rule].title in unsure["not-known"].text
    assert unsure["not-known"].severity is Severity.MINOR
    assert {f.id for f in facts} & set(certain[rule].fact_ids) <= set(unsure["not-known"].fact_ids)


def test_what_was_seen_is_known_whatever_cannot_be_read():
    underrated = fact(FactKind.SEVERITY_ASSESSED, 60, by="alice", severity="P4")
    stranger = fact(FactKind.INTERFERENCE, 60, source=Source.TARGET_WATCH, who="ci-bot")
    assert found(underrated, stranger, unread=True).keys() >= {"wrong-severity", "interference"}


def test_without_anything_that_rests_on_absence_nothing_is_said_to_be_unknown():
    assert "not-known" not in found(unread=True)


def test_c10_a_neighbours_crashes_are_no_reason_to_diagnose_what_was_scaled():
    job = fact(FactKind.POD_OOM_KILLED, -30, source=Source.POD_WATCH, pod="worker-db-sfnfx", target="Job/worker-db")
    own = fact(FactKind.POD_OOM_KILLED, -30, source=Source.POD_WATCH, pod="worker-1", target=WORKER)
    assert "scaled-before-diagnosing" not in found(job, LISTED, scaled(30, by="alice"), READ)
    assert "scaled-before-diagnosing" in found(job, own, LISTED, scaled(30, by="alice"), READ)

"""What the report shows, whatever the format."""

from datetime import timedelta

from tests.reports.records import MET, T0, between, fact, milestone, morning_rush, objective, record

from kubedrill.core.evidence.facts import FactKind, Source
from kubedrill.core.measure.results import FieldOutcome, MilestoneName, Restoration
from kubedrill.plugins.reports.method import how_measured, ran_for
from kubedrill.plugins.reports.putback import put_back
from kubedrill.plugins.reports.sections import certainty, findings, objectives, timeline, to_fix


def outcome(kind, now="128Mi", **more):
    path = "/spec/template/spec/containers/0/resources/limits/memory"
    return FieldOutcome("Deployment/worker", path, "128Mi", "48Mi", now, kind, **more)


def back(*fields, **more):
    return put_back(record(restoration=Restoration(complete=True, at=between(50, 50), fields=fields, **more)))


def test_the_three_worst_findings_come_first_and_no_strength_is_among_them():
    assert [f.rule for f in to_fix(morning_rush())] == [
        "scaled-before-diagnosing",
        "client-told-us-first",
        "slow-monitoring",
    ]


def test_a_finding_shows_the_facts_behind_it():
    scaled = findings(morning_rush())[0]
    assert [(e.clock, e.who, e.source) for e in scaled.evidence] == [
        ("T+5:00", "alice", "AuditLog"),
        ("T+18:00", "tom", "AuditLog"),
    ]


def test_how_sure_counts_a_players_word_apart_from_what_a_machine_saw():
    sure = certainty(
        record(
            milestones=(
                milestone(MilestoneName.MITIGATED, 1, 3, source=Source.PROMETHEUS),
                milestone(MilestoneName.CLIENT_NOTIFIED, 1, declared=True),
                milestone(MilestoneName.COMMAND_ASSUMED, 1, source=Source.OBSERVER, conflict=True),
            )
        )
    )
    assert (sure.machine, sure.declared, sure.observed, sure.conflicts) == (1, 1, 1, 1)
    assert (sure.widest, sure.widest_of) == ("2 min", "Mitigated")


def test_the_timeline_leaves_pods_coming_and_going_to_the_json():
    rows, left = timeline(morning_rush())
    assert left == 20
    assert not [r for r in rows if r.what == "Pod unready"]


def test_a_wall_of_kills_is_cut_but_no_persons_deed_ever_is():
    kills = tuple(fact(FactKind.POD_OOM_KILLED, n, id=f"kill/{n}") for n in range(30))
    notes = tuple(fact(FactKind.NOTED, n, id=f"note/{n}", actor="alice") for n in range(30))
    rows, left = timeline(record(facts=kills + notes))
    assert (sum(r.who == "alice" for r in rows), left) == (30, 18)


def test_what_a_player_put_back_is_credited_to_the_player():
    assert [f.put_back_by for f in back(outcome("Untouched", who="tom"), outcome("Restored")).fields] == [
        "tom",
        "operator",
    ]


def test_what_players_left_otherwise_is_listed():
    assert (
        back(outcome("Superseded", "256Mi", who="tom")).left_over
        == "limits.memory of Deployment/worker is 256Mi, was 128Mi (tom)"
    )


def scaled(at, before, after, actor="alice"):
    told = {"target": "Deployment/worker", "before": before, "after": after}
    return fact(FactKind.SCALED, at, actor=actor, source=Source.TARGET_WATCH, id=f"scaled/{at}", detail=told)


def test_what_players_scaled_up_and_left_so_is_left_over_as_the_finding_says():
    done = Restoration(complete=True, at=between(50, 50), fields=(outcome("Restored"),))
    left = put_back(record(restoration=done, facts=(scaled(5, 3, 5),))).left_over
    assert left == "replicas of Deployment/worker is 5, was 3 (alice)"
    assert put_back(record(restoration=done, facts=(scaled(5, 3, 5), scaled(9, 5, 3)))).left_over == "nothing"
    assert put_back(record(restoration=done, facts=(scaled(5, 3, 5, actor=""),))).left_over == "nothing"


def test_what_the_drill_wrote_itself_is_told_by_its_restore_alone():
    path = outcome("Superseded", "256Mi", who="tom").path
    told = {"target": "Deployment/worker", "path": path, "before": "48Mi", "after": "256Mi"}
    fix = fact(FactKind.TARGET_CHANGED, 5, actor="tom", detail=told)
    done = Restoration(complete=True, at=between(50, 50), fields=(outcome("Superseded", "256Mi", who="tom"),))
    assert put_back(record(restoration=done, facts=(fix,))).left_over.count("256Mi") == 1


def test_an_event_that_two_sources_tell_is_shown_once_within_the_bounds_of_both():
    told = {"change": "c1", "target": "Deployment/worker"}
    watched = fact(FactKind.SCALED, 5, 6, id="watch/1", source=Source.TARGET_WATCH, detail=told, evidence="5 to 10")
    audited = fact(
        FactKind.SCALED, 5.5, 7, id="audit/1", source=Source.AUDIT_LOG, actor="alice", detail=told, evidence=""
    )
    (row,), left = timeline(record(facts=(watched, audited)))
    assert (row.who, row.source, row.evidence, left) == ("alice", "TargetWatch, AuditLog", "5 to 10", 0)
    assert row.clock == "T+5:30–6:00"


def test_two_fields_of_one_change_are_both_told():
    facts = tuple(
        fact(FactKind.TARGET_CHANGED, 5, id=f"c1/{name}", detail={"change": "c1"}, evidence=f"{name} raised")
        for name in ("limit", "request")
    )
    (row,), _ = timeline(record(facts=facts))
    assert row.evidence == "limit raised; request raised"


def test_what_the_monitoring_has_to_keep_is_shown_in_real_time():
    own = objective("alert-Errors", 10, MET, 4, 4.1, stop="AlertFired", start="FaultEffective")
    (row,) = objectives(record(pace=12, objectives=(own,)))
    assert (row.limit, row.took) == ("10 min", "4–4.1 min")
    assert "in real time" in row.note


def test_a_field_that_a_player_set_back_to_what_it_was_is_nothing_left_over():
    assert back(outcome("Superseded", "128Mi", who="tom")).left_over == "nothing"


def test_how_long_it_ran_is_told_in_scenario_time_and_in_real_time():
    assert ran_for(record(pace=12, ended=T0 + timedelta(minutes=5))) == "60 min of scenario time in 5 min"


def test_a_pace_is_explained_among_how_it_was_measured():
    assert any("not sped up" in line for line in how_measured(record(pace=12)))
    assert not any("not sped up" in line for line in how_measured(record()))

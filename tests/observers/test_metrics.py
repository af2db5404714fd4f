from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from kubedrill.controller.metrics import MOST_DRILLS, DrillCollector

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def drill(name="monday", made="2026-11-23T11:00:00Z", **status):
    whole = {
        "phase": "InPlay",
        "startExTime": "2026-11-23T11:30:00.000Z",
        "objectives": [
            {"name": "detection", "verdict": "Met", "limit": "25s", "lower": "-1.5s", "upper": "2s"},
            {"name": "mitigation", "verdict": "Pending", "limit": "1m40s", "lower": "", "upper": ""},
        ],
        "milestones": [
            {
                "name": "EscalationEngaged[L2]",
                "notBefore": "2026-11-23T11:40:00.250Z",
                "notAfter": "2026-11-23T11:40:01Z",
                "actor": "alice",
                "source": "PlayerAction",
            }
        ],
        "faults": [{"name": "limit", "step": "Injected"}, {"name": "load", "step": "Reverted"}],
        "machine": {"deadline": "2026-11-23T12:30:00+00:00"},
    }
    return {
        "metadata": {"namespace": "drills", "name": name, "creationTimestamp": made},
        "spec": {},
        "status": whole | status,
    }


def scraped(*drills, now=NOW):
    """What a scrape gives: (metric, labels without the drill's own) -> value."""
    registry = CollectorRegistry()
    registry.register(DrillCollector(lambda: list(drills), lambda: now))
    return {
        (s.name, *(v for k, v in sorted(s.labels.items()) if k not in ("namespace", "drill", "scenario"))): s.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for s in family.samples
    }


def test_phase_verdict_objectives_and_milestones_are_the_statuses():
    found = scraped(drill(verdict="Failed"))
    assert found["kubedrill_drill_phase", "InPlay"] == 1
    assert found["kubedrill_drill_verdict", "Failed"] == 1
    assert found["kubedrill_objective_seconds", "lower", "detection"] == -1.5
    assert found["kubedrill_objective_seconds", "upper", "detection"] == 2
    assert found["kubedrill_objective_limit_seconds", "mitigation"] == 100
    assert found["kubedrill_objective_verdict", "mitigation", "Pending"] == 1
    lower = found["kubedrill_milestone_timestamp_seconds", "lower", "EscalationEngaged[L2]"]
    assert lower == datetime(2026, 11, 23, 11, 40, 0, 250_000, tzinfo=UTC).timestamp()


def test_a_bound_that_is_not_known_has_no_sample():
    assert ("kubedrill_objective_seconds", "upper", "mitigation") not in scraped(drill())


def test_faults_that_are_not_put_back_are_active_and_late_after_the_deadline():
    assert scraped(drill())[("kubedrill_faults_active",)] == 1
    assert scraped(drill())[("kubedrill_faults_past_deadline",)] == 0
    assert scraped(drill(), now=NOW + timedelta(hours=1))[("kubedrill_faults_past_deadline",)] == 1


def test_a_drill_that_ended_is_still_there():
    found = scraped(drill(phase="Completed", verdict="Passed"), now=NOW + timedelta(days=30))
    assert found["kubedrill_drill_phase", "Completed"] == 1


def test_a_drill_without_a_status_is_pending():
    assert scraped({**drill(), "status": None})["kubedrill_drill_phase", "Pending"] == 1


def test_no_players_name_is_in_any_label():
    registry = CollectorRegistry()
    registry.register(DrillCollector(lambda: [drill()], lambda: NOW))
    assert "alice" not in generate_latest(registry).decode()


def many(**old: object) -> str:
    """Twenty more drills than are told; the oldest of them as said."""
    drills = [
        drill(f"d{n}", made=f"2026-11-23T11:{n // 60:02d}:{n % 60:02d}Z", **(old if n == 0 else {"faults": []}))
        for n in range(MOST_DRILLS + 20)
    ]
    registry = CollectorRegistry()
    registry.register(DrillCollector(lambda: drills, lambda: NOW))
    return generate_latest(registry).decode()


def test_the_newest_hundred_drills_are_told():
    text = many(faults=[])
    assert text.count("kubedrill_faults_active{") == MOST_DRILLS
    assert 'drill="d119"' in text
    assert 'drill="d0"' not in text


def test_an_older_drill_with_a_fault_on_is_told_all_the_same():
    assert 'drill="d0"' in many(faults=[{"name": "limit", "step": "Injected"}])


def test_a_drill_whose_status_cant_be_read_hides_no_other():
    poison = drill("poison", milestones=[{"name": "x", "notBefore": "yesterday"}])
    assert scraped(poison, drill())["kubedrill_drill_phase", "InPlay"] == 1


def test_an_undo_that_is_stuck_is_told_although_no_status_says_so():
    registry = CollectorRegistry()
    registry.register(DrillCollector(list, lambda: NOW, lambda: [("drills", "rush", "undo-1")]))
    labels = {"namespace": "drills", "drill": "rush", "record": "undo-1"}
    assert registry.get_sample_value("kubedrill_undo_stuck", labels) == 1


def test_a_drill_whose_turns_fail_is_told_and_how_many_have():
    registry = CollectorRegistry()
    registry.register(DrillCollector(list, lambda: NOW, failing=lambda: [("drills", "rush", 7)]))
    assert registry.get_sample_value("kubedrill_turns_failing", {"namespace": "drills", "drill": "rush"}) == 7


def test_turns_are_counted_with_their_duration():
    collector = DrillCollector(list, lambda: NOW)
    collector.turned(0.02, failed=False)
    registry = CollectorRegistry()
    registry.register(collector)
    assert registry.get_sample_value("kubedrill_turn_duration_seconds_count", {"result": "done"}) == 1

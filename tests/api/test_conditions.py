"""Conditions as `kubectl wait` and CI need them."""

from datetime import UTC, datetime, timedelta

from kubedrill.api.conditions import ConditionType, initial_conditions, with_condition

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)


def named(conditions, kind):
    return next(c for c in conditions if c.type == kind)


def test_every_condition_is_there_as_unknown_from_the_first_visit():
    conditions = initial_conditions(NOON, generation=1)
    assert [c.type for c in conditions] == [
        "Accepted",
        "SteadyState",
        "Injected",
        "FaultEffective",
        "AlertFired",
        "Detected",
        "Mitigated",
        "Recovered",
        "Restored",
        "WorkloadsReady",
        "Finished",
        "Succeeded",
        "Stalled",
        "WitnessSeen",
    ]
    assert {(c.status, c.observed_generation) for c in conditions} == {("Unknown", 1)}


def test_a_condition_is_set_in_its_place_and_the_others_stay():
    before = initial_conditions(NOON)
    after = with_condition(before, ConditionType.INJECTED, status=True, reason="Injected", now=LATER, generation=2)
    assert [c.type for c in after] == [c.type for c in before]
    assert [c for c in after if c.type != "Injected"] == [c for c in before if c.type != "Injected"]
    assert named(after, "Injected").status == "True"
    assert named(after, "Injected").observed_generation == 2


def test_the_transition_time_stays_while_the_status_does():
    waiting = with_condition(
        (), ConditionType.STEADY_STATE, status=False, reason="QueueHigh", message="21 jobs", now=NOON
    )
    longer = with_condition(
        waiting, ConditionType.STEADY_STATE, status=False, reason="QueueHigh", message="25 jobs", now=LATER
    )
    assert named(longer, "SteadyState").last_transition_time == "2026-03-02T12:00:00.000Z"
    assert named(longer, "SteadyState").message == "25 jobs"


def test_the_transition_time_moves_with_the_status():
    steady = with_condition(
        initial_conditions(NOON), ConditionType.STEADY_STATE, status=True, reason="Steady", now=LATER
    )
    assert named(steady, "SteadyState").last_transition_time == "2026-03-02T12:05:00.000Z"


def test_a_message_that_the_schema_would_refuse_is_cut():
    conditions = with_condition((), ConditionType.STALLED, status=True, reason="Refused", message="x" * 5000, now=NOON)
    assert len(named(conditions, "Stalled").message) == 1024

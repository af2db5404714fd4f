"""When the watchdog acts, and when it keeps its hands off."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.undo.builders import NOON, deployment, record_of

from kubedrill.core.deadman import DrillSight, Ruling, Standing, may_close, may_free, may_revert
from kubedrill.core.undo_record import RecordState

RECORD = record_of(deployment())  # its deadline is an hour after noon
DEADLINE = RECORD.deadline
ON = DrillSight(Standing.THERE)
GONE = DrillSight(Standing.GONE)
UNKNOWN = DrillSight(Standing.UNKNOWN)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def deleted(ago: float) -> DrillSight:
    return DrillSight(Standing.THERE, deleted_at=NOON - seconds(ago))


def stopping(since: float) -> DrillSight:
    return DrillSight(Standing.THERE, stopping_for=seconds(since))


def unserved(since: float) -> DrillSight:
    return DrillSight(Standing.UNSERVED, unserved_for=seconds(since))


def revert(drill: DrillSight = ON, silence: float | None = 0.0, *, late: float | None = None) -> Ruling:
    now = NOON if late is None else DEADLINE + seconds(late)
    return may_revert(RECORD, now, drill, None if silence is None else seconds(silence))


@pytest.mark.parametrize(
    ("ruling", "reason"),
    [
        (revert(late=10), "DeadlinePast"),
        (revert(GONE), "DrillGone"),
        (revert(unserved(10)), "DrillsUnserved"),
        (revert(deleted(10)), "DrillDeleted"),
        (revert(stopping(10)), "StopWanted"),
        (revert(silence=120), "OperatorSilent"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_it_puts_back_what_the_operator_should_have_put_back(ruling: Ruling, reason: str):
    assert ruling.granted
    assert ruling.reason == reason


@pytest.mark.parametrize(
    ("ruling", "reason"),
    [
        (revert(), "DrillIsOn"),
        (revert(late=9.9), "DrillIsOn"),
        (revert(unserved(9.9)), "DrillsUnserved"),
        (revert(deleted(9.9)), "DrillIsOn"),
        (revert(stopping(9.9)), "DrillIsOn"),
        (revert(silence=119.9), "DrillIsOn"),
        (revert(silence=None), "DrillIsOn"),
        (revert(UNKNOWN), "DrillUnknown"),
    ],
    ids=["on", "deadline", "unserved", "deleted", "stop", "silence", "silence unknown", "drill unknown"],
)
def test_it_gives_the_operator_its_time_and_takes_nothing_for_granted(ruling: Ruling, reason: str):
    assert not ruling.granted
    assert ruling.reason == reason


@pytest.mark.parametrize(("late", "silence"), [(10, None), (None, 120)], ids=["deadline", "silence"])
def test_a_drill_that_cannot_be_read_has_a_deadline_and_an_operator_all_the_same(
    late: float | None, silence: float | None
):
    assert revert(UNKNOWN, silence, late=late).granted


def test_what_is_put_back_is_left_alone():
    done = RECORD.moved_to(RecordState.REVERTED)
    assert not may_revert(done, DEADLINE + timedelta(days=1), GONE, None).granted


@pytest.mark.parametrize("drill", [GONE, unserved(10)], ids=["gone", "unserved"])
def test_a_record_whose_drill_is_gone_is_closed_whoever_is_there(drill: DrillSight):
    assert may_close(drill, all_reverted=False, silence=None).granted


def test_a_record_of_a_drill_being_deleted_is_closed_when_the_operator_is_away_and_all_is_put_back():
    assert may_close(deleted(0), all_reverted=True, silence=seconds(15)).granted


@pytest.mark.parametrize(
    ("drill", "all_reverted", "silence"),
    [
        (ON, True, 999.0),
        (stopping(999), True, 999.0),
        (UNKNOWN, True, 999.0),
        (unserved(9), True, 999.0),
        (deleted(60), False, 999.0),
        (deleted(60), True, 14.9),
        (deleted(60), True, None),
    ],
    ids=["on", "stopped", "unknown", "unserved", "not all", "operator there", "operator unknown"],
)
def test_otherwise_the_outcome_is_the_operators_to_tell(drill: DrillSight, all_reverted: bool, silence: float | None):
    known = None if silence is None else seconds(silence)
    assert not may_close(drill, all_reverted=all_reverted, silence=known).granted


def test_a_drill_with_nothing_left_is_let_go_when_the_operator_is_away():
    assert may_free(NOON, deleted(10), open_records=0, silence=seconds(15)).granted


@pytest.mark.parametrize(
    ("drill", "open_records", "silence"),
    [
        (ON, 0, 999.0),
        (deleted(9.9), 0, 999.0),
        (deleted(60), 1, 999.0),
        (deleted(60), 0, 14.9),
        (deleted(60), 0, None),
    ],
    ids=["not deleted", "too soon", "records", "operator there", "operator unknown"],
)
def test_otherwise_a_drill_keeps_its_finalizer(drill: DrillSight, open_records: int, silence: float | None):
    known = None if silence is None else seconds(silence)
    assert not may_free(NOON, drill, open_records=open_records, silence=known).granted


@pytest.mark.parametrize("ruling", [
    revert(), revert(GONE), revert(UNKNOWN), may_close(ON, all_reverted=True, silence=None),
    may_free(NOON, deleted(10), open_records=2, silence=None),
])
def test_every_ruling_says_why(ruling: Ruling):
    assert ruling.reason[0].isupper()
    assert ruling.reason.isalpha()
    assert " " in ruling.message

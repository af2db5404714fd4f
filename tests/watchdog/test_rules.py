"""When the watchdog acts, and when it keeps its hands off."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.undo.builders import NOON, deployment, record_of

from kubedrill.core.undo.genuine import fingerprint
from kubedrill.core.undo.record import RecordState
from kubedrill.core.undo.watchdog_rules import DrillPresence, DrillSeen, Judgement, may_close, may_free, may_revert

RECORD = record_of(deployment())  # its deadline is an hour after noon
DEADLINE = RECORD.deadline
ON = DrillSeen(DrillPresence.THERE)
GONE = DrillSeen(DrillPresence.GONE)
UNKNOWN = DrillSeen(DrillPresence.UNKNOWN)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def deleted(ago: float) -> DrillSeen:
    return DrillSeen(DrillPresence.THERE, deleted_at=NOON - seconds(ago))


def stopping(since: float) -> DrillSeen:
    return DrillSeen(DrillPresence.THERE, stopping_for=seconds(since))


def unserved(since: float) -> DrillSeen:
    return DrillSeen(DrillPresence.UNSERVED, unserved_for=seconds(since))


def revert(drill: DrillSeen = ON, silence: float | None = 0.0, *, late: float | None = None) -> Judgement:
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
def test_it_puts_back_what_the_operator_should_have_put_back(ruling: Judgement, reason: str):
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
def test_it_gives_the_operator_its_time_and_takes_nothing_for_granted(ruling: Judgement, reason: str):
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
def test_a_record_whose_drill_is_gone_is_closed_whoever_is_there(drill: DrillSeen):
    assert may_close(drill).granted


@pytest.mark.parametrize(
    "drill",
    [ON, stopping(999), UNKNOWN, unserved(9), deleted(60)],
    ids=["on", "stopped", "unknown", "unserved", "deleted"],
)
def test_while_its_drill_is_there_a_record_stays_so_that_nobody_finds_it_missing(drill: DrillSeen):
    assert not may_close(drill).granted


def test_a_drill_whose_fault_may_be_in_without_a_record_is_not_let_go():
    ruling = may_free(NOON, deleted(60), open_records=0, silence=seconds(999), unverified=1)
    assert (ruling.granted, ruling.reason) == (False, "Unverified")


def test_a_record_that_is_not_the_one_its_drill_has_noted_is_not_carried_out():
    there = DrillSeen(DrillPresence.THERE, noted={RECORD.name: "1-another"})
    ruling = may_revert(RECORD, DEADLINE + seconds(60), there, seconds(999))
    assert (ruling.granted, ruling.reason) == (False, "RecordDiffers")
    same = DrillSeen(DrillPresence.THERE, noted={RECORD.name: fingerprint(RECORD)})
    assert may_revert(RECORD, DEADLINE + seconds(60), same, seconds(999)).granted


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
def test_otherwise_a_drill_keeps_its_finalizer(drill: DrillSeen, open_records: int, silence: float | None):
    known = None if silence is None else seconds(silence)
    assert not may_free(NOON, drill, open_records=open_records, silence=known).granted


@pytest.mark.parametrize(
    "ruling",
    [
        revert(),
        revert(GONE),
        revert(UNKNOWN),
        may_close(ON),
        may_free(NOON, deleted(10), open_records=2, silence=None),
    ],
)
def test_every_ruling_says_why(ruling: Judgement):
    assert ruling.reason[0].isupper()
    assert ruling.reason.isalpha()
    assert " " in ruling.message

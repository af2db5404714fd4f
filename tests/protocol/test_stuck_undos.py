"""An undo that does not succeed is stuck within half a minute, is told once, and is tried again without end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from kubedrill.protocol.outcomes import Reversal, RevertOutcome
from kubedrill.protocol.revert_tracker import EXPECTED, LONGEST_BACK_OFF, SOON, STUCK_AFTER, RevertTracker

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEAST = timedelta(seconds=2)
REFUSED = RevertOutcome(Reversal.STALLED, "Forbidden", "may not patch", LEAST)
DONE = RevertOutcome(Reversal.REVERTED)


def again(reason: str, after: timedelta = LEAST) -> RevertOutcome:
    return RevertOutcome(Reversal.RETRY, reason, "not yet", after)


def tried_whenever_due(undoing: RevertTracker, outcome: RevertOutcome, until: timedelta) -> list[timedelta]:
    """When it was tried in this time, looking each half second."""
    tries = []
    for half_seconds in range(int(until.total_seconds() * 2) + 1):
        now = NOON + timedelta(seconds=half_seconds / 2)
        if undoing.is_due("undo-1", now):
            undoing.tried("undo-1", outcome, now)
            tries.append(now - NOON)
    return tries


def test_a_refused_undo_is_stuck_at_once():
    undoing = RevertTracker()
    undoing.tried("undo-1", REFUSED, NOON)
    assert undoing.stuck(NOON) == {"undo-1": "Forbidden: may not patch"}


@pytest.mark.parametrize("reason", ["ServerBusy", "Unreachable", "Conflict", "StillActive"])
def test_one_that_only_fails_is_waited_for_half_a_minute(reason):
    undoing = RevertTracker()
    undoing.tried("undo-1", again(reason), NOON)
    just_before = NOON + STUCK_AFTER - timedelta(milliseconds=1)
    assert undoing.stuck(just_before) == {}
    assert undoing.waiting(just_before) == {"undo-1": "not yet"}
    assert undoing.stuck(NOON + STUCK_AFTER) == {"undo-1": f"{reason}: not yet"}
    assert undoing.waiting(NOON + STUCK_AFTER) == {}


@pytest.mark.parametrize("reason", sorted(EXPECTED))
def test_what_takes_its_time_by_nature_is_never_stuck(reason):
    undoing = RevertTracker()
    tried_whenever_due(undoing, again(reason), timedelta(minutes=5))
    assert undoing.stuck(NOON + timedelta(minutes=5)) == {}
    assert undoing.waiting(NOON + timedelta(minutes=5)) == {"undo-1": "not yet"}


def test_half_a_minute_counts_from_the_first_trouble_not_from_the_first_wait():
    undoing = RevertTracker()
    undoing.tried("undo-1", again("Draining"), NOON)
    later = NOON + timedelta(minutes=2)
    undoing.tried("undo-1", again("Unreachable"), later)
    assert undoing.stuck(later) == {}
    assert undoing.stuck(later + STUCK_AFTER)


def test_a_trouble_that_changes_its_name_is_the_same_trouble():
    undoing = RevertTracker()
    undoing.tried("undo-1", again("Unreachable"), NOON)
    undoing.tried("undo-1", again("ServerBusy"), NOON + timedelta(seconds=20))
    assert undoing.stuck(NOON + STUCK_AFTER) == {"undo-1": "ServerBusy: not yet"}


def test_it_is_tried_again_without_end_ever_more_seldom_but_never_more_so_than_each_half_minute():
    tries = tried_whenever_due(RevertTracker(), again("ServerBusy"), timedelta(minutes=10))
    pauses = [after - before for before, after in pairwise(tries)]
    assert max(p for p, at in zip(pauses, tries, strict=False) if at < STUCK_AFTER) == SOON
    assert max(pauses) == LONGEST_BACK_OFF
    assert tries[-1] > timedelta(minutes=9)


def test_an_api_server_that_asks_to_be_left_alone_is_obeyed():
    undoing = RevertTracker()
    undoing.tried("undo-1", again("ServerBusy", timedelta(seconds=60)), NOON)
    assert not undoing.is_due("undo-1", NOON + timedelta(seconds=59))
    assert undoing.is_due("undo-1", NOON + timedelta(seconds=60))


def test_one_that_succeeds_leaves_the_list():
    undoing = RevertTracker()
    undoing.tried("undo-1", REFUSED, NOON)
    undoing.tried("undo-1", DONE, NOON)
    assert undoing.stuck(NOON) == undoing.waiting(NOON) == {}


def test_one_that_is_stuck_holds_up_no_other():
    undoing = RevertTracker()
    undoing.tried("undo-1", REFUSED, NOON)
    assert undoing.is_due("undo-2", NOON)


def test_each_record_and_reason_is_told_once():
    undoing = RevertTracker()
    undoing.tried("undo-1", REFUSED, NOON)
    (told,) = undoing.untold(NOON).items()
    undoing.told(*told)
    undoing.tried("undo-1", REFUSED, NOON + LEAST)
    assert undoing.untold(NOON + LEAST) == {}
    undoing.tried("undo-1", again("Invalid"), NOON + STUCK_AFTER)
    assert [t.reason for t in undoing.untold(NOON + STUCK_AFTER).values()] == ["Invalid"]


def test_one_that_gets_stuck_anew_is_told_anew():
    undoing = RevertTracker()
    for _ in range(2):
        undoing.tried("undo-1", REFUSED, NOON)
        (told,) = undoing.untold(NOON).items()
        undoing.told(*told)
        undoing.tried("undo-1", DONE, NOON)


def test_turns_that_fail_for_half_a_minute_hold_an_undo_up_and_a_good_one_frees_it():
    undoing = RevertTracker()
    undoing.held_up(["undo-1"], "503", NOON)
    undoing.held_up(["undo-1"], "500", NOON + STUCK_AFTER)
    assert undoing.stuck(NOON) == {}
    assert undoing.stuck(NOON + STUCK_AFTER) == {"undo-1": "TurnsFail: 500"}
    undoing.proceeds()
    assert undoing.stuck(NOON + STUCK_AFTER) == {}


def test_a_record_that_cant_be_deleted_is_stuck_too():
    undoing = RevertTracker()
    undoing.troubled("undo-1", "NotClosed", "403", NOON)
    assert undoing.stuck(NOON + STUCK_AFTER) == {"undo-1": "NotClosed: 403"}

"""A drill that is held or only planned may fail its checks for days: the longer, the less often it is looked at."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from tests.machine.world import FIT, START, seen

from kubedrill.api.drill import Desired
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.reducer import Decision, reduce
from kubedrill.core.machine.state import CheckResult, State, state_from_wire, state_to_wire

NOT_READY = CheckResult("ready", ok=False, reason="NotReady", message="1 of 2 pods are ready")
NO_ANSWER = CheckResult("monitoring", ok=None, reason="PrometheusUnreachable", message="nobody answers")
MANUAL = [Desired.HOLD, Desired.PLAN]


def turn(state: State, at: timedelta, desired: Desired, *failing: CheckResult) -> Decision:
    return reduce(state, seen(now=START + at, desired=desired, checks=(*FIT, *failing), finalizer=False))


def waits(decision: Decision, at: timedelta) -> float:
    assert decision.wake_at is not None
    return (decision.wake_at - (START + at)).total_seconds()


def looks_within(hours: float, desired: Desired) -> list[datetime]:
    state, at, looks = State(), timedelta(0), []
    while at < timedelta(hours=hours):
        decision = turn(state, at, desired, NOT_READY)
        state = decision.state
        looks.append(START + at)
        at += timedelta(seconds=waits(decision, at))
    return looks


@pytest.mark.parametrize("desired", MANUAL)
def test_the_first_looks_follow_soon_and_later_ones_twice_a_minute(desired: Desired):
    looks = looks_within(1, desired)
    apart = [(b - a).total_seconds() for a, b in pairwise(looks)]
    assert apart[:4] == [2, 2, 2, 2]
    assert apart == sorted(apart)
    assert apart[-1] == 30
    assert len(looks) < 150


@pytest.mark.parametrize("desired", MANUAL)
@pytest.mark.parametrize("failing", [[NO_ANSWER], [NOT_READY, NO_ANSWER]], ids=["another", "one more"])
def test_when_others_fail_than_before_it_is_looked_at_soon_again(desired: Desired, failing: list[CheckResult]):
    state = turn(State(), timedelta(0), desired, NOT_READY).state
    later = timedelta(hours=1)
    assert waits(turn(state, later, desired, NOT_READY), later) == 30
    assert waits(turn(state, later, desired, *failing), later) == 2


def test_another_number_in_the_message_is_no_other_failure():
    state = turn(State(), timedelta(0), Desired.HOLD, NOT_READY).state
    worse = replace(NOT_READY, message="0 of 2 pods are ready")
    assert waits(turn(state, timedelta(hours=1), Desired.HOLD, worse), timedelta(hours=1)) == 30


def test_a_start_is_decided_as_fast_as_ever():
    state = turn(State(), timedelta(0), Desired.HOLD, NOT_READY).state
    state = turn(state, timedelta(seconds=59), Desired.HOLD, NOT_READY).state
    started = turn(state, timedelta(seconds=59.5), Desired.RUN, NOT_READY)
    assert (started.state.phase, waits(started, timedelta(seconds=59.5))) == (Phase.PREFLIGHT, 2)


def test_once_it_is_held_nothing_of_it_is_kept():
    state = turn(State(), timedelta(0), Desired.HOLD, NOT_READY).state
    held = turn(state, timedelta(minutes=1), Desired.HOLD).state
    assert (held.phase, held.failing, held.failing_since) == (Phase.HELD, "", None)


def test_it_outlives_a_restart_and_an_older_state_has_none():
    state = turn(State(), timedelta(0), Desired.HOLD, NOT_READY).state
    wire = state_to_wire(state)
    assert state_from_wire(wire) == state
    del wire["failing"], wire["failingSince"]
    assert state_from_wire(wire).failing_since is None

"""Which requests a rule meets: the n-th, so many in a row, all within some seconds, and only its own."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from tests.faultmatrix.builders import APPS, DRILL, STORED, WEB, a_plan, asked
from tests.faultmatrix.plan import Rule
from tests.faultmatrix.requests import Request
from tests.faultmatrix.rigging import Rigging

RECORD, STATUS = asked("PUT", STORED, {}), asked("PATCH", f"{DRILL}/status", {})
LABEL = asked("PATCH", WEB, {"metadata": {}})
READ = asked("GET", WEB)


def met(*rules: Rule, by: tuple[Request, ...], actor: str = "operator") -> list[bool]:
    """Of each request, whether any rule met it."""
    rigging = Rigging(a_plan(*rules))
    return [rigging.take(actor, request) is not None for request in by]


def test_the_nth_of_its_kind_is_met_once_and_others_are_not_counted():
    assert met(Rule("record", ("kill",), nth=2), by=(RECORD, STATUS, RECORD, RECORD)) == [False, False, True, False]


def test_so_many_in_a_row_are_met():
    assert met(Rule("record", ("reply 409",), nth=2, times=2), by=(RECORD,) * 4) == [False, True, True, False]


def test_no_number_of_times_means_all_that_come():
    assert met(Rule("record", ("reply 409",), nth=2, times=0), by=(RECORD,) * 4) == [False, True, True, True]


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets the rigging's clock go on by so many seconds."""
    clock = SimpleNamespace(now=100.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr("tests.faultmatrix.rigging.time", clock)

    def go_on(seconds: float) -> None:
        clock.now += seconds

    return go_on


def test_seconds_are_counted_from_the_first_that_was_met(wait: Callable[[float], None]):
    rigging = Rigging(a_plan(Rule("record", ("reply 503",), seconds=5, times=0)))
    seen = []
    for pause in (60, 4, 2, 0):
        wait(pause)
        seen.append(rigging.take("operator", RECORD) is not None)

    assert seen == [True, True, False, False]


def test_within_its_seconds_a_rule_meets_more_than_its_times(wait: Callable[[float], None]):
    rigging = Rigging(a_plan(Rule("record", ("reply 503",), seconds=5)))
    wait(1)

    assert [rigging.take("operator", RECORD) is not None for _ in range(3)] == [True, True, True]


def test_until_it_is_healed_a_rule_meets_all_that_come():
    rigging = Rigging(a_plan(Rule("record", ("refuse policy-422",), nth=2, until_healed=True)))
    before = [rigging.take("operator", RECORD) is not None for _ in range(4)]
    rigging.heal()

    assert before == [False, True, True, True]
    assert rigging.take("operator", RECORD) is None
    assert rigging.unmet == []


def test_healing_ends_no_rule_that_does_not_wait_for_it():
    rigging = Rigging(a_plan(Rule("record", ("kill",))))
    rigging.heal()

    assert rigging.take("operator", RECORD) is not None


def test_a_rule_after_another_counts_only_from_when_that_one_was_met():
    second = Rule("write", ("kill",), nth=2, after=0)
    rigging = Rigging(a_plan(Rule("record", ("delay 0",), nth=2), second))
    taken = [rigging.take("operator", r) for r in (STATUS, RECORD, STATUS, RECORD, STATUS, STATUS)]

    assert [rule is second for rule in taken] == [False, False, False, False, True, False]


def test_a_write_is_any_of_those_whose_number_is_the_same_in_every_run():
    assert met(Rule("write", ("kill",), times=0), by=(RECORD, STATUS, LABEL, READ)) == [True, True, False, False]


def test_any_is_any_request():
    assert met(Rule("any", ("reply 503",), times=0), by=(RECORD, LABEL, READ)) == [True, True, True]


def test_a_rule_may_be_bound_to_one_object_and_to_one_method():
    api = asked("GET", f"{APPS}/deployments/api")

    assert met(Rule("get-target", ("reset",), named="deployments/api"), by=(READ, api)) == [False, True]
    assert met(Rule("record", ("reset",), method="POST"), by=(RECORD, asked("POST", STORED, {}))) == [False, True]


def test_a_rule_meets_the_requests_of_its_own_actor():
    rule = Rule("record", ("watchdog-kill",), actor="watchdog")

    assert met(rule, by=(RECORD,)) == [False]
    assert met(rule, by=(RECORD,), actor="watchdog") == [True]


def test_where_two_meet_one_request_the_first_is_done_and_the_second_has_counted_it():
    first, second = Rule("record", ("delay 1",)), Rule("record", ("kill",), nth=2)
    rigging = Rigging(a_plan(first, second))

    assert [rigging.take("operator", RECORD) for _ in range(2)] == [first, second]


def test_what_never_met_its_request_is_told_unless_it_may_find_nothing_to_do():
    rules = Rule("record", ("kill",)), Rule("fence", ("kill",)), Rule("fence", ("kill",), optional=True)
    rigging = Rigging(a_plan(*rules))
    rigging.take("operator", RECORD)

    assert rigging.unmet == [1]


def test_a_rule_for_a_moment_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="when: later is none of before, committed, replied"):
        Rule("record", ("kill",), when="later")

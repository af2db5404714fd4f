"""The reference is the least ever seen, so a write that the operator has learnt since is told of, not taken in."""

from __future__ import annotations

from tests.faultmatrix.reference import grown, least_of


def test_a_count_only_comes_down():
    assert least_of({"record": 6, "status": 7}, {"record": 7, "status": 5}) == {"record": 6, "status": 5}


def test_what_is_not_written_any_more_comes_down_to_nothing():
    assert least_of({"record": 6, "remove": 1}, {"record": 6}) == {"record": 6, "remove": 0}


def test_with_nothing_known_a_run_counts_as_it_is():
    assert least_of(None, {"record": 6}) == {"record": 6}


def test_what_each_run_does_more_often_is_told_by_fault_and_kind():
    (said,) = grown("resource-quota", {"record": 6, "status": 7}, {"record": 7, "status": 7})
    assert said.startswith("resource-quota: record 7 times in each of these runs, 6 stored.")


def test_a_kind_that_is_new_is_told_and_one_that_is_rarer_is_not():
    (said,) = grown("queue-load", {"record": 6}, {"record": 5, "remove": 1})
    assert said.startswith("queue-load: remove 1 times in each of these runs, 0 stored.")

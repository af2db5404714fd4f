from datetime import timedelta

import pytest
from tests.signals.builders import at, between, receipt

from kubedrill.core.evidence.timestamps import instant


def test_a_truncated_stamp_means_some_instant_of_that_second():
    assert receipt(9.5).of_second(at(7)) == between(7, 8)


def test_it_did_not_happen_after_it_was_seen():
    assert receipt(7.4).of_second(at(7)) == between(7, 7.4)


def test_a_stamp_from_a_clock_ahead_of_ours_still_gives_an_interval():
    assert receipt(6.9).of_second(at(7)) == between(7, 7)


def test_the_clocks_error_widens_both_ends():
    assert receipt(9.5, error=0.1).of_second(at(7)) == between(6.9, 8.1)


def test_a_receipt_alone_tells_of_the_time_since_the_watch_was_known_to_stand():
    assert receipt(9.5, since=8.5).interval() == between(8.5, 9.5)


def test_a_stamp_narrows_a_receipt():
    assert receipt(7.6, since=6.6).narrowed(at(7)) == between(7, 7.6)


def test_a_stamp_that_contradicts_the_receipt_is_not_believed():
    assert receipt(7.6, since=6.6).narrowed(at(2)) == between(6.6, 7.6)


def test_nanoseconds_are_read():
    assert instant("2026-11-23T12:00:00.123456789Z") == at(0) + timedelta(microseconds=123456)


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="without a zone"):
        instant("2026-11-23T12:00:00")

from datetime import UTC, datetime

from kubedrill.controller.gathering import FactInbox
from kubedrill.core.evidence.facts import Fact, FactKind, Interval, Source

NOW = Interval.at(datetime(2026, 11, 23, tzinfo=UTC))


def fact(name: str) -> Fact:
    return Fact(FactKind.NOTED, NOW, Source.OPERATOR, name)


def test_facts_are_taken_in_the_order_in_which_they_came():
    inbox = FactInbox()
    inbox.add([fact("b"), fact("a")])
    assert [f.id for f in inbox.drain()] == ["b", "a"]
    assert inbox.drain() == ()


def test_the_same_thing_seen_again_is_not_put_in_twice():
    inbox = FactInbox()
    assert inbox.add([fact("a")])
    inbox.drain()
    assert not inbox.add([fact("a")])
    assert inbox.drain() == ()


def test_what_was_stored_before_a_restart_is_known():
    assert not FactInbox(["a"]).add([fact("a")])

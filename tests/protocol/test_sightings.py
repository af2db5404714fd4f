"""Whether a record's Drill is gone, is not served for the moment, or simply was not told of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.protocol.test_answers import status

from kubedrill.core.undo.record import DrillIdentity
from kubedrill.core.undo.watchdog_rules import DrillPresence
from kubedrill.kube.client import Answer, Kube, Unreachable
from kubedrill.protocol.drill_liveness import DrillLiveness, standing_of

DRILL = DrillIdentity("d1", "storm", "drills")
NOT_FOUND = status(404, "NotFound", "drills", "storm")
UNSERVED = Answer(404, {"message": "404 page not found"})
BUSY = status(503, "ServiceUnavailable")


def there(uid: str = "d1", *, desired: str = "Run", **metadata: Any) -> Answer:
    return Answer(200, {"metadata": {"uid": uid, "name": "storm"} | metadata, "spec": {"desired": desired}})


@dataclass
class Hands:
    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def sightings(clock: Hands) -> DrillLiveness:
    return DrillLiveness(clock)


@pytest.mark.parametrize("answer", [NOT_FOUND, there("d2")], ids=["404 about it", "another one of its name"])
def test_gone_is_a_404_about_that_very_drill_or_another_uid(answer: Answer):
    assert standing_of(DRILL, answer) is DrillPresence.GONE


@pytest.mark.parametrize(
    "answer",
    [
        UNSERVED,
        status(404, "NotFound"),
        status(404, "NotFound", "drills", "calm"),
        status(404, "NotFound", "namespaces", "drills"),
    ],
)
def test_a_404_about_anything_else_only_says_that_it_is_not_served(answer: Answer):
    assert standing_of(DRILL, answer) is DrillPresence.UNSERVED


@pytest.mark.parametrize("code", [401, 403, 410, 429, 500, 503])
def test_a_refusal_says_nothing(code: int):
    assert standing_of(DRILL, status(code)) is DrillPresence.UNKNOWN


def test_a_kind_that_is_not_served_is_gone_after_ten_seconds(sightings: DrillLiveness, clock: Hands):
    assert not sightings.sighted(DRILL, UNSERVED).gone
    clock.seconds += 9
    assert not sightings.sighted(DRILL, UNSERVED).gone
    clock.seconds += 1
    assert sightings.sighted(DRILL, UNSERVED).gone


@pytest.mark.parametrize("between", [there(), BUSY], ids=["seen", "unsure"])
def test_any_other_answer_in_between_starts_the_count_anew(sightings: DrillLiveness, clock: Hands, between: Answer):
    for answer in (UNSERVED, between, UNSERVED):
        sight = sightings.sighted(DRILL, answer)
        clock.seconds += 9
    assert not sight.gone


def test_a_stop_counts_from_our_first_look_at_it(sightings: DrillLiveness, clock: Hands):
    assert sightings.sighted(DRILL, there(desired="Stop")).stopping_for == timedelta(0)
    clock.seconds += 7
    assert sightings.sighted(DRILL, there(desired="Stop")).stopping_for == timedelta(seconds=7)
    assert sightings.sighted(DRILL, there(desired="Run")).stopping_for is None


def test_a_stop_that_the_facilitator_has_said_counts_whatever_the_spec_says(sightings: DrillLiveness):
    said = there(desired="Run", annotations={"kubedrill.dev/desired": "Stop"})
    assert sightings.sighted(DRILL, said).stopping_for == timedelta(0)


def test_a_stop_goes_on_while_the_drill_cannot_be_read(sightings: DrillLiveness, clock: Hands):
    sightings.sighted(DRILL, there(desired="Stop"))
    clock.seconds += 7
    assert sightings.sighted(DRILL, BUSY).stopping_for is None
    assert sightings.sighted(DRILL, there(desired="Stop")).stopping_for == timedelta(seconds=7)


def test_a_deletion_is_the_api_servers_word(sightings: DrillLiveness):
    sight = sightings.sighted(DRILL, there(deletionTimestamp="2026-03-01T12:00:00Z"))
    assert sight.deleted_at == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_what_is_of_no_interest_any_more_is_forgotten(sightings: DrillLiveness, clock: Hands):
    sightings.sighted(DRILL, there(desired="Stop"))
    sightings.keep(())
    clock.seconds += 60
    assert sightings.sighted(DRILL, there(desired="Stop")).stopping_for == timedelta(0)


class Silent(Kube):
    def __init__(self) -> None:
        pass

    async def call(self, method: str, path: str, *_: object, **__: object) -> Answer:
        raise Unreachable(f"{method} {path}")


async def test_no_answer_says_nothing_either(sightings: DrillLiveness, clock: Hands):
    sightings.sighted(DRILL, UNSERVED)
    clock.seconds += 60
    assert (await sightings.look(Silent(), DRILL)).standing is DrillPresence.UNKNOWN
    assert not sightings.sighted(DRILL, UNSERVED).gone

"""The watchdog's looks, at the wire: what it puts back, closes and lets go, and what it leaves alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from tests.undo.builders import NOON, TARGET, UNDO
from tests.watchdog.conftest import Hall
from tests.watchdog.wire import ASKED, DRILLS, LEASES, SECRETS, status

from kubedrill import __version__
from kubedrill.api.drill import FINALIZER
from kubedrill.core.undo.operations import Ask
from kubedrill.core.undo.record import DrillIdentity, OutsideGroup, RecordState, UndoRecord, record_name
from kubedrill.core.undo.watchdog_rules import Judgement, may_revert
from kubedrill.protocol.lease import LEASE
from kubedrill.store.undo_records import RecordError
from kubedrill.watchdog.process import Rounds

BY_HAND = OutsideGroup("plug", Ask("pull the plug", "restore it"))


async def test_a_drill_that_is_on_is_the_operators_business(hall: Hall):
    hall.cluster.drill()
    hall.cluster.fault()
    await hall.looks(seconds=600, every=10, beating=True)
    assert hall.cluster.limit == "32Mi"
    assert not hall.cluster.writes


async def test_past_the_deadline_it_puts_back_and_leaves_the_outcome_to_be_told(hall: Hall):
    hall.cluster.drill()
    hall.cluster.fault()
    hall.cluster.passes(hours=1, seconds=9)
    await hall.looks(beating=True)
    assert hall.cluster.limit == "32Mi"
    await hall.looks(seconds=60, beating=True)
    assert hall.cluster.limit == "128Mi"
    (record,) = hall.cluster.records().values()
    assert record.state is RecordState.REVERTED
    assert record.outcome is not None
    assert record.outcome.by == "Watchdog"


@pytest.mark.parametrize("stopped", [{"desired": "Stop"}, {"word": "Stop"}], ids=["in its spec", "by the facilitator"])
async def test_what_it_put_back_it_says_once_with_the_reason(hall: Hall, stopped: dict[str, Any]):
    hall.cluster.drill(**stopped)
    hall.cluster.fault()
    await hall.looks(seconds=60, beating=True)
    (event,) = hall.cluster.events
    assert event["reason"] == "StopWanted"
    assert event["regarding"]["namespace"] == "drills"
    assert "Restored" in event["note"]
    assert 'kubedrill_watchdog_reverts_total{reason="StopWanted"} 1.0' in hall.metrics()


async def test_a_drill_that_is_gone_leaves_nothing_behind(hall: Hall):
    hall.cluster.fault()
    await hall.looks(seconds=2)
    assert hall.cluster.limit == "128Mi"
    assert not hall.cluster.records()


async def test_another_drill_of_that_name_is_not_the_one_that_is_gone(hall: Hall):
    hall.cluster.drill(uid="d2")
    hall.cluster.fault()
    await hall.looks(seconds=2, beating=True)
    assert not hall.cluster.records()
    assert FINALIZER in hall.cluster.objects[f"{DRILLS}/storm"]["metadata"]["finalizers"]


async def test_drills_that_are_not_served_are_gone_after_ten_seconds_only(hall: Hall):
    hall.cluster.answering = lambda request: (
        web.Response(status=404, text="404 page not found") if request.path.startswith(DRILLS) else None
    )
    hall.cluster.fault()
    await hall.looks(seconds=8)
    assert hall.cluster.limit == "32Mi"
    await hall.looks(seconds=4)
    assert hall.cluster.limit == "128Mi"
    assert not hall.cluster.records()


@pytest.mark.parametrize("code", [401, 403, 429, 500, 503])
async def test_a_drill_that_cannot_be_read_is_not_gone(hall: Hall, code: int):
    hall.cluster.answering = lambda request: status(code) if request.path.startswith(DRILLS) else None
    hall.cluster.fault()
    await hall.looks(seconds=600, every=10, beating=True)
    assert hall.cluster.limit == "32Mi"


async def test_a_silent_operators_drills_are_put_back_after_two_minutes(hall: Hall):
    hall.cluster.drill()
    hall.cluster.fault()
    await hall.looks(seconds=60, beating=True)
    await hall.looks(seconds=116)
    assert hall.cluster.limit == "32Mi"
    await hall.looks(seconds=6)
    assert hall.cluster.limit == "128Mi"
    assert hall.cluster.events[0]["reason"] == "OperatorSilent"


async def test_an_operator_that_had_nothing_to_do_for_long_is_not_silent_when_a_drill_begins(hall: Hall):
    hall.cluster.beat()
    await hall.looks(seconds=2400, every=60)
    hall.cluster.drill()
    hall.cluster.fault()
    await hall.looks(seconds=100)
    assert hall.cluster.limit == "32Mi"


async def test_a_record_that_lies_there_for_long_makes_no_other_drills_operator_silent(hall: Hall):
    hall.cluster.ask(BY_HAND)
    hall.cluster.drill()
    await hall.looks(seconds=2400, every=60)
    hall.cluster.fault()
    await hall.looks(seconds=100)
    assert hall.cluster.limit == "32Mi"


@pytest.mark.parametrize("code", [403, 503])
async def test_a_lease_that_cannot_be_read_is_no_silence(hall: Hall, code: int):
    hall.cluster.answering = lambda request: status(code) if request.path.startswith(LEASES) else None
    hall.cluster.drill()
    hall.cluster.fault()
    await hall.looks(seconds=400, every=10)
    assert hall.cluster.limit == "32Mi"


async def test_while_the_api_server_is_away_nobodys_silence_counts(hall: Hall):
    hall.cluster.drill()
    hall.cluster.fault()
    await hall.looks(seconds=20, beating=True)
    hall.cluster.passes(minutes=10)
    await hall.looks(seconds=4)
    assert hall.cluster.limit == "32Mi"


async def test_a_deleted_drill_of_an_operator_that_is_away_goes_within_thirty_seconds(hall: Hall):
    hall.cluster.drill()
    hall.cluster.fault()
    await hall.looks(seconds=60, beating=True)
    hall.cluster.drill(deleted=hall.cluster.now)
    await hall.looks(seconds=26)
    assert hall.cluster.limit == "128Mi"
    assert not hall.cluster.records()
    assert f"{DRILLS}/storm" not in hall.cluster.objects


async def test_while_the_operator_is_heard_a_deleted_drill_is_put_back_and_the_rest_is_the_operators(hall: Hall):
    hall.cluster.drill(deleted=NOON)
    hall.cluster.fault()
    await hall.looks(seconds=120, beating=True)
    assert hall.cluster.limit == "128Mi"
    assert [r.state for r in hall.cluster.records().values()] == [RecordState.REVERTED]
    assert f"{DRILLS}/storm" in hall.cluster.objects


async def test_a_deleted_drill_without_any_record_is_let_go_when_the_operator_is_away(hall: Hall):
    hall.cluster.drill(deleted=NOON)
    await hall.looks(seconds=12)
    assert f"{DRILLS}/storm" in hall.cluster.objects
    await hall.looks(seconds=6)
    assert f"{DRILLS}/storm" not in hall.cluster.objects
    assert hall.cluster.events[0]["reason"] == "OperatorAway"


async def test_a_drill_stays_while_anything_of_it_is_not_put_back(hall: Hall):
    hall.cluster.drill(deleted=NOON)
    hall.cluster.fault()
    hall.cluster.answering = lambda request: (
        status(403, "Forbidden") if request.method == "PATCH" and "deployments" in request.path else None
    )
    hall.cluster.ask(BY_HAND)
    await hall.looks(seconds=300, every=10)
    assert len(hall.cluster.records()) == 2
    assert f"{DRILLS}/storm" in hall.cluster.objects


async def test_what_needs_a_persons_hands_is_said_once_and_left(hall: Hall):
    hall.cluster.drill(desired="Stop")
    hall.cluster.ask(BY_HAND)
    await hall.looks(seconds=300, every=10, beating=True)
    (record,) = hall.cluster.records().values()
    assert record.state is not RecordState.REVERTED
    (event,) = hall.cluster.events
    assert event["reason"] == "MustBeUndoneByHand"
    assert "restore it" in event["note"]


async def test_of_a_drill_that_is_gone_nobody_is_left_to_confirm(hall: Hall):
    hall.cluster.ask(BY_HAND)
    await hall.looks(seconds=2)
    assert not hall.cluster.records()


async def test_what_is_refused_is_stuck_and_tried_again_until_it_succeeds(hall: Hall):
    hall.cluster.fault()
    hall.cluster.answering = lambda request: (
        status(403, "Forbidden") if request.method == "PATCH" and "deployments" in request.path else None
    )
    await hall.looks(seconds=120)
    assert f'kubedrill_watchdog_undo_stuck{{record="{UNDO}"}} 1.0' in hall.metrics()
    assert [e["reason"] for e in hall.cluster.events] == ["CannotPutBack"]
    tries = sum("deployments" in path for _, path in hall.cluster.writes)
    assert 4 <= tries <= 20
    hall.cluster.answering = lambda _: None
    await hall.looks(seconds=34)
    assert hall.cluster.limit == "128Mi"
    assert not hall.cluster.records()
    assert f'undo_stuck{{record="{UNDO}"}}' not in hall.metrics()


async def test_one_that_hangs_holds_up_no_other_and_no_look(hall: Hall):
    hangs = hall.cluster.hanging[TARGET.path] = asyncio.Event()
    hall.cluster.fault()
    hall.cluster.ask(BY_HAND)
    async with asyncio.timeout(5):
        while ASKED in hall.cluster.records():
            await hall.dog.look()
    assert UNDO in hall.cluster.records()
    hangs.set()
    await hall.dog.settle()
    assert hall.cluster.limit == "128Mi"


async def test_a_record_that_nobody_can_judge_holds_up_no_other_drills(hall: Hall, monkeypatch: pytest.MonkeyPatch):
    def poisoned(record: UndoRecord, *rest: Any) -> Judgement:
        if record.drill.uid == "d0":
            raise TypeError("poison")
        return may_revert(record, *rest)

    monkeypatch.setattr("kubedrill.watchdog.watchdog.may_revert", poisoned)
    hall.cluster.fault()
    target = replace(TARGET, name="calm")
    name = record_name("apps", "Deployment", "n1", "calm")
    hall.cluster.record(
        replace(hall.cluster.records()[UNDO], name=name, target=target, drill=DrillIdentity("d0", "calm", "drills"))
    )
    hall.cluster.put(f"{DRILLS}/calm", {"metadata": {"name": "calm", "namespace": "drills", "uid": "d0"}})
    await hall.looks(seconds=2)
    assert list(hall.cluster.records()) == [name]


async def test_several_at_once_come_to_one_outcome(hall: Hall):
    hall.cluster.fault()
    hall.cluster.drill(desired="Stop", deleted=NOON)
    dogs = [hall.started() for _ in range(3)]
    hall.cluster.passes(seconds=20)
    await asyncio.gather(*(dog.look() for dog in dogs))
    await asyncio.gather(*(dog.settle() for dog in dogs))
    hall.cluster.passes(seconds=30)
    await asyncio.gather(*(dog.look() for dog in dogs))
    await asyncio.gather(*(dog.settle() for dog in dogs))
    assert hall.cluster.limit == "128Mi"
    (record,) = hall.cluster.records().values()
    assert record.outcome is not None
    assert {field.outcome for field in record.outcome.fields} == {"Restored"}


async def test_a_look_that_fails_ends_nothing(hall: Hall):
    hall.cluster.answering = lambda request: status(503) if request.path.startswith(SECRETS) else None
    with pytest.raises(RecordError):
        await hall.dog.look()
    rounds = Rounds(hall.dog, timedelta(seconds=2), hall.seconds)
    assert rounds.trouble() == "there was no look yet"
    await rounds.once()
    assert rounds.trouble() == ""
    hall.cluster.passes(seconds=30)
    assert rounds.trouble() == "the last look was 30 s ago"


async def test_with_nothing_to_do_it_writes_nothing_and_does_not_even_ask_for_the_operator(hall: Hall):
    asked: list[str] = []
    hall.cluster.answering = lambda request: asked.append(request.path)
    hall.cluster.drill()
    await hall.looks(seconds=60)
    assert not hall.cluster.writes
    assert f"{LEASES}/{LEASE}" not in asked


async def test_its_metrics_tell_of_the_last_look_and_its_version(hall: Hall):
    await hall.dog.look()
    values = dict(line.rsplit(" ", 1) for line in hall.metrics().splitlines() if not line.startswith("#"))
    assert float(values["kubedrill_watchdog_last_look_timestamp_seconds"]) == NOON.timestamp()
    assert values[f'kubedrill_watchdog_build_info{{version="{__version__}"}}'] == "1.0"

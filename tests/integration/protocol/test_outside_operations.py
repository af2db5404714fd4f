"""What is outside the API server has "never in" and "gone" too, and each of them by proof."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.integration.protocol.outside import SPACES, Cluster, Hands, ends, fakes, not_found
from tests.reverters.builders import free_port

from kubedrill.core.undo.operations import Enqueue
from kubedrill.core.undo.record import BEGINS_WITHIN, OutsideGroup, RecordState, record_name
from kubedrill.kube.client import Answer
from kubedrill.protocol.outcomes import RECORD_WRITTEN, Injection, Reversal
from kubedrill.store import undo_records
from kubedrill.store.undo_records import StoredRecord

FORBIDDEN = Answer(403, {"reason": "Forbidden", "message": "no"})


@pytest.fixture
async def hands(redis_port: int, queue: object) -> AsyncIterator[Hands]:  # noqa: ARG001  it is emptied
    process = Hands(Cluster(), redis_port)
    yield process
    process.reverters = {}


class Gone(Exception):
    """The process is gone at this point."""


async def dies_at(point: str, reached: str = RECORD_WRITTEN) -> None:
    if point == reached:
        raise Gone


async def intended(hands: Hands, uid: str = "d1") -> StoredRecord:
    """A record whose operator died before it did anything."""
    with pytest.raises(Gone):
        await hands.inject(uid, on=dies_at)
    return await hands.record(uid)


async def renamed(hands: Hands, stored: StoredRecord, name: str, **changes: Any) -> None:
    """The record as an earlier version stored it."""
    del hands.cluster.secrets[stored.ref.name]
    assert await undo_records.create(hands.cluster, replace(stored.record, name=name, **changes)) is not None


async def test_d3_nothing_was_pushed_and_redis_takes_no_writes_any_more(hands, queue):
    stored = await intended(hands)
    queue.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        first = await hands.revert(stored)
        hands.ahead = timedelta(seconds=41)
        then = await hands.revert(stored)
    finally:
        queue.execute_command("REPLICAOF", "NO", "ONE")
    assert (first.state, first.reason) == (Reversal.RETRY, "Draining")
    assert (then.state, ends(then)) == (Reversal.REVERTED, ["Untouched"])


async def test_d3_a_replica_is_refused_before_anything_is_stored(hands, queue):
    queue.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        outcome = await hands.inject()
    finally:
        queue.execute_command("REPLICAOF", "NO", "ONE")
    assert (outcome.state, outcome.targets[0].reason) == (Injection.REFUSED, "QueueRefuses")
    assert hands.cluster.secrets == {}


async def test_a_refusal_of_the_undo_is_stalled_in_redis_own_words(hands, queue):
    await hands.inject()
    queue.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        stalled = await hands.revert(await hands.record())
    finally:
        queue.execute_command("REPLICAOF", "NO", "ONE")
    assert (stalled.state, stalled.reason) == (Reversal.STALLED, "Refused")
    assert "READONLY" in stalled.message
    assert (await hands.record()).record.state is RecordState.REVERTING


async def test_what_never_began_ends_untouched_and_what_did_restored(hands, queue):
    stored = await intended(hands)
    assert ends(await hands.revert(stored)) == ["Untouched"]
    assert fakes(queue) == 0


async def test_d10_the_namespace_is_gone_with_its_redis(hands):
    await hands.inject()
    del hands.cluster.namespaces["shop"]
    hands.port = free_port()
    outcome = await hands.revert(await hands.record())
    assert (outcome.state, ends(outcome)) == (Reversal.REVERTED, ["Gone"])
    assert outcome.fields[0].now == "namespace shop is gone"


async def test_d10_another_namespace_has_the_name_and_its_redis_is_left_alone(hands, queue):
    await hands.inject()
    hands.cluster.namespaces["shop"] = "n2"
    queue.flushall()
    outcome = await hands.revert(await hands.record())
    assert ends(outcome) == ["Gone"]
    assert queue.keys() == []


async def test_d10_the_name_can_be_drilled_again_while_the_old_record_is_there(hands, queue):
    await hands.inject("d1")
    hands.cluster.namespaces["shop"] = "n2"
    queue.flushall()
    again = await hands.inject("d2")
    assert again.state is Injection.INJECTED
    assert len(hands.cluster.secrets) == 2
    assert ends(await hands.revert(await hands.record("d1"))) == ["Gone"]
    assert fakes(queue) > 0


UNSURE = {
    "forbidden": FORBIDDEN,
    "a server error": Answer(500, {"reason": "InternalError"}),
    "a proxy's 404": Answer(404, {"message": "404 page not found"}),
    "a 404 about something else": not_found("namespaces", "front"),
}


@pytest.mark.parametrize("answer", UNSURE.values(), ids=UNSURE.keys())
async def test_a_namespace_that_cannot_be_read_is_not_gone(hands, queue, answer):
    await hands.inject()
    hands.cluster.answers[f"{SPACES}/shop"] = answer
    stored, there = await hands.record(), hands.port
    hands.port = free_port()
    unreachable = await hands.revert(stored)
    hands.port = there
    draining = await hands.revert(stored)
    assert (unreachable.state, unreachable.reason) == (Reversal.RETRY, "Unreachable")
    assert (draining.state, draining.reason) == (Reversal.RETRY, "Draining")
    assert fakes(queue) == 0


async def test_a_missing_service_is_not_gone(hands):
    await hands.inject()
    hands.port = free_port()
    outcome = await hands.revert(await hands.record())
    assert (outcome.state, outcome.reason) == (Reversal.RETRY, "Unreachable")


async def test_gone_waits_for_a_first_packet_that_may_be_under_way(hands):
    stored = await intended(hands)
    hands.cluster.namespaces["shop"] = "n2"
    waiting = await hands.revert(stored)
    hands.ahead = timedelta(seconds=41)
    assert (waiting.state, waiting.reason) == (Reversal.RETRY, "Draining")
    assert ends(await hands.revert(stored)) == ["Gone"]


async def test_a_record_that_has_got_old_is_claimed_before_anything_is_pushed(hands, queue):
    before = await intended(hands)
    hands.ahead = BEGINS_WITHIN / 2 + timedelta(seconds=1)
    outcome = await hands.inject()
    after = await hands.record()
    assert outcome.state is Injection.INJECTED
    assert after.record.attempt == before.record.attempt + 1
    assert after.record.claimed - before.record.intended_at > BEGINS_WITHIN / 2
    assert after.record.intended_at == before.record.intended_at
    assert fakes(queue) > 0


async def test_whoever_was_frozen_since_the_intent_pushes_nothing_into_what_was_found_never_in(hands, queue):
    """The operator stands still right after it stored its intent; Redis refuses the undo, and is mended later."""
    frozen, thaw = asyncio.Event(), asyncio.Event()

    async def freeze(point: str) -> None:
        if point == RECORD_WRITTEN:
            frozen.set()
            await thaw.wait()

    operator = asyncio.create_task(hands.inject(on=freeze))
    await frozen.wait()
    watchdog = Hands(hands.cluster, hands.port, ahead=timedelta(seconds=41))
    queue.execute_command("REPLICAOF", "127.0.0.1", "1")
    outcome = await watchdog.revert(await watchdog.record())
    queue.execute_command("REPLICAOF", "NO", "ONE")
    assert ends(outcome) == ["Untouched"]

    hands.ahead = timedelta(seconds=41)
    thaw.set()
    woken = await operator
    assert woken.state is Injection.ENDED
    assert queue.keys() == []


async def test_nothing_is_pushed_to_what_has_the_namespaces_name_by_now(hands, queue):
    stands = asyncio.Event()

    async def torn_down_and_made_anew(point: str) -> None:
        if point == RECORD_WRITTEN:
            hands.cluster.namespaces["shop"] = "n2"
            stands.set()

    outcome = await hands.inject(on=torn_down_and_made_anew)
    assert stands.is_set()
    assert (outcome.state, outcome.targets[0].reason) == (Injection.REFUSED, "TargetMissing")
    assert queue.keys() == []


async def test_an_earlier_versions_record_of_the_drill_is_found_and_no_second_one_made(hands):
    stored = await intended(hands)
    name = record_name("", "Enqueue", "", stored.record.subject)
    await renamed(hands, stored, name, namespace_uid="")
    assert (await hands.inject()).state is Injection.INJECTED
    assert list(hands.cluster.secrets) == [name]


async def test_an_earlier_versions_record_of_another_drill_holds_the_queue(hands, queue):
    stored = await intended(hands, "d0")
    await renamed(hands, stored, record_name("", "Enqueue", "", stored.record.subject), namespace_uid="")
    outcome = await hands.inject("d1")
    assert (outcome.state, outcome.targets[0].reason) == (Injection.REFUSED, "TargetBusy")
    assert fakes(queue) == 0


async def test_an_earlier_versions_record_is_gone_with_its_namespace_too(hands):
    await hands.inject()
    stored = await hands.record()
    (group,) = stored.record.groups
    assert isinstance(group, OutsideGroup)
    assert isinstance(group.operation, Enqueue)
    old = replace(group, operation=replace(group.operation, namespace=""))
    name = record_name("", "Enqueue", "", stored.record.subject)
    await renamed(hands, stored, name, namespace_uid="", groups=(old,))
    del hands.cluster.namespaces["shop"]
    assert ends(await hands.revert(await hands.record())) == ["Gone"]

"""An object is made once and removed again, exactly that one, whoever dies in between and whatever comes late."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.protocol.objects_server import (
    MAKE,
    MANIFEST,
    QUOTA,
    QUOTAS,
    Cut,
    Play,
    dies,
    unanswered,
)

from kubedrill.core.undo.record import UNREACHABLE, Again, RecordState
from kubedrill.kube.client import Answer
from kubedrill.plugins.operations.create import CreatedObjects
from kubedrill.protocol.outcomes import FAULT_PATCHED, RECORD_WRITTEN, Injection, Reversal

POST = (QUOTAS.of("shop"),)
LATEST = timedelta(seconds=130)


async def dies_at(play: Play, point: str) -> None:
    """The operator dies at a named point of the injection."""

    async def on(here: str) -> None:
        if here == point:
            raise Cut

    with pytest.raises(Cut):
        await play.inject(on)


async def put_back(play: Play) -> None:
    play.clock.goes_on(6)
    outcome = await play.revert()
    assert (outcome.state, outcome.reason) == (Reversal.REVERTED, "")


def ends(play_outcome: object) -> list[str]:
    return [field.outcome for field in play_outcome.fields]  # type: ignore[attr-defined]


async def test_its_undo_is_stored_before_it_is_made_and_its_uid_after():
    play = Play()
    outcome = await play.inject()
    assert outcome.state is Injection.INJECTED
    posts = [path for method, path in play.server.asked if method == "POST"]
    assert posts == [f"{QUOTAS.of('shop')} dry", "/api/v1/namespaces/drills/secrets", QUOTAS.of("shop")]
    record = await play.record()
    assert play.quota is not None
    assert (record.state, record.made) == (RecordState.INJECTED, play.quota["metadata"]["uid"])


async def test_nothing_of_it_tells_a_player_whose_it_is():
    play = Play()
    await play.inject()
    assert not [word for word in ("drill", "fault", "undo") if word in str(play.quota)]


async def test_what_was_seen_to_be_removed_is_not_removed_again_while_a_copy_is_waited_for():
    play = Play()
    await play.inject()
    for _ in range(3):
        assert (await play.revert()).reason == "Draining"
    assert [method for method, path in play.server.asked if method == "DELETE"] == ["DELETE"]
    await put_back(play)


async def test_a_copy_of_the_request_that_comes_within_seconds_is_removed_too():
    play = Play()
    await play.inject()
    outcome = await play.revert()
    assert (outcome.reason, outcome.restored, play.quota) == ("Draining", True, None)
    play.server.put(QUOTA.path, MANIFEST, (await play.record()).manager)
    await put_back(play)
    assert play.quota is None


async def test_what_is_made_is_removed_and_that_is_done_at_once():
    play = Play()
    await play.inject()
    play.clock.goes_on(6)
    outcome = await play.revert()
    assert (outcome.state, ends(outcome), play.quota) == (Reversal.REVERTED, ["Restored"], None)


async def test_what_has_the_name_already_is_refused_before_anything_is_stored():
    play = Play()
    play.server.put(QUOTA.path, MANIFEST)
    outcome = await play.inject()
    assert (outcome.state, outcome.targets[0].reason) == (Injection.REFUSED, "AlreadyThere")
    assert await play.records() == ()


async def test_what_gets_the_name_while_the_undo_is_stored_is_never_touched():
    play = Play()

    async def somebody_is_quicker(point: str) -> None:
        if point == RECORD_WRITTEN:
            play.server.put(QUOTA.path, MANIFEST)

    outcome = await play.inject(somebody_is_quicker)
    assert (outcome.state, outcome.targets[0].reason) == (Injection.REFUSED, "AlreadyThere")
    theirs = play.quota
    play.clock.goes_on(131)
    reverted = await play.revert()
    assert (reverted.state, ends(reverted), play.quota) == (Reversal.REVERTED, ["Superseded"], theirs)


async def test_a_refusal_of_the_dry_run_is_told_and_nothing_is_stored():
    play = Play()
    said = {"message": 'resourcequotas is forbidden: User "kubedrill" cannot create resource "resourcequotas"'}
    play.server.strikes("POST", " dry", lambda: Answer(403, said))
    outcome = await play.inject()
    assert (outcome.state, outcome.targets[0].reason) == (Injection.REFUSED, "Forbidden")
    assert await play.records() == ()


async def test_after_a_death_before_it_was_made_it_is_made_once():
    play = Play()
    await dies_at(play, RECORD_WRITTEN)
    assert (await play.inject()).state is Injection.INJECTED
    assert play.quota is not None
    assert (await play.record()).attempt == 2


async def test_after_a_death_when_it_was_made_it_is_found_by_its_name_and_by_who_made_it():
    play = Play()
    await dies_at(play, FAULT_PATCHED)
    before = play.quota
    assert (await play.inject()).state is Injection.INJECTED
    assert play.quota == before
    assert (await play.record()).made == before["metadata"]["uid"]  # type: ignore[index]


async def test_what_a_player_removed_while_the_operator_was_away_is_not_made_again():
    play = Play()
    await dies_at(play, FAULT_PATCHED)
    play.server.drop(QUOTA.path)
    outcome = await play.inject()
    assert (outcome.state, outcome.targets[0].reason) == (Injection.UNDONE, "ChangedMeanwhile")
    assert play.quota is None


async def test_where_the_history_does_not_reach_back_it_is_not_made_again_either():
    play = Play()
    await dies_at(play, RECORD_WRITTEN)

    async def expired(*_: object, **__: object):
        yield {"type": "ERROR", "object": {"code": 410}}

    play.server.watch = expired  # type: ignore[method-assign]
    assert (await play.inject()).state is Injection.UNDONE


async def test_what_is_seen_to_be_in_is_not_sent_again_and_nothing_is_waited_for_later():
    play = Play()
    await dies_at(play, FAULT_PATCHED)
    posts = play.server.asked.count(("POST", *POST))
    await play.inject()
    record = await play.record()
    assert (play.server.asked.count(("POST", *POST)), record.loose, record.attempt) == (posts, 0, 1)
    await put_back(play)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Answer(403, {"message": "ValidatingAdmissionPolicy 'x' denied request: no"}), Injection.REFUSED),
        (Answer(429, {}), Injection.PENDING),
        (Answer(409, {"reason": "Conflict"}), Injection.PENDING),
    ],
    ids=["refused", "too many requests", "a conflict"],
)
async def test_what_was_answered_with_a_no_is_not_waited_for(answer: Answer, state: Injection):
    play = Play()
    play.server.strikes("POST", *POST, lambda: answer)
    assert (await play.inject()).state is state
    assert (await play.record()).loose == 0
    outcome = await play.revert()
    assert (outcome.state, ends(outcome)) == (Reversal.REVERTED, ["Untouched"])


async def test_what_was_answered_with_a_failure_may_have_been_done():
    play = Play()
    play.server.strikes("POST", *POST, lambda: Answer(504, {}))
    await play.inject()
    assert (await play.record()).loose == 1
    assert (await play.revert()).reason == "Draining"


async def test_where_no_version_was_told_when_it_was_planned_nothing_is_known_of_what_was_there():
    play = Play()
    play.server.strikes("GET", *POST, lambda: Answer(200, {"metadata": {}, "items": []}))
    await dies_at(play, RECORD_WRITTEN)
    assert (await play.inject()).state is Injection.UNDONE


async def test_a_lost_answer_is_looked_up():
    play = Play()
    play.server.strikes("POST", *POST, unanswered, committed=True)
    assert (await play.inject()).state is Injection.PENDING
    assert (await play.inject()).state is Injection.INJECTED


async def test_a_request_that_never_arrived_is_sent_again():
    play = Play()
    play.server.strikes("POST", *POST, lambda: Answer(503, {}))
    assert (await play.inject()).state is Injection.PENDING
    assert play.quota is None
    assert (await play.inject()).state is Injection.INJECTED


async def test_what_was_never_made_is_waited_for_until_no_request_can_be_under_way():
    play = Play()
    await dies_at(play, RECORD_WRITTEN)
    outcome = await play.revert("Watchdog")
    assert (outcome.state, outcome.reason, outcome.restored) == (Reversal.RETRY, "Draining", False)
    play.clock.goes_on(LATEST.total_seconds())
    outcome = await play.revert("Watchdog")
    assert (outcome.state, ends(outcome)) == (Reversal.REVERTED, ["Untouched"])


async def test_what_comes_late_is_removed_while_it_is_waited_for():
    play = Play()
    await dies_at(play, RECORD_WRITTEN)
    await play.revert("Watchdog")
    record = await play.record()
    play.server.put(QUOTA.path, MANIFEST, record.manager)
    assert (await play.revert("Watchdog")).restored
    play.clock.goes_on(6)
    outcome = await play.revert("Watchdog")
    assert (outcome.state, ends(outcome), play.quota) == (Reversal.REVERTED, ["Restored"], None)


async def test_a_frozen_operator_that_wakes_too_late_sends_nothing():
    play = Play()
    await dies_at(play, RECORD_WRITTEN)
    record = await play.record()
    play.clock.goes_on(31)
    progress = await CreatedObjects(play.server, play.clock.now).inject(record, record.groups[0])  # type: ignore[arg-type]
    assert isinstance(progress, Again)
    assert (progress.reason, play.quota) == (UNREACHABLE, None)


async def test_after_two_claims_it_is_restored_at_once_and_closed_when_no_request_can_be_under_way():
    play = Play()
    await dies_at(play, RECORD_WRITTEN)
    await play.inject()
    assert (await play.record()).loose == 1
    outcome = await play.revert()
    assert (outcome.state, outcome.reason, outcome.restored) == (Reversal.RETRY, "Draining", True)
    assert play.quota is None
    assert (await play.record()).restored_at is not None
    play.clock.goes_on(LATEST.total_seconds())
    outcome = await play.revert()
    assert (outcome.state, ends(outcome)) == (Reversal.REVERTED, ["Restored"])


async def test_whoever_reverts_after_a_death_finds_when_it_was_made():
    play = Play()
    await dies_at(play, FAULT_PATCHED)
    play.clock.goes_on(20)
    outcome = await play.revert("Watchdog")
    assert (outcome.state, ends(outcome)) == (Reversal.REVERTED, ["Restored"])
    injected = (await play.record()).injected
    assert injected is not None
    assert injected.width <= timedelta(seconds=1)


async def test_a_death_after_the_removal_leaves_it_restored_by_us():
    play = Play()
    await play.inject()
    play.clock.goes_on(6)
    play.server.strikes("DELETE", QUOTA.path, dies, committed=True)
    with pytest.raises(Cut):
        await play.revert()
    outcome = await play.revert()
    assert (outcome.state, ends(outcome)) == (Reversal.REVERTED, ["Restored"])


async def test_what_somebody_removed_is_theirs():
    play = Play()
    await play.inject()
    play.clock.goes_on(6)
    play.server.drop(QUOTA.path)
    outcome = await play.revert()
    assert (outcome.state, ends(outcome)) == (Reversal.REVERTED, ["Untouched"])
    assert "somebody else had removed it" in outcome.fields[0].now


async def test_what_somebody_made_in_its_place_is_left_alone():
    play = Play()
    await play.inject()
    play.clock.goes_on(6)
    play.server.drop(QUOTA.path)
    theirs = play.server.put(QUOTA.path, MANIFEST)
    outcome = await play.revert()
    assert (outcome.state, ends(outcome), play.quota) == (Reversal.REVERTED, ["Superseded"], theirs)


async def test_what_somebody_has_changed_since_is_removed_all_the_same():
    play = Play()
    await play.inject()
    assert play.quota is not None
    play.quota["spec"] = {"hard": {"pods": "100"}}
    await put_back(play)
    assert play.quota is None


async def test_an_old_read_does_not_hide_it_from_the_undo():
    play = Play()
    empty = Answer(200, {"metadata": {"resourceVersion": "999"}, "items": []})
    await play.inject()
    play.server.strikes("GET", QUOTAS.of("shop"), lambda: empty, times=2)
    await play.revert()
    assert play.quota is None


async def test_an_answer_that_is_older_than_the_record_tells_nothing():
    play = Play()
    await dies_at(play, FAULT_PATCHED)
    old = Answer(200, {"metadata": {"resourceVersion": "3"}, "items": []})
    play.server.strikes("GET", QUOTAS.of("shop"), lambda: old, times=9)
    assert (await play.inject()).state is Injection.PENDING
    assert (await play.revert()).state is Reversal.RETRY


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Answer(403, {"message": "ValidatingAdmissionPolicy 'x' denied request: no"}), Reversal.STALLED),
        (Answer(503, {}), Reversal.RETRY),
        (Answer(404, {"reason": "NotFound", "details": {}}), Reversal.RETRY),
    ],
    ids=["refused", "busy", "a proxy's 404"],
)
async def test_what_can_not_be_removed_now_is_tried_again_for_ever(answer: Answer, state: Reversal):
    play = Play()
    await play.inject()
    play.server.strikes("DELETE", QUOTA.path, lambda: answer)
    assert (await play.revert()).state is state
    assert play.quota is not None
    await put_back(play)


async def test_what_waits_for_its_finalizers_is_waited_for():
    play = Play()
    await play.inject()
    assert play.quota is not None
    kept = dict(play.quota)
    play.server.strikes("DELETE", QUOTA.path, lambda: Answer(200, kept))
    outcome = await play.revert()
    assert (outcome.state, outcome.reason) == (Reversal.RETRY, "ObjectLeaving")


async def test_two_that_remove_it_at_once_come_to_one_end():
    play = Play()
    await play.inject()
    play.clock.goes_on(6)
    await play.revert("Watchdog")
    again = await play.revert("Operator")
    assert (again.state, (await play.record()).outcome.by) == (Reversal.REVERTED, "Watchdog")  # type: ignore[union-attr]


async def test_the_lock_is_that_of_the_object_itself():
    play = Play()
    await play.inject()
    other = replace(MAKE, manifest={**MANIFEST, "spec": {}})
    theirs = Play(other)
    theirs.server = play.server
    (found,) = (await theirs.inject()).targets
    assert found.state in (Injection.INJECTED, Injection.REFUSED)
    assert len(await play.records()) == 1

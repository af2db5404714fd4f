"""Pods are removed once each, those that were recorded and no others; nothing is to be put back."""

from __future__ import annotations

import pytest
from tests.protocol.objects_server import KILL, Cut, Play, dies

from kubedrill.core.undo.operations import Remove, Victim
from kubedrill.core.undo.record import OutsideGroup, RecordState
from kubedrill.kube.client import Answer
from kubedrill.kube.paths import PODS
from kubedrill.protocol.outcomes import RECORD_WRITTEN, Injection, Reversal


def a_play(*pods: str, count: int = 1, grace: int | None = None) -> Play:
    play = Play(Remove(KILL.workload, count, grace))
    play.with_pods(*pods)
    return play


async def victims(play: Play) -> tuple[Victim, ...]:
    (group,) = (await play.record()).groups
    assert isinstance(group, OutsideGroup)
    assert isinstance(group.operation, Remove)
    return group.operation.victims


async def test_those_that_are_removed_stand_in_the_record_by_their_uids_before():
    play = a_play("web-a", "web-b", count=2)
    play.server.strikes("DELETE", "web-a", dies)
    with pytest.raises(Cut):
        await play.inject()
    assert [v.name for v in await victims(play)] == ["web-a", "web-b"]
    assert play.pods == ["web-a", "web-b"]


async def test_only_so_many_are_removed_and_those_that_are_ready_first():
    play = a_play()
    play.pod("web-a", ready=False)
    play.pod("web-b")
    assert (await play.inject()).state is Injection.INJECTED
    assert play.pods == ["web-a"]


async def test_a_pod_that_is_nobodys_or_somebody_elses_is_never_chosen():
    play = a_play("web-c", count=2)
    play.pod("web-a", owner="")
    play.pod("web-b", owner="rs-of-another")
    outcome = await play.inject()
    assert (outcome.state, outcome.targets[0].reason) == (Injection.REFUSED, "TooFewPods")
    assert await play.records() == ()


async def test_each_is_given_as_long_as_was_asked_for():
    play = a_play("web-a", grace=0)
    seen: list[object] = []
    whole = play.server.call

    async def call(method: str, path: str, body: object = None, **more: object) -> Answer:
        seen.extend([body] if method == "DELETE" else [])
        return await whole(method, path, body, **more)

    play.server.call = call  # type: ignore[method-assign]
    await play.inject()
    (victim,) = await victims(play)
    assert seen == [{"preconditions": {"uid": victim.uid}, "gracePeriodSeconds": 0}]


async def test_after_a_death_the_same_ones_are_removed_and_none_that_came_since():
    play = a_play("web-a", "web-b", count=2)
    play.server.strikes("DELETE", "web-a", dies, committed=True)
    with pytest.raises(Cut):
        await play.inject()
    play.pod("web-a")
    play.pod("web-c")
    assert (await play.inject()).state is Injection.INJECTED
    assert play.pods == ["web-a", "web-c"]


async def test_a_conflict_is_not_taken_for_a_pod_that_is_gone():
    play = a_play("web-a")
    play.server.strikes("DELETE", "web-a", lambda: Answer(409, {"reason": "Conflict"}))
    assert (await play.inject()).state is Injection.PENDING
    assert play.pods == ["web-a"]
    assert (await play.inject()).state is Injection.INJECTED
    assert play.pods == []


async def test_a_pod_whose_name_is_another_ones_by_now_is_gone():
    play = a_play("web-a")
    play.server.strikes("DELETE", "web-a", dies)
    with pytest.raises(Cut):
        await play.inject()
    play.server.drop(PODS.one("shop", "web-a"))
    play.pod("web-a")
    assert (await play.inject()).state is Injection.INJECTED
    assert play.pods == ["web-a"]


async def test_once_they_are_gone_the_undo_is_done_at_once_and_writes_nothing():
    play = a_play("web-a", "web-b")
    await play.inject()
    before = len(play.server.asked)
    outcome = await play.revert()
    assert (outcome.state, [f.outcome for f in outcome.fields]) == (Reversal.REVERTED, ["Restored"])
    assert "Deployment/web makes new ones" in outcome.fields[0].now
    assert not [path for method, path in play.server.asked[before:] if method != "GET" and "secrets" not in path]


async def test_while_one_may_still_be_removed_by_a_late_request_the_record_stays_open():
    play = a_play("web-a", "web-b")
    play.server.strikes("DELETE", "web-a", dies)
    with pytest.raises(Cut):
        await play.inject()
    outcome = await play.revert("Watchdog")
    assert (outcome.state, outcome.reason) == (Reversal.RETRY, "Draining")
    play.clock.goes_on(131)
    outcome = await play.revert("Watchdog")
    assert (outcome.state, [f.outcome for f in outcome.fields]) == (Reversal.REVERTED, ["Untouched"])
    assert play.pods == ["web-a", "web-b"]


async def test_whoever_reverts_after_a_death_need_not_wait_when_all_are_gone():
    play = a_play("web-a")
    play.server.strikes("DELETE", "web-a", dies, committed=True)
    with pytest.raises(Cut):
        await play.inject()
    assert (await play.revert("Watchdog")).state is Reversal.REVERTED


async def test_nobody_removes_any_once_it_is_being_put_back():
    play = a_play("web-a")

    async def frozen(point: str) -> None:
        if point == RECORD_WRITTEN:
            await play.revert("Watchdog")
            play.clock.goes_on(31)

    await play.inject(frozen)
    assert (play.pods, (await play.record()).state) == (["web-a"], RecordState.REVERTING)


async def test_a_refusal_is_told_in_its_own_words():
    play = a_play("web-a")
    said = "ValidatingAdmissionPolicy 'keep' denied request: not this one"
    play.server.strikes("DELETE", PODS.one("shop", "web-a"), lambda: Answer(403, {"message": said}))
    outcome = await play.inject()
    assert (outcome.state, "not this one" in outcome.targets[0].message) == (Injection.REFUSED, True)

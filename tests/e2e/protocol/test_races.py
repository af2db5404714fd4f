"""Two operators, a frozen one and a late packet may all be alive at once."""

from __future__ import annotations

import asyncio

from tests.e2e.protocol.lab import Lab, drill, ends, freeze_at, memory_of, operator_of, ownership, workload

from kubedrill.kube.client import Kube
from kubedrill.protocol.outcomes import FAULT_PATCHED, RECORD_WRITTEN, Injection
from kubedrill.store.undo_records import close


async def test_twenty_injectors_of_one_drill_come_to_one_injection(lab: Lab):
    target, who = await lab.made(workload("Deployment", "crowd")), drill()
    before = await lab.read(target)

    outcomes = await asyncio.gather(*(lab.inject(who, target) for _ in range(20)))
    last = await lab.inject(who, target)

    assert {outcome.state for outcome in outcomes} <= {Injection.INJECTED, Injection.PENDING}
    assert last.state is Injection.INJECTED
    seen = await lab.read(target)
    assert seen["metadata"]["generation"] == before["metadata"]["generation"] + 1
    assert ownership(seen) == ownership(before)
    assert (await lab.record(who)).record.fields[0].before == "128Mi"


async def test_of_two_drills_on_one_target_one_is_told_that_it_is_busy(lab: Lab):
    target, first, second = await lab.made(workload("Deployment", "busy")), drill(), drill()
    await lab.inject(first, target)

    refused = await lab.inject(second, target)

    assert refused.state is Injection.REFUSED
    assert refused.targets[0].reason == "TargetBusy"
    assert (await lab.record(first)).record.fields[0].before == "128Mi"


async def test_a_second_drill_never_saves_the_first_ones_fault_as_the_original(lab: Lab):
    target, drills = await lab.made(workload("Deployment", "overlap")), [drill() for _ in range(5)]

    outcomes = await asyncio.gather(*(lab.inject(who, target) for who in drills))

    won = [outcome for outcome in outcomes if outcome.state is Injection.INJECTED]
    assert len(won) == 1
    await lab.put_back(won[0])
    assert memory_of(await lab.read(target)) == ("128Mi", "64Mi")


async def test_the_late_patch_of_a_frozen_operator_dies_by_the_fence(lab: Lab):
    target, who = await lab.made(workload("Deployment", "frozen")), drill()
    before = await lab.read(target)
    hook, frozen, thaw = freeze_at(RECORD_WRITTEN)
    late = asyncio.create_task(lab.inject(who, target, on=hook))
    await frozen.wait()

    reverted = await lab.put_back((await lab.record(who)).ref)
    thaw.set()
    outcome = await late

    assert set(ends(reverted).values()) == {"Untouched"}
    assert outcome.state is Injection.ENDED
    after = await lab.read(target)
    assert after["spec"] == before["spec"]
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    assert ownership(after) == ownership(before)
    assert after["metadata"].get("labels") == before["metadata"].get("labels")


async def test_a_frozen_operator_dies_even_when_its_record_is_closed_by_then(lab: Lab):
    target, who = await lab.made(workload("Deployment", "closed")), drill()
    hook, frozen, thaw = freeze_at(RECORD_WRITTEN)
    late = asyncio.create_task(lab.inject(who, target, on=hook))
    await frozen.wait()
    reverted = await lab.put_back((await lab.record(who)).ref)
    assert reverted.stored is not None
    assert await close(lab.kube, reverted.stored)
    thaw.set()

    outcome = await late

    assert outcome.state is Injection.ENDED
    assert memory_of(await lab.read(target)) == ("128Mi", "64Mi")


async def test_a_frozen_operator_does_not_inject_what_another_injected_and_a_player_undid(lab: Lab):
    target, who = await lab.made(workload("Deployment", "thawed")), drill()
    hook, frozen, thaw = freeze_at(RECORD_WRITTEN)
    late = asyncio.create_task(lab.inject(who, target, on=hook))
    await frozen.wait()
    assert (await lab.inject(who, target)).state is Injection.INJECTED
    await lab.set_memory(target, "128Mi", "64Mi")
    thaw.set()

    await late

    assert memory_of(await lab.read(target)) == ("128Mi", "64Mi")


async def test_frozen_after_the_patch_it_finds_the_target_put_back_and_leaves_it(lab: Lab):
    target, who = await lab.made(workload("Deployment", "afterwards")), drill()
    before = await lab.read(target)
    hook, frozen, thaw = freeze_at(FAULT_PATCHED)
    late = asyncio.create_task(lab.inject(who, target, on=hook))
    await frozen.wait()
    reverted = await lab.put_back((await lab.record(who)).ref)
    thaw.set()

    outcome = await late

    assert set(ends(reverted).values()) == {"Restored"}
    assert outcome.state is Injection.ENDED
    after = await lab.read(target)
    assert (after["spec"], ownership(after)) == (before["spec"], ownership(before))


async def test_operator_and_watchdog_may_revert_at_the_same_time(lab: Lab):
    target, who = await lab.made(workload("Deployment", "both")), drill()
    before = await lab.read(target)
    injected = await lab.inject(who, target)

    outcomes = await asyncio.gather(*(lab.put_back(injected) for _ in range(5)))

    after = await lab.read(target)
    assert (after["spec"], ownership(after)) == (before["spec"], ownership(before))
    assert after["metadata"]["generation"] == before["metadata"]["generation"] + 2
    assert {tuple(ends(outcome).items()) for outcome in outcomes} == {tuple(ends(outcomes[0]).items())}


async def test_a_record_that_somebody_has_written_since_is_not_deleted(lab: Lab):
    target, who = await lab.made(workload("Deployment", "stale")), drill()
    injected = await lab.inject(who, target)
    stale = await lab.record(who)
    reverted = await lab.put_back(injected)

    assert not await close(lab.kube, stale)
    assert reverted.stored is not None
    assert await close(lab.kube, reverted.stored)
    assert await close(lab.kube, reverted.stored), "that it is gone already is no trouble"


async def test_each_process_has_a_connection_of_its_own(lab: Lab):
    target, who = await lab.made(workload("Deployment", "two-clients")), drill()
    other = Lab(await Kube.connect(as_user=operator_of(lab.control)), lab.namespace, lab.control)

    first, second = await asyncio.gather(lab.inject(who, target), other.inject(who, target))
    await other.kube.close()

    assert {first.state, second.state} <= {Injection.INJECTED, Injection.PENDING}
    assert (await lab.inject(who, target)).state is Injection.INJECTED

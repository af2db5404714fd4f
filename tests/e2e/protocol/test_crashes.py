"""A process that ends at any named point, and one that takes over: one injection and one revert."""

from __future__ import annotations

import pytest
from tests.e2e.protocol.lab import Crash, Lab, crash_at, drill, ends, memory_of, ownership, workload

from kubedrill.core.undo.record import RecordState
from kubedrill.protocol.outcomes import (
    FAULT_PATCHED,
    INJECTED_WRITTEN,
    RECORD_WRITTEN,
    REVERT_PATCHED,
    REVERTED_WRITTEN,
    Injection,
)


@pytest.mark.parametrize("point", [RECORD_WRITTEN, FAULT_PATCHED, INJECTED_WRITTEN])
async def test_a_crash_while_injecting_leads_to_exactly_one_injection(lab: Lab, point: str):
    target, who = await lab.made(workload("Deployment", f"crash-{point}")), drill()
    before = await lab.read(target)
    with pytest.raises(Crash):
        await lab.inject(who, target, on=crash_at(point))

    again = await lab.inject(who, target)

    assert again.state is Injection.INJECTED
    seen = await lab.read(target)
    assert memory_of(seen) == ("32Mi", "32Mi")
    assert seen["metadata"]["generation"] == before["metadata"]["generation"] + 1
    assert ownership(seen) == ownership(before)
    assert (await lab.record(who)).record.state is RecordState.INJECTED


@pytest.mark.parametrize("point", [RECORD_WRITTEN, FAULT_PATCHED, INJECTED_WRITTEN])
async def test_a_crash_while_injecting_can_be_put_back_without_ever_injecting_again(lab: Lab, point: str):
    target, who = await lab.made(workload("Deployment", f"stop-{point}")), drill()
    before = await lab.read(target)
    with pytest.raises(Crash):
        await lab.inject(who, target, on=crash_at(point))

    stored = await lab.record(who)
    await lab.put_back(stored.ref)

    seen = await lab.read(target)
    assert seen["spec"] == before["spec"]
    assert ownership(seen) == ownership(before)
    assert (await lab.inject(who, target)).state is Injection.ENDED
    assert (await lab.read(target))["spec"] == before["spec"]


@pytest.mark.parametrize("point", [REVERT_PATCHED, REVERTED_WRITTEN])
async def test_a_crash_while_reverting_is_taken_up_and_told_as_restored(lab: Lab, point: str):
    target, who = await lab.made(workload("Deployment", f"back-{point}")), drill()
    before = await lab.read(target)
    injected = await lab.inject(who, target)
    with pytest.raises(Crash):
        await lab.put_back(injected, on=crash_at(point))

    outcome = await lab.put_back(injected)

    assert set(ends(outcome).values()) == {"Restored"}
    seen = await lab.read(target)
    assert seen["spec"] == before["spec"]
    assert ownership(seen) == ownership(before)
    assert seen["metadata"]["generation"] == before["metadata"]["generation"] + 2


async def test_a_crash_between_patch_and_splice_is_not_taken_for_no_injection(lab: Lab):
    target, who = await lab.made(workload("Deployment", "half")), drill()
    before = await lab.read(target)
    with pytest.raises(Crash):
        await lab.inject(who, target, on=crash_at(FAULT_PATCHED))
    assert ownership(await lab.read(target)) != ownership(before)

    outcome = await lab.inject(who, target)

    at = outcome.targets[0].at
    assert at is not None
    assert at.width.total_seconds() <= 1.2
    assert ownership(await lab.read(target)) == ownership(before)


async def test_a_player_who_puts_the_old_value_back_in_the_gap_is_not_hit_again(lab: Lab):
    target, who = await lab.made(workload("Deployment", "gap")), drill()
    with pytest.raises(Crash):
        await lab.inject(who, target, on=crash_at(FAULT_PATCHED))
    await lab.set_memory(target, "128Mi", "64Mi")

    outcome = await lab.inject(who, target)

    assert outcome.state is Injection.UNDONE
    assert memory_of(await lab.read(target)) == ("128Mi", "64Mi")
    reverted = await lab.put_back((await lab.record(who)).ref)
    assert set(ends(reverted).values()) == {"Untouched"}
    assert memory_of(await lab.read(target)) == ("128Mi", "64Mi")

"""The break-glass command on a real API server: undo records alone are enough."""

from __future__ import annotations

import asyncio
import subprocess
import sys

from tests.e2e.protocol.lab import Lab, drill, memory_of, operator_of, ownership, workload

from kubedrill.core.undo.record import DrillIdentity
from kubedrill.store.undo_records import list_records


async def restored(lab: Lab, who: DrillIdentity, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the command as somebody who may do everything here."""
    command = [sys.executable, "-m", "kubedrill.cli.main", "restore", who.uid, "-n", lab.control]
    command += ["--as", operator_of(lab.control), *options]
    return await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)


async def test_a_target_is_put_back_without_trace_and_its_record_closed_when_there_is_no_drill(lab: Lab):
    target, who = await lab.made(workload("Deployment", "by-hand")), drill()
    before = await lab.read(target)
    await lab.inject(who, target)

    done = await restored(lab, who)

    assert done.returncode == 0, done.stdout + done.stderr
    after = await lab.read(target)
    assert memory_of(after) == memory_of(before)
    assert ownership(after) == ownership(before)
    assert not await list_records(lab.kube, lab.control, who.uid)


async def test_a_players_change_is_kept_until_the_facilitator_overwrites_it(lab: Lab):
    target, who = await lab.made(workload("Deployment", "by-hand-kept")), drill()
    before = await lab.read(target)
    await lab.inject(who, target)
    await lab.set_memory(target, limit="1Gi")

    done = await restored(lab, who, "--overwrite")

    assert done.returncode == 0, done.stdout + done.stderr
    assert memory_of(await lab.read(target)) == memory_of(before)


async def test_several_hands_at_once_put_back_once(lab: Lab):
    target, who = await lab.made(workload("Deployment", "by-hands")), drill()
    before = await lab.read(target)
    outcome = await lab.inject(who, target)

    first, second, _ = await asyncio.gather(restored(lab, who), restored(lab, who), lab.put_back(outcome))

    assert (first.returncode, second.returncode) == (0, 0), first.stdout + second.stdout
    after = await lab.read(target)
    assert memory_of(after) == memory_of(before)
    assert ownership(after) == ownership(before)

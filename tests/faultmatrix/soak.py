"""Random drills with random kills, one after another under one operator: nothing is left, memory does not grow.

The numbers come from a seed, which is printed: the same seed gives the same drills and the same kills. The operator
lives on from drill to drill (that is what may leak); one drill in ten has it killed at a random write.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import statistics
import sys
import time
from pathlib import Path
from typing import Final

from tests.faultmatrix.matrix import Matrix
from tests.faultmatrix.plan import COMMITTED, Expect, Plan, Rule

FOLDER: Final = Path("build/faultmatrix-soak")
FAULTS: Final = (
    "memory-limit",
    "stateful-set",
    "bad-image",
    "resource-quota",
    "pod-kill",
    "queue-load",
    "alert",
    "manual",
    "two-targets",
    "two-faults",
)
STORIES: Final = ("stop", "stop", "delete")
KILLED: Final = 0.1
GROWTH: Final = 1.05
EARLY: Final = slice(30, 60)
LATE: Final = slice(-30, None)


def drawn(number: int, dice: random.Random) -> Plan:
    """One random drill."""
    rules: tuple[Rule, ...] = ()
    if dice.random() < KILLED:
        when = dice.choice(("before", COMMITTED, "replied"))
        rules = (Rule("write", ("kill",), nth=dice.randint(1, 20), when=when, optional=True),)
    return Plan(
        f"soak/{number}",
        dice.choice(FAULTS),
        dice.choice(STORIES),
        rules,
        expect=Expect(verdict=("Stopped", "Error"), restored_within=20),
    )


async def main() -> int:
    """All drills; 1 when anything was left or memory grew."""
    parser = argparse.ArgumentParser(prog="python -m tests.faultmatrix.soak", description=__doc__)
    parser.add_argument("--drills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=20261124)
    arguments = parser.parse_args()
    dice = random.Random(arguments.seed)  # noqa: S311  no secret
    plans = [drawn(n, dice) for n in range(arguments.drills)]
    shutil.rmtree(FOLDER, ignore_errors=True)
    began, results = time.monotonic(), []
    async with Matrix(1, FOLDER, 90, lasting=True) as matrix:
        async for result in matrix.run(plans):
            results.append(result)
            if result.findings:
                print(f"FAILED {result.plan.name} {result.plan.fault} {result.plan.story} {result.plan.rules}")
                print("".join(f"        {finding}\n" for finding in result.findings), flush=True)
            if len(results) % 20 == 0:
                took = time.monotonic() - began
                print(f"{len(results)} drills, {took:.0f} s, {result.memory / 2**20:.1f} MiB", flush=True)
    memory = [r.memory / 2**20 for r in results]
    early, late = statistics.median(memory[EARLY]), statistics.median(memory[LATE])
    kills = sum(bool(r.plan.rules) for r in results)
    failed, residues = sum(bool(r.findings) for r in results), sum(r.residue for r in results)
    took = time.monotonic() - began
    print(f"seed {arguments.seed}: {len(results)} drills, {kills} of them with a kill, {took:.0f} s")
    print(f"memory, median: drills 31 to 60 {early:.1f} MiB, the last 30 {late:.1f} MiB ({late / early - 1:+.1%})")
    print(f"{len(results)} drills, {residues} residues, {failed} failed")
    return 1 if failed or late > early * GROWTH else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

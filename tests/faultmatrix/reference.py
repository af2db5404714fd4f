"""Counts the own writes of clean runs into `plans/reference.yaml`: the families spell their plans out over these."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import yaml
from tests.faultmatrix.catalogue import REFERENCE, all_plans
from tests.faultmatrix.matrix import Matrix
from tests.faultmatrix.requests import OWN

ROUNDS = ((1, 3), (7, 10))
"""So many slots at once, and so many runs: on a busy machine other writes fall together than on a quiet one."""
FOLDER = Path("build/faultmatrix-reference")


async def main() -> None:
    """The least of thirteen clean runs and of all before: a write that is not in each of them is no plan's.

    For a write that is new in the operator's code, put in a large count by hand: it comes down to what is seen.
    """
    clean = [p for p in all_plans() if p.name.startswith("clean/")]
    counts: dict[str, dict[str, int]] = yaml.safe_load(REFERENCE.read_text(encoding="utf-8")) or {}
    shutil.rmtree(FOLDER, ignore_errors=True)
    for slots, runs in ROUNDS:
        async with Matrix(slots, FOLDER) as matrix:
            async for result in matrix.run(clean * runs):
                assert not result.findings, (result.plan.name, result.findings)
                own = {kind: n for kind in sorted(OWN) if (n := result.counts.get(kind, 0))}
                known = counts.get(result.plan.fault, own)
                counts[result.plan.fault] = {kind: min(n, own.get(kind, 0)) for kind, n in known.items()}
    kept = {fault: {kind: n for kind, n in own.items() if n} for fault, own in counts.items()}
    head = "# The own writes of a clean run, by kind, the least ever seen: made by `make faultmatrix-reference`.\n"
    REFERENCE.write_text(head + yaml.safe_dump(kept, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())

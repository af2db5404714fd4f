"""Counts the own writes of clean runs into `plans/reference.yaml`: the families spell their plans out over these."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml
from tests.faultmatrix.catalogue import REFERENCE, all_plans
from tests.faultmatrix.matrix import Matrix
from tests.faultmatrix.requests import OWN

ROUNDS = ((1, 3), (7, 10))
"""So many slots at once, and so many runs: on a busy machine other writes fall together than on a quiet one."""
FOLDER = Path("build/faultmatrix-reference")
Counts = Mapping[str, int]


def least_of(known: Counts | None, own: Counts) -> dict[str, int]:
    """The least of what was known and of another run; with nothing known, that run's."""
    return {kind: min(n, own.get(kind, 0)) for kind, n in (own if known is None else known).items()}


def grown(fault: str, stored: Counts, now: Counts) -> Iterator[str]:
    """What every run of this time wrote more often than is stored: by itself the reference only comes down."""
    for kind, n in sorted(now.items()):
        if n > stored.get(kind, 0):
            yield (
                f"{fault}: {kind} {n} times in each of these runs, {stored.get(kind, 0)} stored. If every run must,"
                " write that number in: no plan is about the last of them"
            )


async def main() -> None:
    """The least of thirteen clean runs and of all before: a write that is not in each of them is no plan's.

    For a write that is new in the operator's code, put in a large count by hand: it comes down to what is seen.
    """
    clean = [p for p in all_plans() if p.name.startswith("clean/")]
    stored: dict[str, dict[str, int]] = yaml.safe_load(REFERENCE.read_text(encoding="utf-8")) or {}
    seen: dict[str, dict[str, int]] = {}
    shutil.rmtree(FOLDER, ignore_errors=True)
    for slots, runs in ROUNDS:
        async with Matrix(slots, FOLDER) as matrix:
            async for result in matrix.run(clean * runs):
                assert not result.findings, (result.plan.name, result.findings)
                own = {kind: n for kind in sorted(OWN) if (n := result.counts.get(kind, 0))}
                seen[result.plan.fault] = least_of(seen.get(result.plan.fault), own)
    for fault, now in seen.items():
        print("".join(f"{said}\n" for said in grown(fault, stored.get(fault, now), now)), end="")
        stored[fault] = least_of(stored.get(fault), now)
    kept = {fault: {kind: n for kind, n in own.items() if n} for fault, own in stored.items()}
    head = "# The own writes of a clean run, by kind, the least ever seen: made by `make faultmatrix-reference`.\n"
    REFERENCE.write_text(head + yaml.safe_dump(kept, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())

"""Runs plans on the real API server that KUBECONFIG names. The last line: `N plans, M residues, K failed`."""

from __future__ import annotations

import argparse
import asyncio
import fnmatch
import hashlib
import shutil
import sys
import time
from pathlib import Path

from tests.faultmatrix.catalogue import all_plans
from tests.faultmatrix.matrix import Matrix
from tests.faultmatrix.plan import Plan
from tests.faultmatrix.run import Result

FOLDER = Path("build/faultmatrix")


def chosen(arguments: argparse.Namespace) -> list[Plan]:
    """The plans that are asked for."""
    plans = all_plans()
    if arguments.ci:
        plans = [p for p in plans if p.in_ci]
    if arguments.slow:
        plans = [p for p in plans if p.slow]
    elif arguments.plan == "*" or "--nightly" in sys.argv:
        plans = [p for p in plans if not p.slow and (arguments.nightly or not p.nightly)]
    # plans that wait beside plans that work: an order that never changes, and has nothing to do with the files'
    plans = sorted(plans, key=lambda p: hashlib.sha256(p.name.encode()).digest())
    return [p for p in plans if any(fnmatch.fnmatch(p.name, one) for one in arguments.plan.split())]


def said(result: Result) -> str:
    """One line a plan; a failing one says what is wrong, and how to see it again."""
    line = f"{'FAILED' if result.findings else 'ok':7} {result.seconds:5.1f} s  {result.plan.name}"
    for finding in result.findings:
        line += f"\n        {finding}"
    if result.findings:
        line += f"\n        again: make faultmatrix PLAN={result.plan.name}"
    return line


def options() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faultmatrix", description=__doc__)
    parser.add_argument("--plan", default="*", help="names or globs")
    parser.add_argument("--slots", type=int, default=6, help="how many run at once")
    parser.add_argument("--first-slot", type=int, default=0, help="number of the first: two runs at once need others")
    parser.add_argument("--ci", action="store_true", help="the subset of CI")
    parser.add_argument("--nightly", action="store_true", help="those of the night, too")
    parser.add_argument("--slow", action="store_true", help="only those with long outages")
    parser.add_argument("--list", action="store_true", help="print the names")
    parser.add_argument("--first", type=int, default=0, help="end after so many failures (0: never)")
    parser.add_argument("--trace", action="store_true", help="print the requests of each plan")
    return parser.parse_args()


async def ran(matrix: Matrix, plans: list[Plan], arguments: argparse.Namespace) -> list[Result]:
    """The results, told as they come; ends early after as many failures as asked for."""
    results: list[Result] = []
    async for result in matrix.run(plans):
        results.append(result)
        print(said(result), flush=True)
        if arguments.trace or result.findings:
            (FOLDER / f"{result.plan.name.replace('/', '--')}.trace").write_text("\n".join(result.trace))
        if arguments.trace:
            print("\n".join(result.trace))
        if arguments.first and sum(bool(r.findings) for r in results) >= arguments.first:
            break
    return results


async def main() -> int:
    """All plans that are asked for; 1 when one failed."""
    arguments = options()
    plans = chosen(arguments)
    if arguments.list:
        print("\n".join(p.name for p in plans))
        return 0
    folder = FOLDER / f"from-{arguments.first_slot}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.monotonic()
    async with Matrix(min(arguments.slots, len(plans)), folder, arguments.first_slot) as matrix:
        results = await ran(matrix, plans, arguments)
        failed = [r for r in results if r.findings]  # a find, each: none is run again and passed
    print(f"\n{time.monotonic() - began:.0f} s")
    for result in failed:
        print(said(result))
    residues = sum(r.residue for r in failed)
    print(f"{len(results)} plans, {residues} residues, {len(failed)} failed")
    return 1 if failed or len(results) < len(plans) else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

"""Plants the defects one at a time and says who caught each. The last line: `X of Y planted defects caught`."""

from __future__ import annotations

import argparse
import fnmatch
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.mutants.defects import ROOT, Defect, defects

FOLDER: Final = ROOT / "build/mutants"
UNIT: Final = (
    "undo", "protocol", "machine", "model", "shell", "watchdog", "clock", "reverters", "faults", "preflight",
)
WANTED: Final = 0.95
QUICK: Final = "clean/* kill/memory-limit/*/committed"
"""Plans in which most defects show at once; then the unit tests are asked, then all plans of CI."""
PATIENCE: Final = {"KUBEDRILL_MATRIX_PATIENCE": "45"}  # the longest plan of CI takes half a minute


@dataclass(frozen=True, slots=True)
class Caught:
    """Who caught a defect, empty when nobody did, and in how many seconds."""

    by: str
    seconds: float


def planted(defect: Defect) -> Path:
    """A copy of the operator's folder with the defect in it.

    Raises:
        SystemExit: the text does not occur exactly once.
    """
    copy = FOLDER / defect.name
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(ROOT / "operator", copy, ignore=shutil.ignore_patterns("__pycache__"))
    file = copy / "kubedrill" / defect.file
    text = file.read_text(encoding="utf-8")
    times = text.count(defect.old)
    if times != 1:
        raise SystemExit(f"{defect.name}: its text occurs {times} times in {defect.file}, must be once")
    file.write_text(text.replace(defect.old, defect.new), encoding="utf-8")
    return copy


def caught(defect: Defect, slots: int) -> Caught:
    """Runs the suite against the defect until something fails."""
    began, where = time.monotonic(), planted(defect)
    by = _by_matrix(where, slots, ["--plan", f"{defect.try_first} {QUICK}"])
    by = by or _by_units(where) or _by_matrix(where, slots, ["--ci"])
    return Caught(by, time.monotonic() - began)


def _by_matrix(where: Path, slots: int, chosen: list[str]) -> str:
    """The oracle that found something first."""
    how = ["--first", "1", "--slots", str(slots), "--first-slot", "60"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.faultmatrix", *how, *chosen],
        cwd=ROOT, env=os.environ | PATIENCE | {"PYTHONPATH": str(where)}, capture_output=True, text=True, check=False,
    )
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{where.name}.matrix.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode == 0:
        return ""
    failed = re.search(r"^FAILED +\S+ s +(\S+)\n +(O\d+) ", done.stdout, re.MULTILINE)
    if failed is None:  # no oracle has said anything: that is no catch
        raise SystemExit(f"the matrix itself failed: {done.stderr.strip()[-500:]}")
    return f"{failed[2]} ({failed[1]})"


def _by_units(where: Path) -> str:
    folders = [f"tests/{name}" for name in UNIT]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-n", "2", "-p", "no:cacheprovider",
         "-o", f"pythonpath={where} .", *folders],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(where)}, capture_output=True, text=True, check=False,
    )
    (FOLDER / f"{where.name}.unit.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode == 0:
        return ""
    failed = re.search(r"^FAILED (\S+)", done.stdout, re.MULTILINE)
    return f"unit ({failed[1].rpartition('/')[2]})" if failed else "unit"


def main() -> int:
    """All, or those that are asked for; 1 when too many get through."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--defect", default="*", help="name or glob")
    parser.add_argument("--skip", default="", help="names that are left out")
    parser.add_argument("--slots", type=int, default=6)
    arguments = parser.parse_args()
    chosen = [d for d in defects() if fnmatch.fnmatch(d.name, arguments.defect)
              and d.name not in arguments.skip.split()]
    tried = " ".join([QUICK, *(d.try_first for d in chosen)])
    for control in (["--ci"], ["--plan", tried]):  # what fails by itself catches nothing
        if by := _by_matrix(ROOT / "operator", arguments.slots, control):
            raise SystemExit(f"without any defect it fails, too: {by}")
    for defect in chosen:  # a list that has gone stale is told before the hour begins
        planted(defect)
    results = {}
    for defect in chosen:
        result = results[defect.name] = caught(defect, arguments.slots)
        print(f"{result.seconds:5.0f} s  {defect.name:44} {result.by or 'NOT CAUGHT'}", flush=True)
    number = sum(bool(r.by) for r in results.values())
    oracles = [r.by.split()[0] for r in results.values() if r.by]
    print("\n" + ", ".join(f"{name}: {oracles.count(name)}" for name in sorted(set(oracles))))
    print(f"{number} of {len(chosen)} planted defects caught")
    return 0 if number >= WANTED * len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())

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

import yaml

ROOT: Final = Path(__file__).parents[2]
DEFECTS: Final = Path(__file__).parent / "defects.yaml"
FOLDER: Final = ROOT / "build/mutants"
UNIT: Final = ("undo", "protocol", "machine", "model", "shell", "watchdog", "clock", "reverters", "faults", "catalogue")
WANTED: Final = 0.95


@dataclass(frozen=True, slots=True)
class Defect:
    """A bug: `old` in `file` (below the package) becomes `new`; `breaks` is the clause that it breaks.

    `arrow` tells whether it breaks an arrow or clause of the protocol. `try_first` are plans (globs) that run before
    the others, because where a defect is looked for first costs nothing and saves minutes.
    """

    name: str
    breaks: str
    file: str
    old: str
    new: str
    arrow: bool = False
    try_first: str = ""


@dataclass(frozen=True, slots=True)
class Caught:
    """Who caught a defect, empty when nobody did, and in how many seconds."""

    by: str
    seconds: float


def defects() -> list[Defect]:
    """All of them."""
    return [Defect(**entry) for entry in yaml.safe_load(DEFECTS.read_text(encoding="utf-8"))]


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
    if text.count(defect.old) != 1:
        raise SystemExit(f"{defect.name}: its text occurs {text.count(defect.old)} times in {defect.file}, must be once")
    file.write_text(text.replace(defect.old, defect.new), encoding="utf-8")
    return copy


def caught(defect: Defect, slots: int) -> Caught:
    """Runs the suite against the defect until something fails."""
    began, where = time.monotonic(), planted(defect)
    by = ""
    if defect.try_first:
        by = _by_matrix(where, slots, ["--plan", defect.try_first])
    by = by or _by_matrix(where, slots, ["--ci"]) or _by_units(where)
    return Caught(by, time.monotonic() - began)


def _by_matrix(where: Path, slots: int, chosen: list[str]) -> str:
    """The oracle that found something first."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faultmatrix", "--first", "1", "--slots", str(slots), "--first-slot", "60", *chosen],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(where)}, capture_output=True, text=True, check=False,
    )
    (where / "matrix.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode == 0:
        return ""
    failed = re.search(r"^FAILED +\S+ s +(\S+)\n +(O\d+) ", done.stdout, re.MULTILINE)
    return f"{failed[2]} ({failed[1]})" if failed else f"the matrix itself: {done.stderr.strip().splitlines()[-1][:100]}"


def _by_units(where: Path) -> str:
    folders = [f"tests/{name}" for name in UNIT if (ROOT / "tests" / name).exists()]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-o", f"pythonpath={where} .", *folders],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(where)}, capture_output=True, text=True, check=False,
    )
    (where / "unit.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode == 0:
        return ""
    failed = re.search(r"^FAILED (\S+)", done.stdout, re.MULTILINE)
    return f"unit ({failed[1].rpartition('/')[2]})" if failed else "unit"


def main() -> int:
    """All, or those that are asked for; 1 when too many get through."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--defect", default="*", help="name or glob")
    parser.add_argument("--slots", type=int, default=6)
    arguments = parser.parse_args()
    chosen = [d for d in defects() if fnmatch.fnmatch(d.name, arguments.defect)]
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

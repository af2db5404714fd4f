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
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.mutants.defects import ROOT, Defect, defects
from tests.mutants.planting import Unplantable, module_of, planted

FOLDER: Final = ROOT / "build/mutants"
SOUND: Final = ROOT / "operator"
FOLDERS: Final = (
    "undo",
    "protocol",
    "machine",
    "shell",
    "watchdog",
    "clock",
    "reverters",
    "integration/reverters",
    "integration/protocol",
    "integration/observers",
    "faults",
    "preflight",
    "observers",
    "signals",
    "cli",
    "api",
    "names",
    "gather",
    "reporting",
    "model",
)
WANTED: Final = 0.95
PATIENCE: Final = {"KUBEDRILL_MATRIX_PATIENCE": "45"}  # the longest plan of CI takes half a minute


@dataclass(frozen=True, slots=True)
class Caught:
    """Who caught a defect, empty when nobody did, and in how many seconds."""

    by: str
    seconds: float


def copied(defect: Defect) -> Path:
    """A copy of the operator's folder with the defect in it.

    Raises:
        Unplantable: its place or its code is not there.
    """
    copy = FOLDER / defect.name
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(SOUND, copy, ignore=shutil.ignore_patterns("__pycache__"))
    file = module_of(defect, copy / "kubedrill")
    file.write_text(planted(defect, file.read_text(encoding="utf-8")), encoding="utf-8")
    return copy


def caught(defect: Defect, slots: int) -> Caught:
    """Asks until somebody finds something, the cheapest first: what is named, all FOLDERS, the plans of CI."""
    began, where = time.monotonic(), copied(defect)
    by = defect.tests and _by_tests(where, defect.tests.split())
    by = by or (defect.plans and _by_matrix(where, slots, "--plan", defect.plans))
    by = by or _by_tests(where, [f"tests/{name}" for name in FOLDERS]) or _by_matrix(where, slots, "--ci")
    shutil.rmtree(where)
    return Caught(by, time.monotonic() - began)


def _by_matrix(where: Path, slots: int, *chosen: str) -> str:
    """The oracle that found something first."""
    how = ["--first", "1", "--slots", str(slots), "--first-slot", "60"]
    done = _run(where, ["-m", "tests.faultmatrix", *how, *chosen], "matrix", PATIENCE)
    if done.returncode == 0:
        return ""
    failed = re.search(r"^FAILED +\S+ s +(\S+)\n +(O\d+) ", done.stdout, re.MULTILINE)
    if failed is None:  # no oracle has said anything: that is no catch
        raise SystemExit(f"the matrix itself failed: {done.stderr.strip()[-500:]}")
    return f"{failed[2]} ({failed[1]})"


def _by_tests(where: Path, named: Sequence[str]) -> str:
    """The test without a cluster that failed first."""
    workers = ["-n", "2"] if len(named) > 2 else []  # for a file or two they cost more than they save
    how = ["-m", "pytest", "-q", "-x", *workers, "-p", "no:cacheprovider", "-o", f"pythonpath={where} ."]
    done = _run(where, [*how, *named], "unit", {"KUBEDRILL_TESTS": "thorough"})
    if done.returncode == 0:
        return ""
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    if failed is None:
        raise SystemExit(f"the unit tests themselves failed: {(done.stdout + done.stderr).strip()[-500:]}")
    return f"unit ({failed[1].rpartition('/')[2]})"


def _run(where: Path, what: list[str], log: str, more: dict[str, str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, *what],
        cwd=ROOT,
        env=os.environ | more | {"PYTHONPATH": str(where)},
        capture_output=True,
        text=True,
        check=False,
    )
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{where.name}.{log}.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    return done


def _control(chosen: Sequence[Defect], slots: int) -> None:
    """Whatever is asked passes without a defect: what fails by itself catches nothing.

    Raises:
        SystemExit: it does not.
    """
    tests = sorted({file for d in chosen for file in d.tests.split()} | {f"tests/{name}" for name in FOLDERS})
    plans = " ".join(d.plans for d in chosen)
    by = _by_tests(SOUND, tests) or (plans and _by_matrix(SOUND, slots, "--plan", plans))
    by = by or _by_matrix(SOUND, slots, "--ci")
    if by:
        raise SystemExit(f"without any defect it fails, too: {by}")


def options() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--defect", default="*", help="names or globs")
    parser.add_argument("--skip", default="", help="names that are left out")
    parser.add_argument("--slots", type=int, default=6)
    return parser.parse_args()


def main() -> int:
    """All, or those that are asked for; 1 when too many get through."""
    arguments = options()
    wanted = arguments.defect.split()
    chosen = [
        d
        for d in defects()
        if any(fnmatch.fnmatch(d.name, one) for one in wanted) and d.name not in arguments.skip.split()
    ]
    for defect in chosen:  # a list that has gone stale is told before the hour begins
        try:
            shutil.rmtree(copied(defect))
        except Unplantable as why:
            raise SystemExit(str(why)) from None
    began = time.monotonic()
    _control(chosen, arguments.slots)
    print(f"{time.monotonic() - began:5.0f} s  without any defect all of it passes", flush=True)
    results = {}
    for defect in chosen:
        result = results[defect.name] = caught(defect, arguments.slots)
        print(f"{result.seconds:5.0f} s  {defect.name:52} {result.by or 'NOT CAUGHT'}", flush=True)
    number = sum(bool(r.by) for r in results.values())
    oracles = [r.by.split()[0] for r in results.values() if r.by]
    print("\n" + ", ".join(f"{name}: {oracles.count(name)}" for name in sorted(set(oracles))))
    print(f"{number} of {len(chosen)} planted defects caught")
    return 0 if chosen and number >= WANTED * len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())

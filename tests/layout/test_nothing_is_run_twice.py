"""The whole suite, with a pytest that says what it is told: each level is run once, and a failure stays one."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "run_all.sh"
BESIDE = ("answers", "faults", "installs", "observers", "protocol", "rollouts")
FOLDERS = ("api", "drills", *BESIDE)
PYTEST = """#!/usr/bin/env bash
echo "$*" >> "$ASKED"
case "$*" in
  *e2e/$FAILS/*) echo '3 passed, 1 failed in 1.0s'; exit 1;;
  *faultmatrix*) echo '12 plans, 0 failed';;
  *) echo '7 passed in 1.0s';;
esac
"""


def program(path: Path, text: str):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@dataclass(frozen=True)
class Run:
    """What the script did, and what it asked of Python, a line each."""

    done: subprocess.CompletedProcess[str]
    asked: list[str]


def run(folder: Path, fails: str) -> Run:
    """The script in a repository of a few folders on the cluster, one of which has a test that fails."""
    for name in FOLDERS:
        (folder / "tests/e2e" / name).mkdir(parents=True)
        (folder / "tests/e2e" / name / "test_it.py").touch()
    shutil.copy(SCRIPT, folder / "tests")
    program(folder / ".venv/bin/python", PYTEST)
    for name in ("make", "python3"):
        program(folder / "bin" / name, "#!/bin/sh\n")
    environment = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "ASKED": str(folder / "asked"), "FAILS": fails}
    command = ["bash", "tests/run_all.sh"]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return Run(done, (folder / "asked").read_text().splitlines())


@pytest.fixture(scope="module")
def drills_fail(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(tmp_path_factory.mktemp("drills"), "drills")


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_folder_on_the_cluster_is_run_once(drills_fail: Run, folder: str):
    assert sum(f"tests/e2e/{folder}/" in line for line in drills_fail.asked) == 1


def test_a_failure_makes_the_run_fail_and_keeps_no_other_level_from_running(drills_fail: Run):
    assert drills_fail.done.returncode == 1
    assert "tests.faultmatrix" in drills_fail.asked[-1]


def test_so_does_a_failure_of_what_runs_beside_the_drills(tmp_path: Path):
    protocol_fails = run(tmp_path, "protocol")
    assert protocol_fails.done.returncode == 1
    assert "tests.faultmatrix" in protocol_fails.asked[-1]


def test_the_table_says_what_each_level_did(drills_fail: Run):
    _, _, end = drills_fail.done.stdout.partition("\nlevel ")
    table = {
        line.split()[0]: line.split()[1:3]
        for line in end.splitlines()[1:]
        if len(line.split()) == 4 and "," not in line
    }

    assert sorted(table) == sorted(["unit", "integration", *FOLDERS, "faultmatrix"])
    assert table["api"] == ["7", "0"]
    assert table["drills"] == ["3", "1"]
    assert table["faultmatrix"] == ["12", "0"]
    assert drills_fail.done.stdout.splitlines()[-1] == "78 passed, 1 failed"

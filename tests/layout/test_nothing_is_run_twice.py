"""The whole suite, with a pytest that says what it is told: each level is run once, and a failure stays one."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "run_all.sh"
PYTEST = """#!/usr/bin/env bash
echo "$*" >> "$ASKED"
case "$*" in
  *drills*) echo '3 passed, 1 failed in 1.0s'; exit 1;;
  *faultmatrix*) echo '12 plans, 0 failed';;
  *) echo '7 passed in 1.0s';;
esac
"""


def program(path: Path, text: str):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The script in a repository of two folders on the cluster, one of which has a test that fails."""
    for name in ("api", "drills"):
        (tmp_path / "tests/e2e" / name).mkdir(parents=True)
        (tmp_path / "tests/e2e" / name / "test_it.py").touch()
    shutil.copy(SCRIPT, tmp_path / "tests")
    program(tmp_path / ".venv/bin/python", PYTEST)
    for name in ("make", "python3"):
        program(tmp_path / "bin" / name, "#!/bin/sh\n")
    return tmp_path


@pytest.fixture
def run(repository: Path) -> subprocess.CompletedProcess[str]:
    path = f"{repository / 'bin'}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "tests/run_all.sh"],
        cwd=repository,
        env=os.environ | {"PATH": path, "ASKED": str(repository / "asked")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def asked(run: subprocess.CompletedProcess[str], repository: Path) -> list[str]:
    """What was asked of Python in the whole run, a line each."""
    assert run.stderr == ""
    return (repository / "asked").read_text().splitlines()


@pytest.mark.parametrize("folder", ["api", "drills"])
def test_each_folder_on_the_cluster_is_run_once(asked: list[str], folder: str):
    assert sum(f"tests/e2e/{folder}/" in line for line in asked) == 1


def test_a_failure_makes_the_run_fail_and_keeps_no_other_level_from_running(
    run: subprocess.CompletedProcess[str], asked: list[str]
):
    assert run.returncode == 1
    assert "tests.faultmatrix" in asked[-1]


def test_the_table_says_what_each_level_did(run: subprocess.CompletedProcess[str]):
    _, _, end = run.stdout.partition("\nlevel ")
    table = {
        line.split()[0]: line.split()[1:3]
        for line in end.splitlines()[1:]
        if len(line.split()) == 4 and "," not in line
    }

    assert list(table) == ["unit", "integration", "api", "drills", "faultmatrix"]
    assert table["api"] == ["7", "0"]
    assert table["drills"] == ["3", "1"]
    assert table["faultmatrix"] == ["12", "0"]
    assert run.stdout.splitlines()[-1] == "36 passed, 1 failed"

"""A source that is added as one file, as docs/how-to/add-a-source.md says, is under the contract and is watched."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOW_TO = ROOT / "docs/how-to/add-a-source.md"
NEW = {"operator/kubedrill/plugins/sources/rollouts.py": 0, "tests/sources/examples/rollouts.py": 1}
WITHOUT = shutil.ignore_patterns("__pycache__", ".hypothesis")


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A copy of the tree, and in it the two files of the how-to."""
    for part in ("operator", "tests"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=WITHOUT)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
    for path, number in NEW.items():
        assert not (tmp_path / path).exists()
        (tmp_path / path).write_text(blocks[number], encoding="utf-8")
    return tmp_path


def contract(scratch: Path, chosen: str) -> subprocess.CompletedProcess[str]:
    """The contract tests of a tree whose name has one of the chosen words."""
    test = "tests/sources/test_every_source_keeps_its_promises.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test, "-k", chosen]
    return subprocess.run(command, cwd=scratch, capture_output=True, text=True, timeout=300, check=False)


def test_the_contract_holds_for_it_and_what_it_tells_reaches_a_drill(scratch: Path):
    done = contract(scratch, "rollouts or replicasets or controller")
    assert done.returncode == 0, done.stdout[-3000:]
    (passed,) = re.findall(r"(\d+) passed", done.stdout)
    assert int(passed) >= 10


def test_one_without_an_example_is_found_out(scratch: Path):
    (scratch / "tests/sources/examples/rollouts.py").unlink()
    done = contract(scratch, "has_an_example")
    assert done.returncode == 1, done.stdout[-3000:]
    assert "rollouts" in done.stdout

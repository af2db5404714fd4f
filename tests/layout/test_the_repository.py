"""What must never be in the repository."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def tracked(*patterns: str) -> list[Path]:
    """Files of the checkout that git knows."""
    names = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in names.splitlines()]


def test_the_folder_operator_is_no_package_or_it_would_shadow_pythons_own():
    assert not (ROOT / "operator/__init__.py").exists()


@pytest.mark.parametrize("name", ["uv.lock", "package-lock.json", "poetry.lock"])
def test_no_lock_file_that_names_hosts(name: str):
    assert not tracked(f"*{name}")


def test_every_requirement_is_pinned_by_hash():
    for file in tracked("*requirements*.txt"):
        lines = file.read_text(encoding="utf-8").splitlines()
        pins = [line for line in lines if re.match(r"^[a-z0-9]", line, re.IGNORECASE)]
        assert pins
        assert all("==" in line and line.endswith("\\") for line in pins), file


def test_no_module_is_longer_than_a_reader_bears():
    long = {f.name: n for f in tracked("operator/*.py") if (n := len(f.read_text(encoding="utf-8").splitlines())) > 350}
    assert not long

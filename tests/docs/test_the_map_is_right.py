"""docs/architecture.md is the map: its drawing is that of the contracts, and all that it names is there."""

from __future__ import annotations

import ast
import re
import runpy
from collections import Counter
from pathlib import Path

import pytest
from tests.source import files, parsed

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "operator/kubedrill"
MAP = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
DRAW = runpy.run_path(str(ROOT / "docs/draw_layers.py"))
LONGEST_README = 30


def test_the_drawing_is_of_todays_contracts():
    drawing = DRAW["drawn"]((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert DRAW["with_drawing"](MAP, drawing) == MAP


def test_a_page_without_a_place_for_the_drawing_is_refused():
    with pytest.raises(ValueError, match="has no place"):
        DRAW["with_drawing"]("# Architecture\n", "")


def test_the_drawing_shows_every_package():
    packages = {p.parent.name for p in PACKAGE.glob("*/__init__.py")}
    assert packages == set(re.findall(r"^ +(\w+)\[\1/\]$", MAP, re.MULTILINE))


@pytest.mark.parametrize("place", sorted(set(re.findall(r"`((?:[a-z_]+/)+[a-z_]*(?:\.py)?)`", MAP))))
def test_every_place_on_the_map_is_there(place: str):
    assert (PACKAGE / place).exists()


@pytest.mark.parametrize("package", sorted(p.parent.name for p in PACKAGE.glob("*/__init__.py")))
def test_every_package_has_a_readme_that_is_read_in_a_minute(package: str):
    lines = (PACKAGE / package / "README.md").read_text(encoding="utf-8").splitlines()
    assert 5 <= len(lines) <= LONGEST_README


def test_no_class_name_stands_twice():
    names = Counter(node.name for module in files() for node in parsed(module).body if isinstance(node, ast.ClassDef))
    assert [name for name, count in names.items() if count > 1] == []

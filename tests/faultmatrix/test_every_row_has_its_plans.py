"""The page of the rows says neither more nor less than the catalogue: every row, every plan of it, every test."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path
from typing import Final

import pytest
from tests.faultmatrix.catalogue import all_plans

ROOT: Final = Path(__file__).parents[2]
TARGETS: Final = re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
PLANNED: Final = {p.name: {row.strip() for row in p.row.split(",")} - {""} for p in all_plans()}
ROWS: Final = {
    cells[0]: cells[1:]
    for line in Path(__file__).with_name("rows.md").read_text(encoding="utf-8").splitlines()
    if (cells := [cell.strip() for cell in line.strip("|").split("|")])[0].isdigit()
}


def named(cell: str) -> list[str]:
    """The names in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def plans_of(cell: str) -> set[str]:
    """The plans that the names in a cell mean."""
    return {plan for glob in named(cell) for plan in fnmatch.filter(PLANNED, glob)}


def test_all_rows_stand_there_in_order():
    assert list(ROWS) == [str(number) for number in range(1, 34)]


def test_every_row_of_a_plan_is_one():
    assert {row for rows in PLANNED.values() for row in rows} <= ROWS.keys()


def test_every_plan_but_the_clean_ones_has_a_row():
    assert {name for name, rows in PLANNED.items() if not rows} == {n for n in PLANNED if n.startswith("clean/")}


@pytest.mark.parametrize("row", ROWS)
def test_its_names_mean_exactly_the_plans_of_the_row(row: str):
    _, plans, _, _ = ROWS[row]

    assert [glob for glob in named(plans) if not fnmatch.filter(PLANNED, glob)] == []
    assert plans_of(plans) == {name for name, rows in PLANNED.items() if row in rows}


@pytest.mark.parametrize("row", ROWS)
def test_its_tests_are_there(row: str):
    _, _, tests, _ = ROWS[row]
    files = [name for name in named(tests) if not name.startswith("make ")]

    assert [name for name in files if not (ROOT / name).is_file()] == []
    assert {name.removeprefix("make ") for name in named(tests) if name not in files} <= set(TARGETS)


@pytest.mark.parametrize("row", ROWS)
def test_something_stands_for_it(row: str):
    what, plans, tests, _ = ROWS[row]

    assert what
    assert named(plans) + named(tests)

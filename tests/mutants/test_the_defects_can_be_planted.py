"""A defect that can't be planted guards nothing: each is found in the code as it stands, and changes it."""

from __future__ import annotations

import ast
import fnmatch

import pytest
from tests.faultmatrix.catalogue import all_plans
from tests.mutants.__main__ import UNIT
from tests.mutants.defects import ROOT, Defect, defects

DEFECTS = defects()
PLANS = [p.name for p in all_plans()]


def test_there_are_enough_and_half_of_them_break_the_protocol():
    assert len(DEFECTS) >= 30
    assert sum(d.arrow for d in DEFECTS) >= 15


@pytest.mark.parametrize("what", ["name", "new", "breaks"])
def test_no_two_are_alike(what: str):
    said = [(getattr(d, what), d.file, d.old) if what == "new" else getattr(d, what) for d in DEFECTS]

    assert [one for one in said if said.count(one) > 1] == []


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda d: d.name)
def test_its_text_occurs_once_and_what_it_becomes_is_still_python(defect: Defect):
    text = (ROOT / "operator/kubedrill" / defect.file).read_text(encoding="utf-8")
    planted = text.replace(defect.old, defect.new)

    assert text.count(defect.old) == 1
    assert ast.dump(ast.parse(planted)) != ast.dump(ast.parse(text))


@pytest.mark.parametrize("defect", [d for d in DEFECTS if d.try_first], ids=lambda d: d.name)
def test_the_plans_that_are_tried_first_are_there(defect: Defect):
    assert [glob for glob in defect.try_first.split() if not fnmatch.filter(PLANS, glob)] == []


def test_the_unit_tests_that_look_for_what_is_left_are_there():
    assert [name for name in UNIT if not (ROOT / "tests" / name).is_dir()] == []

"""A defect that can't be planted guards nothing: each is found in the code as it stands, and changes it."""

from __future__ import annotations

import ast
import fnmatch
import functools
from textwrap import dedent

import pytest
from tests.faultmatrix.catalogue import all_plans
from tests.mutants.__main__ import FOLDERS
from tests.mutants.defects import ROOT, Defect, defects
from tests.mutants.planting import Unplantable, module_of, planted

DEFECTS = defects()
PLANS = [p.name for p in all_plans()]
PACKAGE = ROOT / "operator/kubedrill"
SOURCE = dedent("""
    WAYS = (1, 2)

    class Door:
        def open(self, key):
            if key.fits and not self.locked:  # a comment
                turn(key, push(self))
                self.locked = False
            return self.locked
""")


@functools.cache
def plain(source: str) -> str:
    """What a module says, laid out as one with a defect is."""
    return ast.unparse(ast.parse(source))


def test_there_are_enough_and_many_of_them_break_the_protocol():
    assert len(DEFECTS) >= 50
    assert {d.item for d in DEFECTS} >= set(range(1, 11))
    assert sum(d.arrow for d in DEFECTS) >= 15


@pytest.mark.parametrize("what", ["name", "new", "breaks"])
def test_no_two_are_alike(what: str):
    said = [(d.new, d.where, d.old) if what == "new" else getattr(d, what) for d in DEFECTS]

    assert [one for one in said if said.count(one) > 1] == []


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda d: d.name)
def test_its_code_is_there_and_becomes_something_else(defect: Defect):
    source = module_of(defect, PACKAGE).read_text(encoding="utf-8")

    spoiled = planted(defect, source)
    assert spoiled != plain(source)
    assert ast.parse(spoiled).body


@pytest.mark.parametrize("defect", [d for d in DEFECTS if d.plans], ids=lambda d: d.name)
def test_the_plans_that_are_tried_first_are_there(defect: Defect):
    assert [glob for glob in defect.plans.split() if not fnmatch.filter(PLANS, glob)] == []


@pytest.mark.parametrize("defect", [d for d in DEFECTS if d.tests], ids=lambda d: d.name)
def test_the_tests_that_are_tried_first_are_there(defect: Defect):
    assert [name for name in defect.tests.split() if not (ROOT / name).exists()] == []


def test_the_folders_that_look_for_what_is_left_are_there():
    assert [name for name in FOLDERS if not (ROOT / "tests" / name).is_dir()] == []


def becomes(where: str, old: str, new: str) -> str:
    """The source with a defect in it."""
    return planted(Defect("it", "a clause", where, dedent(old), dedent(new)), SOURCE)


def test_an_expression_is_found_however_it_is_laid_out():
    assert "if key.fits:" in becomes("m:Door.open", "(key.fits\n and not self.locked)", "key.fits")


def test_an_item_of_a_call_or_a_tuple_goes_where_it_becomes_nothing():
    assert "turn(key)" in becomes("m:Door.open", "push(self)", "")
    assert "WAYS = (2,)" in becomes("m:WAYS", "1", "")


def test_statements_become_others_or_none():
    assert "pass" in becomes("m:Door.open", "turn(key, push(self))\nself.locked = False", "")
    assert "self.locked = True" in becomes("m:Door", "self.locked = False", "self.locked = True")


@pytest.mark.parametrize(
    ("where", "old"),
    [
        ("m:Door.open", "key.bends"),
        ("m:Door.open", "self.locked"),
        ("m:Door.close", "key"),
        ("m:Window", "key"),
    ],
)
def test_what_is_not_there_or_not_once_is_told(where: str, old: str):
    with pytest.raises(Unplantable, match="it: "):
        becomes(where, old, "False")


def test_a_module_is_found_by_so_much_of_its_path_as_tells_it_from_others():
    assert module_of(Defect("it", "", "protocol/revert:revert", "", ""), PACKAGE) == PACKAGE / "protocol/revert.py"
    with pytest.raises(Unplantable, match="modules are called settings"):
        module_of(Defect("it", "", "settings:x", "", ""), PACKAGE)

"""Enough drills on enough shapes of alerts, each of which says what it needs to."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from tests.shapes.catalogue import COURSES, UNJUDGED, WORSE, Play, plays, shapes
from tests.shapes.courses import TRICKS

PLAYS = list(plays())
JUDGED = [play for play in PLAYS if play.course in COURSES]


def test_at_least_thirty_drills_on_at_least_fifteen_shapes():
    assert len(JUDGED) >= 30
    assert len({play.shape.name for play in JUDGED}) >= 15


@pytest.mark.parametrize("course", [course for course in COURSES if course != "scaled"])
def test_every_course_is_played_on_several_shapes(course: str):
    assert len([play for play in PLAYS if play.course == course]) >= 3


def test_an_autoscaler_that_goes_by_the_queue_scales_where_the_queue_is_the_trouble():
    (scaled,) = [play for play in PLAYS if play.course == "scaled"]
    assert scaled.shape.trouble["figure"] == "shop_queue_depth"


def test_every_course_and_every_trick_is_known():
    assert {play.course for play in PLAYS} == {*COURSES, *UNJUDGED}
    assert {play.shape.worse for play in PLAYS if play.course == "worse"} == set(WORSE) == TRICKS.keys()


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">=", "==", "!=", " and ", " or ", " unless ", "bool", "absent("])
def test_every_comparison_has_a_shape(operator: str):
    assert any(operator in shape.expr for shape in shapes())


@pytest.mark.parametrize("case", ["b1", "b2", "b3", "b4", "b6", "b8", "b13", "b14", "b15", "b16", "c10", "c12"])
def test_the_field_cases_are_among_them(case: str):
    assert [shape.name for shape in shapes() if shape.case == case]


def test_no_two_plays_share_a_namespace_or_an_alert_and_both_fit_the_api():
    for names in ([p.namespace for p in PLAYS], [p.alert for p in PLAYS]):
        assert len(set(names)) == len(names)
        assert max(map(len, names)) <= 50


def test_ci_plays_a_few_of_each_kind():
    in_ci: list[Play] = [play for play in PLAYS if play.in_ci]
    assert 3 <= len(in_ci) <= 6
    assert {"fixed", "nobody", "worse"} <= {play.course for play in in_ci}


@pytest.mark.parametrize("module", ["recorder", "exporter"])
def test_the_recorder_and_its_exporter_know_nothing_of_what_they_are_held_against(module: str):
    tree = ast.parse(Path(__file__).with_name(f"{module}.py").read_text(encoding="utf-8"))
    named = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    named |= {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in named} <= sys.stdlib_module_names

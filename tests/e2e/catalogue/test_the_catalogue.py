"""What makes it a catalogue: enough failures, each with the tool that has it and what must hold here. No cluster."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

AT_LEAST = 25


def re_enactments() -> Iterator[tuple[str, list[str], str]]:
    """Each test's name, the failures that it re-enacts, and what it says."""
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "known_failure":
                    yield node.name, [ast.literal_eval(one) for one in mark.args], ast.get_docstring(node) or ""


ALL = {name: (failures, said) for name, failures, said in re_enactments()}


def test_it_has_enough_re_enactments_of_different_failures():
    assert len(ALL) >= AT_LEAST
    assert len({failure for failures, _ in ALL.values() for failure in failures}) >= AT_LEAST


@pytest.mark.parametrize(("failures", "said"), ALL.values(), ids=ALL)
def test_it_says_what_stayed_broken_there_and_what_holds_here(failures: list[str], said: str):
    there, _, here = said.partition("Here")
    assert there
    assert here
    assert [one for one in failures if "#" in one and one.rpartition("#")[2] not in there] == []

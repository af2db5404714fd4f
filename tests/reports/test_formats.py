"""Formats are found by looking, and half a format is an error."""

from types import ModuleType

import pytest
from tests.reports.records import record

from kubedrill.plugins.reports import FORMATS, UnknownFormatError, as_format, render


def module(**names):
    made = ModuleType("fancy")
    vars(made).update(names)
    return made


def test_there_are_four():
    assert {f.name: f.suffix for f in FORMATS.values()} == {
        "html": ".html",
        "json": ".json",
        "junit": ".xml",
        "markdown": ".md",
    }


def test_an_unknown_one_is_refused_with_those_that_there_are():
    with pytest.raises(UnknownFormatError, match="'pdf'; there are html, json, junit, markdown"):
        render(record(), "pdf")


def test_a_module_that_keeps_half_of_the_contract_is_an_error():
    with pytest.raises(TypeError, match="fancy is no report format: it lacks SUFFIX, render"):
        as_format(module(FORMAT="fancy"))


def test_a_module_of_another_kind_is_passed_over():
    assert as_format(module(render=str)) is None


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_the_same_record_gives_the_same_bytes(name):
    assert render(record(), name) == render(record(), name)

"""Fault kinds are found by themselves, and a module that is none is found at once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kubedrill.api import faults as of_api
from kubedrill.api.faults import Fault, NoFaultKindsError
from kubedrill.plugins import faults
from kubedrill.plugins.faults import discover
from kubedrill.plugins.registry import DefectiveMemberError


@pytest.fixture
def spare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of one more module of the package."""
    monkeypatch.setattr(faults, "__path__", [*faults.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "kubedrill.plugins.faults.spare_part", raising=False)
    return tmp_path / "spare_part.py"


def test_a_file_alone_makes_a_kind(spare: Path):
    spare.write_text("""
import dataclasses
from kubedrill.plugins.faults.manual import FAULT as OTHER
FAULT = dataclasses.replace(OTHER, kind="sparePart")
""")
    assert "sparePart" in discover.__wrapped__()


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("nothing = 1\n", "spare_part.py has no FAULT"),
        ("from kubedrill.plugins.faults.manual import FAULT\n", "spare_part.py is the kind manual: name it after its"),
    ],
)
def test_a_defective_module_stops_the_discovery(spare: Path, source: str, complaint: str):
    spare.write_text(source)
    with pytest.raises(DefectiveMemberError, match=complaint):
        discover.__wrapped__()


def test_what_breaks_something_comes_before_what_is_for_people_only():
    order = [(kind.people_only, kind.kind) for kind in discover().values()]
    assert order == sorted(order)


def test_without_the_registry_no_fault_is_read_and_it_is_said_why(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(of_api, "_CHOICES", {})
    of_api._written.cache_clear()
    with pytest.raises(NoFaultKindsError, match=r"import kubedrill\.plugins\.faults"):
        Fault.model_validate({"name": "storm", "manual": {"do": "a", "undo": "b"}})

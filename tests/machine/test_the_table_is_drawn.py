"""The page about the phases is the table itself."""

from __future__ import annotations

from pathlib import Path

from kubedrill.core.machine.phases import TABLE, page

PAGE = Path(__file__).parents[2] / "docs/reference/phases.md"


def test_the_page_is_current():
    assert PAGE.read_text(encoding="utf-8") == page(), "make generate"


def test_every_edge_is_on_the_page():
    assert page().count("-->") == 1 + sum(len(edges) for edges in TABLE.values())

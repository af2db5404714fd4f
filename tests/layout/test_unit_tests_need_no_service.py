"""`make check` needs neither root nor apt: what starts a service of the distribution is in a level of its own."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
LEVELS = ("integration", "e2e")
SERVICES = re.compile(r"[\"'](?:redis-server|promtool|prometheus-alertmanager)[\"']\s*,|tests\.integration")


def test_no_unit_test_starts_one():
    tests = (f for f in (ROOT / "tests").rglob("*.py") if f.relative_to(ROOT / "tests").parts[0] not in LEVELS)
    # what the fault matrix and the shapes start in or beside a cluster is no test of this level; their own tests are
    found = [f for f in tests if f.parts[-2] not in {"faultmatrix", "shapes"} or f.name.startswith("test_")]

    assert found
    assert [str(f.relative_to(ROOT)) for f in found if SERVICES.search(f.read_text(encoding="utf-8"))] == []


def test_make_check_installs_none():
    rules = dict(re.findall(r"^([a-z-]+): ([^#\n]*)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    assert "setup-services" not in rules["check"] + rules["unit"] + rules["generated-are-current"]
    assert "setup-services" in rules["integration"]

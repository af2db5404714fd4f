"""docs/reference/memory-limit.md, row by row: pods that the kernel kills, and pods that go on serving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.e2e.faults.field import Outcome
from tests.e2e.faults.rows import AS_PLANNED, THE_LIMIT_ALONE, Row

DOCS = Path(__file__).parents[3] / "docs" / "reference" / "memory-limit.md"


def named(row: Row) -> str:
    return row.name


@pytest.mark.parametrize("row", THE_LIMIT_ALONE, ids=named)
def test_with_the_limit_alone_the_own_strategy_decides(outcomes: dict[str, Outcome], row: Row) -> None:
    assert outcomes[row.name] == Outcome(row.failing, row.serving)


@pytest.mark.parametrize("row", AS_PLANNED, ids=named)
def test_as_planned_the_asked_pods_are_killed_and_the_others_serve(outcomes: dict[str, Outcome], row: Row) -> None:
    assert row.affected
    assert (row.failing, row.serving) == (row.affected, row.replicas - row.affected)
    assert outcomes[row.name] == Outcome(row.failing, row.serving)


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def shown(strategy: dict[str, Any]) -> str:
    rolling = strategy.get("rollingUpdate", {})
    return ", ".join(f"{name} {value}" for name, value in rolling.items()) or strategy["type"]


def test_the_reference_shows_the_rows_that_are_run() -> None:
    table = [cells(line) for line in DOCS.read_text().splitlines() if line.startswith("| `")]
    documented = [row for row in table if row[1].split()[0] in ("Deployment", "StatefulSet")]
    run = [
        [f"`{r.name}`", f"{r.kind} of {r.replicas}" + (f", {r.pods}" if r.kind == "StatefulSet" else ""),
         shown(r.strategy), *([str(r.affected)] if r.affected else []), str(r.failing), str(r.serving)]
        for r in (*THE_LIMIT_ALONE, *AS_PLANNED)
    ]  # fmt: skip
    assert documented == run

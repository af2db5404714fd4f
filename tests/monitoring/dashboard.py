"""The dashboard's queries as Grafana would send them, for the tests here and on the real cluster."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MANIFESTS = Path(__file__).parents[2] / "manifests"
DASHBOARD = MANIFESTS / "dashboards" / "kubedrill-drill.json"


@dataclass(frozen=True)
class Query:
    """One query of one panel, its variables still in it."""

    panel: str
    ref: str
    expr: str

    def filled(self, values: Mapping[str, str]) -> str:
        """With the dashboard's variables replaced, as Grafana does."""
        expr = self.expr
        for name, value in values.items():
            expr = expr.replace(f"${name}", value)
        return expr


def dashboard() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return loaded


def queries() -> list[Query]:
    return [
        Query(panel["title"], target["refId"], target["expr"])
        for panel in dashboard()["panels"]
        for target in panel["targets"]
    ]

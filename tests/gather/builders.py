"""A drill, and what a turn sees of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubedrill.controller.drill_sources import DrillSources
from kubedrill.controller.gather import gather
from kubedrill.core.machine.state import Observation, State

SPEC: dict[str, Any] = {
    "targetNamespace": "shop",
    "scenario": {
        "title": "storm",
        "expectedAlerts": [{"name": "Errors"}],
        "faults": [{"name": "limit", "memoryLimit": {"target": {"kind": "Deployment", "name": "limit"}}}],
    },
}


def a_drill(spec: dict[str, Any] | None = None, **meta: Any) -> dict[str, Any]:
    plain = {"name": "storm", "namespace": "drills", "uid": "d1", "creationTimestamp": "2026-03-01T12:00:00Z"}
    return {"metadata": plain | meta, "spec": SPEC | (spec or {})}


async def seen_of(
    sources: DrillSources,
    drill: dict[str, Any],
    state: State,
    *,
    stuck: Mapping[str, str] | None = None,
    waiting: Mapping[str, str] | None = None,
    cannot_go_on: str = "",
) -> Observation:
    return await gather(sources, drill, state, {}, stuck=stuck or {}, waiting=waiting or {}, cannot_go_on=cannot_go_on)

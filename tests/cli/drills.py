"""Builders of drills as the API server gives them."""

from __future__ import annotations

from typing import Any

ENDED_AT = "2026-03-02T12:06:00.000Z"


def drill(name: str = "rush", *, pace: int = 12, **status: Any) -> dict[str, Any]:
    """A drill; with a status when any part of one is given."""
    thing: dict[str, Any] = {
        "apiVersion": "kubedrill.dev/v1alpha1",
        "kind": "Drill",
        "metadata": {"name": name, "namespace": "drills"},
        "spec": {
            "targetNamespace": "staging",
            "pace": pace,
            "desired": "Run",
            "scenario": {
                "title": "Morning rush",
                "faults": [{"name": "limit", "memoryLimit": {"target": {"kind": "Deployment", "name": "worker"}}}],
                "expectedAlerts": [{"name": "HighQueueDepth"}],
            },
            "players": [{"name": "alice", "role": "L1"}],
        },
    }
    return thing | ({"status": status} if status else {})


def conditions(**states: str) -> list[dict[str, str]]:
    """Conditions by name, e.g. `Finished="True"`."""
    return [
        {"type": kind, "status": status, "reason": "Said", "message": "", "lastTransitionTime": ENDED_AT}
        for kind, status in states.items()
    ]


def finished(verdict: str, *, started: bool = True, restored: bool = True, **status: Any) -> dict[str, Any]:
    """The status of a drill that is over."""
    begun: dict[str, Any] = {"startExTime": "2026-03-02T12:00:00.000Z"} if started else {}
    restore = {"restore": {"complete": restored, "fields": []}} if started else {}
    return {
        "phase": "Completed",
        "verdict": verdict,
        "message": f"{verdict}: as it was",
        "conditions": conditions(Finished="True"),
        **begun,
        **restore,
        **status,
    }

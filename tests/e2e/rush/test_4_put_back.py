"""After the drill nothing of it is left, and the owner's and the players' next steps work."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.e2e.rush.conftest import NAMESPACE, Ran
from tests.e2e.staging.copies import kubectl


def fields(target: dict[str, Any]) -> dict[str, Any]:
    """The fields that a drill may touch."""
    spec = target["spec"]
    return {
        "resources": spec["template"]["spec"]["containers"][0]["resources"],
        "strategy": spec["strategy"],
        "minReadySeconds": spec.get("minReadySeconds"),
        "replicas": spec["replicas"],
    }


@pytest.fixture
def settled(better: Ran, rush: Ran) -> Ran:
    """Both drills have ended."""
    assert better.drill
    return rush


def test_the_touched_fields_are_as_they_were(settled: Ran):
    assert fields(settled.target_after) == fields(settled.target_before)
    kept = [f for f in settled.drill["status"]["restore"]["fields"] if f["outcome"] not in ("Restored", "Untouched")]
    assert not kept


def test_no_field_manager_of_the_drill_is_left(settled: Ran):
    managers = {m["manager"] for m in settled.target_after["metadata"]["managedFields"]}
    assert not {m for m in managers if m.startswith(("manager-", "kubedrill"))}


def test_no_undo_record_is_left(settled: Ran):
    own = f"kubedrill.dev/drill-uid={settled.drill['metadata']['uid']}"
    undo = "type=kubedrill.dev/undo"
    assert kubectl("get", "secrets", "-n", "drills", "--field-selector", undo, "-l", own, "-o", "name") == ""
    assert settled.drill["status"]["restore"]["complete"] is True


def test_no_revision_carries_the_fault_so_that_an_undo_cannot_bring_it_back(settled: Ran):
    sets = json.loads(kubectl("-n", NAMESPACE, "get", "replicasets", "-l", "app=ai-agents-worker", "-o", "json"))
    limits = {s["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] for s in sets["items"]}
    assert "64Mi" not in limits, settled.output

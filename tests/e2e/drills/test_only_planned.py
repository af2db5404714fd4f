"""`desired: Plan` on the cluster: everything is checked, tried with a dry run and stored, and nothing is touched."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.drills.lab import CONTROL, LOWERED, drill, in_phase, limit_of, records, status, stop, target
from tests.e2e.staging.copies import kubectl, until

pytestmark = pytest.mark.usefixtures("whole")
KUBEDRILL = str(Path(sys.executable).with_name("kubedrill"))


def kubedrill(*arguments: str, code: int = 0) -> str:
    """What the command line prints."""
    done = subprocess.run([KUBEDRILL, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == code, f"{done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def wanted(name: str, desired: str) -> None:
    change = json.dumps({"spec": {"desired": desired}})
    kubectl("-n", CONTROL, "patch", "drill", name, "--type=merge", "-p", change)


def rehearsed(name: str) -> dict[str, Any]:
    """The status once it says what would happen, of a plan that is stored."""
    until(lambda: status(name).get("rehearsal") and status(name).get("plan"), 60, f"drill {name} is rehearsed")
    return status(name)


def untouched(before: dict[str, Any]) -> None:
    now = target()
    assert now["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    assert records() == ""


def test_it_is_checked_tried_and_stored_and_starts_when_that_is_wanted():
    before = target()
    kubectl("apply", "-f", "-", given=drill("planned", desired="Plan"))
    found = rehearsed("planned")
    assert {check["passed"] for check in found["rehearsal"]["checks"]} == {True}
    assert any(LOWERED in line for fault in found["rehearsal"]["faults"] for line in fault["does"])
    stored = json.loads(kubectl("-n", CONTROL, "get", "configmap", found["plan"]["name"], "-o", "json"))
    assert stored["immutable"] is True
    assert "All checks pass now." in kubedrill("plan", "planned", "-n", CONTROL)
    untouched(before)

    kubectl("-n", CONTROL, "patch", "drill", "planned", "--type=merge", "-p", '{"spec":{"pace":2}}')
    until(lambda: status("planned")["plan"]["hash"] != found["plan"]["hash"], 60, "an edit is planned anew")
    untouched(before)

    wanted("planned", "Run")
    in_phase("planned", "InPlay")
    assert limit_of(target()) == LOWERED
    assert status("planned").get("rehearsal") is None
    stop("planned")
    in_phase("planned", "Stopped")
    assert target()["spec"] == before["spec"]
    assert records() == ""


def test_what_would_keep_it_from_starting_is_told_and_nothing_ends():
    before = target()
    kubectl("apply", "-f", "-", given=drill("unfit", alert="NoSuchRule", desired="Plan"))
    found = rehearsed("unfit")
    failing = [check for check in found["rehearsal"]["checks"] if check.get("passed") is False]
    assert {check["reason"] for check in failing} == {"AlertRuleNotLoaded"}
    assert found["phase"] == "Preflight"
    assert "It would not start now:" in kubedrill("plan", "unfit", "-n", CONTROL, code=3)
    untouched(before)


def test_plan_asks_the_operator_and_leaves_no_drill_behind(tmp_path: Path):
    before = target()
    for alert, code in (("HighQueueDepth", 0), ("NoSuchRule", 3)):
        file = tmp_path / f"{alert.lower()}.json"
        file.write_text(drill("asked", alert=alert), encoding="utf-8")
        told = kubedrill("plan", "-f", str(file), code=code)
        assert "Looked from here" not in told
        assert ("NoSuchRule" in told) is (code == 3)
    left = kubectl("-n", CONTROL, "get", "drills", "-o", "name").split()
    assert not [name for name in left if "asked" in name]
    untouched(before)

"""The shortest drill on a plain Deployment; and a stranger who fixes it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.drills.lab import CONTROL, in_phase, records, status, stop
from tests.e2e.drills.shop import APP, GOOD, SHOP, fourteen_lines
from tests.e2e.staging.copies import kubectl, until

KUBEDRILL = str(Path(sys.executable).with_name("kubedrill"))


def kubedrill(*arguments: str) -> str:
    """What the command line prints."""
    done = subprocess.run([KUBEDRILL, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def drilled(shop: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:  # noqa: ARG001
    """The drill up to the moment when a stranger's fix has worked and was measured; it is stopped afterwards."""
    file = tmp_path_factory.mktemp("shop") / "drill.json"
    file.write_text(json.dumps(fourteen_lines("checkout-oom", pace=20)), encoding="utf-8")
    planned = kubedrill("plan", "-f", str(file))
    before = json.loads(kubectl("-n", SHOP, "get", "deployment", APP, "-o", "json"))
    kubectl("apply", "-f", str(file))
    in_phase("checkout-oom", "Held")
    kubedrill("start", "checkout-oom", "-n", CONTROL)
    in_phase("checkout-oom", "InPlay")
    until(lambda: status("checkout-oom").get("clockStartTime"), 60, "the alert fired")
    kubectl("-n", SHOP, "set", "resources", f"deployment/{APP}", f"--limits=memory={GOOD}", f"--requests=memory={GOOD}")
    until(lambda: "Mitigated" in milestones("checkout-oom"), 120, "the impact falls")
    yield {"planned": planned, "before": before}
    stop("checkout-oom")
    in_phase("checkout-oom", "Stopped", "Completed")
    kubectl("-n", CONTROL, "delete", "drill", "checkout-oom", "--timeout=60s")


def milestones(name: str) -> dict[str, dict[str, Any]]:
    """What was reached, by name."""
    return {m["name"]: m for m in status(name).get("milestones", ())}


def test_the_plan_shows_what_is_derived(drilled: dict[str, Any]):
    for derived in ("CheckoutErrorsHigh", "sum(up", "40Mi", "detection", "mitigation", "20m"):
        assert derived in drilled["planned"], drilled["planned"]


def test_what_was_derived_stands_in_the_status(drilled: dict[str, Any]):
    assert drilled
    assert any("objective detection" in line for line in status("checkout-oom")["derived"])


def test_a_strangers_fix_is_kept_and_credited_to_nobody(drilled: dict[str, Any]):
    assert drilled
    assert milestones("checkout-oom")["Mitigated"]["actor"] == ""
    found = json.loads(kubectl("-n", SHOP, "get", "deployment", APP, "-o", "json"))
    assert found["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] == GOOD


def test_the_mitigation_counts_only_when_the_facilitator_has_attributed_it(drilled: dict[str, Any]):
    assert drilled

    def mitigation() -> str:
        return next(o["verdict"] for o in status("checkout-oom")["objectives"] if o["name"] == "mitigation")

    assert mitigation() in ("Indeterminate", "Pending")
    change = strange_change()
    because = ["--to", "tom", "--evidence", "he merged it"]
    kubedrill("attribute", change, *because, "--drill", "checkout-oom", "-n", CONTROL)
    until(lambda: milestones("checkout-oom")["Mitigated"]["actor"] == "tom", 30, "tom is credited")
    assert mitigation() == "Met"


def strange_change() -> str:
    """The id under which the drill tells of the stranger."""
    told = status("checkout-oom").get("interference") or []
    assert told, "the status tells of nobody's interference"
    return told[0]["id"]


def test_stopped_everything_is_as_it_was(drilled: dict[str, Any]):
    stop("checkout-oom")
    in_phase("checkout-oom", "Stopped", "Completed")
    now = json.loads(kubectl("-n", SHOP, "get", "deployment", APP, "-o", "json"))
    assert now["spec"] == drilled["before"]["spec"]
    assert records() == ""

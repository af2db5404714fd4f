"""Drills without a broken cluster: an announced alert, and a fault by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.drills.lab import CONTROL, drill, in_phase, records, status, stop
from tests.e2e.staging.copies import kubectl, until

pytestmark = pytest.mark.usefixtures("whole")
KUBEDRILL = str(Path(sys.executable).with_name("kubedrill"))
ALERTS = "/api/v1/namespaces/staging/services/alertmanager:9093/proxy/api/v2/alerts"


def active() -> set[str]:
    """Names of the alerts that Alertmanager has now."""
    return {a["labels"]["alertname"] for a in json.loads(kubectl("get", "--raw", ALERTS))}


def confirm(name: str, step: str) -> None:
    """The facilitator's word."""
    subprocess.run([KUBEDRILL, "confirm", "cable", step, "--drill", name, "-n", CONTROL], check=True)


def test_an_announced_alert_fires_and_is_resolved_again():
    fault = {"name": "call", "alert": {"alert": "PaymentsDown", "labels": {"severity": "page"}}}
    kubectl("apply", "-f", "-", given=drill("announced", alert="PaymentsDown", faults=[fault]))
    in_phase("announced", "InPlay")
    until(lambda: "PaymentsDown" in active(), 10, "the alert is active")
    until(lambda: status("announced").get("clockStartTime"), 20, "the clock runs")
    stop("announced")
    in_phase("announced", "Stopped")
    assert "PaymentsDown" not in active()
    assert records() == ""


def test_a_fault_by_hand_waits_for_the_facilitators_word_both_times():
    faults = [{"name": "cable", "manual": {"do": "Pull the cable.", "undo": "Plug it in again."}}]
    kubectl("apply", "-f", "-", given=drill("by-hand", faults=faults))
    asked: Any = until(lambda: status("by-hand").get("phase") == "Armed" and status("by-hand")["message"], 30, "asked")
    assert "Pull the cable." in asked
    confirm("by-hand", "do")
    in_phase("by-hand", "InPlay")
    stop("by-hand")
    until(lambda: "Plug it in again." in status("by-hand").get("message", ""), 20, "asked to undo it")
    assert status("by-hand")["phase"] == "Recovering"
    confirm("by-hand", "undo")
    in_phase("by-hand", "Stopped")
    assert records() == ""

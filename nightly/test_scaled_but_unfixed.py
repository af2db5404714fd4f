"""Ten times: the workers are scaled up and not repaired. Nothing may be called mitigated, however the queue wobbles."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.e2e.staging.copies import kubectl, until

ROOT = Path(__file__).parents[1]
NAMESPACE, CONTROL = "staging", "drills"
UNFIXED_SECONDS = 75


def status(name: str) -> dict:
    """A Drill's status."""
    return json.loads(kubectl("-n", CONTROL, "get", "drill", name, "-o", "json")).get("status") or {}


def milestones(name: str) -> dict[str, dict]:
    """What was reached, by name."""
    return {m["name"]: m for m in status(name).get("milestones", ())}


def fired(name: str) -> float:
    """Prometheus' clock, once the alert has fired."""
    until(lambda: "AlertFired" in milestones(name), 180, "the alert fired")
    return now()


def now() -> float:
    """Prometheus' own clock."""
    path = f"/api/v1/namespaces/{NAMESPACE}/services/prometheus:9090/proxy/api/v1/query?query=time()"
    return float(json.loads(kubectl("get", "--raw", path))["data"]["result"][1])


@pytest.fixture
def steady() -> None:
    """The staging app is as it was made."""
    up = [sys.executable, str(ROOT / "scenarios/morning-rush/app/up.py"), "--namespace", NAMESPACE]
    subprocess.run(up, check=True)
    for name in ("environment", "roster", "scenario"):
        kubectl("apply", "-f", str(ROOT / f"scenarios/morning-rush/{name}.yaml"))


@pytest.mark.usefixtures("steady")
@pytest.mark.parametrize("run", range(1, 11))
def test_nothing_is_mitigated_while_the_cause_stands(run: int):
    drill = yaml.safe_load((ROOT / "scenarios/morning-rush/drill.yaml").read_text(encoding="utf-8"))
    drill["metadata"]["name"] = name = f"unfixed-{run}"
    kubectl("apply", "-f", "-", given=json.dumps(drill))
    try:
        start = fired(name)
        kubectl("-n", NAMESPACE, "scale", "deployment/ai-agents-worker", "--replicas=10")
        until(lambda: now() - start > UNFIXED_SECONDS, UNFIXED_SECONDS + 60, "the unfixed phase is over")
        assert "Mitigated" not in milestones(name)
    finally:
        kubectl("-n", CONTROL, "delete", "drill", name, "--timeout=60s")

"""`kubectl drill run`, as a pipeline calls it: plays against a plain Deployment, and the exit code that tells."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from tests.e2e.drills.lab import CONTROL, in_phase, records, status
from tests.e2e.drills.shop import APP, GOOD, SHOP, fourteen_lines
from tests.e2e.staging.copies import kubectl, until

pytestmark = pytest.mark.usefixtures("shop", "steady")
KUBEDRILL = str(Path(sys.executable).with_name("kubectl-drill"))
PACE = 20
PLAYERS: list[dict[str, Any]] = [
    {"name": "alice", "role": "L1", "kind": "Script", "identities": {"kubernetes": "alice@shop"}},
    {"name": "tom", "role": "Engineering", "kind": "Script", "identities": {"kubernetes": "tom@shop"}},
]


def rights() -> str:
    """What the players may do in the shop."""
    group = "rbac.authorization.k8s.io"
    rules = [
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "patch"]},
        {"apiGroups": ["kubedrill.dev"], "resources": ["playeractions"], "verbs": ["create"]},
    ]
    users = [{"kind": "User", "apiGroup": group, "name": p["identities"]["kubernetes"]} for p in PLAYERS]
    named = {"name": "players", "namespace": SHOP}
    items = [
        {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": named, "rules": rules},
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": named,
            "subjects": users,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "players"},
        },
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


@pytest.fixture
def steady(shop: None) -> None:  # noqa: ARG001  what is to be steady
    """All pods serve, no alert is on, the players have their rights, and earlier drills are gone."""
    kubectl("apply", "-f", "-", given=rights())
    kubectl("delete", "drills", "-n", CONTROL, "--all", "--timeout=60s")
    kubectl("-n", SHOP, "rollout", "status", f"deployment/{APP}", "--timeout=90s")
    alerts = f"/api/v1/namespaces/{SHOP}/services/prometheus:9090/proxy/api/v1/alerts"
    until(lambda: not json.loads(kubectl("get", "--raw", alerts))["data"]["alerts"], 60, "no alert is on")


@dataclass
class Pipeline:
    """One `kubectl drill run` and what it leaves."""

    folder: Path
    name: str
    process: subprocess.Popen[str]

    def ends_with(self, code: int, within: float) -> str:
        """Waits for its end, which must be this exit code; what it printed."""
        output, _ = self.process.communicate(timeout=within)
        assert self.process.returncode == code, output
        return output

    def cases(self) -> dict[str, str]:
        """JUnit's test cases: each with how it went."""
        suite = ET.parse(self.folder / "out.xml").getroot()  # noqa: S314  our own
        bad = ("failure", "error", "skipped")
        return {c.attrib["name"]: next((e.tag for e in c if e.tag in bad), "passed") for c in suite.iter("testcase")}


def run(folder: Path, name: str, **scenario: Any) -> Pipeline:
    """What a pipeline starts."""
    drill = fourteen_lines(name, pace=PACE, players=PLAYERS)
    drill["spec"]["scenario"] |= scenario
    file = folder / "drill.yaml"
    file.write_text(json.dumps(drill), encoding="utf-8")
    arguments = ["run", "-f", str(file), "--junit", str(folder / "out.xml"), "--report", str(folder / "report")]
    return Pipeline(
        folder,
        name,
        subprocess.Popen([KUBEDRILL, *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT),
    )


def say(player: str, *words: str) -> None:
    """A player's word, under the player's own name."""
    done = subprocess.run(
        [KUBEDRILL, *words, "-n", SHOP, "--as", f"{player}@shop"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def target() -> dict[str, Any]:
    """The workload as it is."""
    return json.loads(kubectl("-n", SHOP, "get", "deployment", APP, "-o", "json"))


def test_a_team_that_fixes_it_in_time_passes(tmp_path: Path) -> None:
    before = target()
    pipeline = run(tmp_path, "passes")
    until(lambda: kubectl("-n", CONTROL, "get", "drills", "-o", "name"), 10, "the drill is there")
    in_phase("passes", "InPlay")
    until(lambda: status("passes").get("clockStartTime"), 60, "the alert fires")
    say("alice", "ack")
    say("alice", "severity", "P2")
    kubectl(
        "-n",
        SHOP,
        "set",
        "resources",
        f"deployment/{APP}",
        f"--limits=memory={GOOD}",
        f"--requests=memory={GOOD}",
        "--as=tom@shop",
    )
    say("tom", "fix", "raised the limit")
    say("tom", "engage", "Engineering")
    say("alice", "notify", "We are on it, checkout is slow.")
    printed = pipeline.ends_with(0, within=240)
    assert "Passed" in printed
    cases = pipeline.cases()
    assert set(cases.values()) == {"passed"}
    assert {"detection", "severity", "mitigation", "resolution"} <= set(cases)
    assert {p.suffix for p in (tmp_path / "report").iterdir()} >= {".html", ".md", ".json"}
    assert target()["spec"] == before["spec"]
    assert records() == ""


def test_an_alert_that_no_longer_fires_fails_the_build(tmp_path: Path) -> None:
    before = target()
    printed = run(tmp_path, "mute", expectedAlerts=[{"name": "NeverFires", "within": "2m"}]).ends_with(1, within=120)
    assert "NeverFires did not fire" in printed
    assert target()["spec"] == before["spec"]
    assert records() == ""


def test_what_is_refused_touches_nothing_and_says_why(tmp_path: Path) -> None:
    before = target()
    pipeline = run(tmp_path, "refused", expectedAlerts=[{"name": "NobodyWroteThisRule"}])
    assert "NobodyWroteThisRule" in pipeline.ends_with(3, within=60)
    assert "failure" in pipeline.cases().values() or "error" in pipeline.cases().values()
    assert target()["metadata"]["generation"] == before["metadata"]["generation"]


def test_a_stop_by_the_facilitator_is_told(tmp_path: Path) -> None:
    pipeline = run(tmp_path, "stopped")
    until(lambda: kubectl("-n", CONTROL, "get", "drills", "-o", "name"), 10, "the drill is there")
    in_phase("stopped", "InPlay")
    subprocess.run([KUBEDRILL, "stop", "stopped", "-n", CONTROL], check=True)
    pipeline.ends_with(4, within=30)
    assert records() == ""


def test_a_pipeline_that_is_cancelled_leaves_nothing_behind(tmp_path: Path) -> None:
    before = target()
    pipeline = run(tmp_path, "cancelled")
    until(lambda: kubectl("-n", CONTROL, "get", "drills", "-o", "name"), 10, "the drill is there")
    in_phase("cancelled", "InPlay")
    pipeline.process.terminate()
    assert "everything restored" in pipeline.ends_with(4, within=30)
    assert target()["spec"] == before["spec"]
    assert records() == ""

"""The demo, run as a newcomer runs it, with independent witnesses beside it: once for each team."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.rush.recorder import Witness, witnessing
from tests.e2e.staging.copies import kubectl

from kubedrill.core.evidence.facts import Interval

ROOT = Path(__file__).parents[3]
NAMESPACE = "staging"
DEMO_SECONDS = 600


@dataclass(frozen=True)
class Ran:
    """A demo that ended: what it printed, what the witnesses saw, the Drill, the report, what players really did."""

    code: int
    output: str
    witness: Witness
    drill: dict[str, Any]
    report: dict[str, Any]
    truth: list[dict[str, Any]]
    target_before: dict[str, Any]
    target_after: dict[str, Any]

    def milestone(self, name: str) -> Interval:
        """A milestone as it was measured."""
        found = {m["name"]: m for m in self.drill["status"]["milestones"]}
        assert name in found, f"{name} was not reached; there are {', '.join(found)}"
        return Interval(*(datetime.fromisoformat(found[name][end]) for end in ("notBefore", "notAfter")))

    def verdicts(self) -> dict[str, str]:
        """The objectives' verdicts by name."""
        return {o["name"]: o["verdict"] for o in self.drill["status"]["objectives"]}

    def findings(self) -> set[str]:
        """The rules of the report's findings."""
        return {f["rule"] for f in self.report["findings"]}

    def did(self, what: str) -> Interval:
        """When a player really did something: request sent to answered."""
        step = next(s for s in self.truth if s["event"] == "step" and s["what"].startswith(what))
        return Interval(datetime.fromisoformat(step["sent"]), datetime.fromisoformat(step["answered"]))


def target() -> dict[str, Any]:
    """The workload that is hit, with its managed fields."""
    return json.loads(
        kubectl("-n", NAMESPACE, "get", "deployment", "ai-agents-worker", "-o", "json", "--show-managed-fields")
    )


def ran(play: str, folder: Path) -> Ran:
    """Stages the app anew and runs the demo."""
    up = [sys.executable, str(ROOT / "scenarios/morning-rush/app/up.py"), "--namespace", NAMESPACE]
    subprocess.run([sys.executable, str(ROOT / "demo/install.py")], check=True)
    subprocess.run(up, check=True)
    before = target()
    with witnessing(NAMESPACE, folder) as witness:
        done = subprocess.run(
            [sys.executable, str(ROOT / "demo/demo.py"), "--play", play],
            capture_output=True,
            text=True,
            check=False,
            timeout=DEMO_SECONDS,
        )
    output = done.stdout + done.stderr
    (folder / "output.txt").write_text(output, encoding="utf-8")
    out = ROOT / "build/demo"
    return Ran(
        done.returncode,
        output,
        witness,
        drill=json.loads(kubectl("get", "drill", "morning-rush", "-n", "drills", "-o", "json")),
        report=json.loads((out / "report.json").read_text(encoding="utf-8"))["record"],
        truth=[json.loads(line) for line in (out / "truth.jsonl").read_text(encoding="utf-8").splitlines()],
        target_before=before,
        target_after=target(),
    )


@pytest.fixture(scope="session")
def rush(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The team of the seed: scales first."""
    return ran("morning-rush", tmp_path_factory.mktemp("morning-rush"))


@pytest.fixture(scope="session")
def better(rush: Ran, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The team that looks first; after the other one, for they share the namespace."""
    assert rush.drill
    return ran("diagnose-first", tmp_path_factory.mktemp("diagnose-first"))

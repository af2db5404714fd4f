"""The operator's own alert rules do what their tests say, in Prometheus' own tool."""

import subprocess
from pathlib import Path

RULES = Path(__file__).parents[3] / "manifests" / "rules"


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *arguments], cwd=RULES, capture_output=True, text=True, check=False)


def test_prometheus_accepts_them():
    done = promtool("check", "rules", "kubedrill.rules.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_they_fire_when_they_should_and_only_then():
    done = promtool("test", "rules", "kubedrill.rules.test.yml")
    assert done.returncode == 0, done.stdout + done.stderr

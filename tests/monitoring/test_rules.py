"""The operator's own alert rules do what their tests say, in Prometheus' own tool."""

import subprocess
from pathlib import Path

import yaml

RULES = Path(__file__).parents[2] / "manifests" / "rules"


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *arguments], cwd=RULES, capture_output=True, text=True, check=False)


def test_prometheus_accepts_them():
    done = promtool("check", "rules", "kubedrill.rules.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_they_fire_when_they_should_and_only_then():
    done = promtool("test", "rules", "kubedrill.rules.test.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_is_tested_and_says_what_to_do():
    (group,) = yaml.safe_load((RULES / "kubedrill.rules.yml").read_text())["groups"]
    tested = (RULES / "kubedrill.rules.test.yml").read_text()
    for rule in group["rules"]:
        assert f"alertname: {rule['alert']}\n    exp_alerts:\n    - exp_labels" in tested
        assert "kubectl" in rule["annotations"]["description"]

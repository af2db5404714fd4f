"""Each of the operator's own alert rules has a test, and says what to do."""

from pathlib import Path

import yaml

RULES = Path(__file__).parents[2] / "manifests" / "rules"


def test_every_rule_is_tested_and_says_what_to_do():
    (group,) = yaml.safe_load((RULES / "kubedrill.rules.yml").read_text())["groups"]
    tested = (RULES / "kubedrill.rules.test.yml").read_text()
    for rule in group["rules"]:
        assert f"alertname: {rule['alert']}\n    exp_alerts:\n    - exp_labels" in tested
        assert "kubectl" in rule["annotations"]["description"]

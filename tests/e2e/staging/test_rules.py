"""The alert rules, as the copy's own Prometheus has them, against promtool's unit tests."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.staging.copies import Copy

SPECIFICATION = Path(__file__).parents[3] / "scenarios" / "morning-rush" / "app" / "manifests" / "rules_test.yml"
CHECK = """
set -e
mkdir -p /data/rules_test && cd /data/rules_test
cp /etc/kubedrill/prometheus/*.yml . && cat > rules_test.yml
promtool check config prometheus.yml && promtool test rules rules_test.yml
"""


def test_the_rules_that_are_deployed_do_what_their_specification_says(copy: Copy):
    said = copy.kubectl("exec", "-i", "deploy/prometheus", "--", "sh", "-c", CHECK, given=SPECIFICATION.read_text())
    assert "2 rules found" in said

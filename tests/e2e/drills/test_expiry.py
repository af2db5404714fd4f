"""An ended drill with `ttlAfterFinished` is deleted by the operator, and its report outlives it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.e2e.drills.lab import CONTROL, drill, in_phase, limit_of, records, stop, target
from tests.e2e.staging.copies import kubectl, until

pytestmark = pytest.mark.usefixtures("whole")
KUBEDRILL = str(Path(sys.executable).with_name("kubedrill"))
AFTER = 20.0
"""Seconds that it stays; the pods that it has killed are ready again by then."""
SWEPT_WITHIN = 45.0


def test_it_goes_and_its_report_stays(tmp_path: Path):
    before = limit_of(target())
    kubectl("apply", "-f", "-", given=drill("expires", ttlAfterFinished=f"{AFTER:g}s"))
    in_phase("expires", "InPlay")
    stop("expires")
    in_phase("expires", "Stopped", within=15)
    until(
        lambda: "drill.kubedrill.dev/expires" not in kubectl("-n", CONTROL, "get", "drills", "-o", "name").split(),
        AFTER + SWEPT_WITHIN,
        "the Drill is gone",
    )
    assert (limit_of(target()), records()) == (before, "")
    subprocess.run([KUBEDRILL, "report", "expires", "-n", CONTROL, "-o", str(tmp_path)], check=True)
    assert "expires" in (tmp_path / "report.json").read_text(encoding="utf-8")

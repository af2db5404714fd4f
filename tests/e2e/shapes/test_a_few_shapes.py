"""A few shapes of alerts, each fixed, left alone or made worse: what is said of the drill is what a recorder saw."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_every_drill_is_judged_rightly():
    up = [sys.executable, str(ROOT / "scenarios/morning-rush/app/up.py"), "--namespace", "staging"]
    subprocess.run(up, check=True)  # its images
    command = [sys.executable, "-m", "tests.shapes", "--ci"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert done.stdout.strip().endswith("drills judged rightly")

"""A Drill whose annotations are full is stopped all the same: the API server takes it in the spec."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from tests.e2e.api.conftest import kubectl
from tests.e2e.api.test_messages import drill

from kubedrill.core.machine.desired import desired_of, stop_because

MOST: int = 256 * 1024
"""Bytes of all annotations of an object, keys and values, by the API server."""


@pytest.fixture
def full(namespace: str) -> str:
    """A Drill with no room for one more annotation."""
    thing, key = drill(), "example.com/notes"
    thing["metadata"]["annotations"] = {key: "x" * (MOST - len(key))}
    made = kubectl("create", "-n", namespace, "-f", "-", given=thing)
    assert made.returncode == 0, made.stderr
    return str(thing["metadata"]["name"])


def test_a_drill_whose_annotations_are_full_is_stopped_in_its_spec(namespace: str, full: str):
    stop = [sys.executable, "-m", "kubedrill.cli.main", "stop", full, "-n", namespace]
    done = subprocess.run(
        [*stop, "--because", "a real incident", "--wait", "1s"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )
    assert "so the stop stands in spec.desired" in done.stderr, done.stderr
    assert "may not be more than" in done.stderr or "must have at most" in done.stderr, done.stderr
    stored = json.loads(kubectl("get", "drill", full, "-n", namespace, "-o", "json").stdout)
    assert (desired_of(stored).value, stop_because(stored)) == ("Stop", "a real incident")
    assert stored["spec"]["desired"] == "Stop"


def test_a_start_of_it_is_refused_and_changes_nothing(namespace: str, full: str):
    start = [sys.executable, "-m", "kubedrill.cli.main", "start", full, "-n", namespace]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(start, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode != 0
    stored = json.loads(kubectl("get", "drill", full, "-n", namespace, "-o", "json").stdout)
    assert stored["spec"]["desired"] == "Hold"

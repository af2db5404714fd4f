"""Operator and watchdog are both away: one command, from the undo records alone, puts a workload and a queue back."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.e2e.drills.lab import CONTROL, GOOD, drill, in_phase, limit_of, memory_limit, records, stop, target
from tests.e2e.drills.test_queue_load import COUNT, KEY, RATE, REAL, TAKEN, fakes, jobs, queue
from tests.e2e.staging.copies import kubectl, until

__all__ = ["queue"]
BOTH = ("deployment/kubedrill", "deployment/kubedrill-watchdog")


def restore(*options: str) -> subprocess.CompletedProcess[str]:
    """The break-glass command, as one of its group."""
    command = [
        sys.executable,
        "-m",
        "kubedrill.cli.main",
        "restore",
        "--all",
        "-n",
        CONTROL,
        "--as",
        "somebody",
        "--as-group",
        "kubedrill:break-glass",
        *options,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def nobody_there(queue: None) -> Iterator[None]:  # noqa: ARG001  what is to be put back
    """Both come back afterwards."""
    yield
    for one in BOTH:
        kubectl("-n", CONTROL, "scale", one, "--replicas=1")
        kubectl("-n", CONTROL, "rollout", "status", one, "--timeout=90s")


@pytest.mark.usefixtures("nobody_there")
def test_everything_is_put_back_from_the_records_alone_and_told_by_the_operator_when_it_is_back():
    params = {"key": KEY, "inFlight": ["taken:*"], "ratePerSecond": RATE, "count": COUNT, "redelivery": "2s"}
    kubectl("apply", "-f", "-", given=drill("by-hand", faults=[memory_limit(), {"name": "flood", "queueLoad": params}]))
    in_phase("by-hand", "InPlay")
    until(lambda: len(fakes()) > RATE, 20, "jobs are pushed")
    for one in BOTH:
        kubectl("-n", CONTROL, "scale", one, "--replicas=0")
        kubectl(
            "-n",
            CONTROL,
            "wait",
            "--for=delete",
            "pod",
            "-l",
            f"app.kubernetes.io/name={one.partition('/')[2]}",
            "--timeout=60s",
        )
    stop("by-hand")

    done = restore()

    assert done.returncode == 0, done.stdout + done.stderr
    assert limit_of(target()) == GOOD
    assert fakes() == []
    assert sorted(jobs() + jobs(TAKEN)) == sorted(REAL)
    assert kubectl("-n", CONTROL, "get", "jobs", "-o", "name") == ""  # the one that reached Redis is gone again

    kubectl("-n", CONTROL, "scale", BOTH[0], "--replicas=1")
    ended = in_phase("by-hand", "Stopped", within=120)
    assert ended["restore"]["complete"] is True
    assert {f["outcome"] for f in ended["restore"]["fields"]} == {"Restored"}
    assert records() == ""
    assert json.loads(kubectl("-n", CONTROL, "get", "drill", "by-hand", "-o", "json"))["status"]["verdict"] == "Stopped"

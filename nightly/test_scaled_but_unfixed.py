"""Twenty times: the workers are scaled up and not repaired. Nothing may be called mitigated, however the queue wobbles.

Four copies of the staging app are drilled at once, five times each.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.e2e.staging.copies import WORKERS, Copy, kubectl, until

ROOT = Path(__file__).parents[1]
SCENARIO = ROOT / "scenarios/morning-rush"
CONTROL = "drills"
COPIES = [Copy(f"unfixed-{number}") for number in range(1, 5)]
RUNS_OF_EACH = 5
UNFIXED_SECONDS = 75
STEADY = ("max_over_time(queue_depth[10s]) < 20", "workers_alive == 5")


def of_the_scenario(name: str) -> dict[str, Any]:
    """One of its manifests."""
    return dict(yaml.safe_load((SCENARIO / f"{name}.yaml").read_text(encoding="utf-8")))


def up(*arguments: str) -> None:
    """Bring the copies up as they are made, or do what is asked for with them."""
    named = [word for copy in COPIES for word in ("--namespace", copy.namespace)]
    subprocess.run([sys.executable, str(SCENARIO / "app/up.py"), *named, *arguments], check=True)


@pytest.fixture
def copies() -> Iterator[list[Copy]]:
    """The copies of the staging app, ready to be drilled."""
    up()
    for name in ("roster", "scenario"):
        kubectl("apply", "-f", str(SCENARIO / f"{name}.yaml"))
    for copy in COPIES:
        environment = of_the_scenario("environment")
        environment["metadata"]["name"] = copy.namespace
        environment["spec"]["targetNamespaces"] = [copy.namespace]
        kubectl("apply", "-f", "-", given=json.dumps(environment))
        subprocess.run([str(Path(sys.executable).with_name("kubedrill")), "opt-in", copy.namespace], check=True)
    yield COPIES
    kubectl("-n", CONTROL, "delete", "denv", *(copy.namespace for copy in COPIES))
    up("--down")


def milestones(drill: str) -> dict[str, dict[str, Any]]:
    """What a drill has reached, by name."""
    status = json.loads(kubectl("-n", CONTROL, "get", "drill", drill, "-o", "json")).get("status") or {}
    return {one["name"]: one for one in status.get("milestones", ())}


def unfixed(copy: Copy, run: int) -> str:
    """One run: which milestones it had once the phase was over."""
    drill = of_the_scenario("drill")
    drill["metadata"]["name"] = name = f"{copy.namespace}-{run}"
    drill["spec"]["targetNamespace"] = copy.namespace
    until(lambda: all(copy.query(one) for one in STEADY), 180, f"{copy.namespace} is as it was made")
    kubectl("apply", "-f", "-", given=json.dumps(drill))
    try:
        until(lambda: "AlertFired" in milestones(name), 180, "the alert fired")
        start = copy.value("vector(time())")
        copy.kubectl("scale", WORKERS, "--replicas=10")
        until(lambda: copy.value("vector(time())") - start > UNFIXED_SECONDS, UNFIXED_SECONDS + 60, "the phase is over")
        return f"{name}: {', '.join(sorted(milestones(name)))}"
    finally:
        kubectl("-n", CONTROL, "delete", "drill", name, "--timeout=60s")
        copy.kubectl("scale", WORKERS, "--replicas=5")


def test_nothing_is_mitigated_while_the_cause_stands(copies: list[Copy]):
    with ThreadPoolExecutor(len(copies)) as at_once:
        told = list(at_once.map(lambda copy: [unfixed(copy, run) for run in range(RUNS_OF_EACH)], copies))
    runs = [one for of_copy in told for one in of_copy]
    assert len(runs) == 20
    assert [one for one in runs if "Mitigated" in one] == []

"""Whatever all targets answer at once, neither process comes near its limit."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.answers.hostile import HOSTILE, stranger

from kubedrill.api.quantities import parse_memory

ROOT = Path(__file__).parents[3]
MANIFESTS = {"operator": "deployment.yaml", "watchdog": "watchdog.yaml"}
DRILLS, ROUNDS, SECONDS = 50, 1, 3
OFTEN = (
    "many values",
    "as many values as are read",
    "as many bytes as are read",
    "as many samples as are read",
    "endless",
)


def limit_of(role: str) -> float:
    """The memory limit of a process, MiB."""
    found = yaml.safe_load_all((ROOT / "manifests/base" / MANIFESTS[role]).read_text(encoding="utf-8"))
    deployment = next(one for one in found if one["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return parse_memory(container["resources"]["limits"]["memory"]) / (1 << 20)


async def attacked(role: str, name: str) -> dict[str, Any]:
    """What a process of this role says of itself, fifty strangers having answered it in this way."""
    async with stranger(HOSTILE[name]) as one:
        said = [role, *map(str, (one.port, DRILLS, ROUNDS, SECONDS))]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.integration.answers.under_attack",
            *said,
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT / "operator")},
        )
        output, _ = await process.communicate()
        assert one.asked
        return json.loads(output)


@pytest.mark.parametrize("name", OFTEN)
async def test_f6_fifty_hostile_targets_leave_the_operator_under_60_percent_of_its_limit(name):
    found = await attacked("operator", name)
    assert found["of"] == DRILLS
    assert found["most"] < 0.6 * limit_of("operator")


@pytest.mark.parametrize("name", ["many values", "endless"])
async def test_f5_fifty_hostile_alertmanagers_leave_the_watchdog_under_60_percent_of_its_limit(name):
    found = await attacked("watchdog", name)
    assert found["of"] == DRILLS
    assert found["most"] < 0.6 * limit_of("watchdog")
